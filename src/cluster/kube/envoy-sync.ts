import { setTimeout as sleep } from 'node:timers/promises';
import { isTellable, type RouteForm, routeFormOf, routesAt } from '../../core/istio/envoy-routes.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { formatDuration } from '../../core/release/durations.ts';
import { refText } from '../manifest.ts';
import type { ObjectRef, Serving } from '../store.ts';
import { type ConnectedProxy, Istiod } from './istiod.ts';

/** Whom to ask, and how long. */
export interface EnvoySyncOptions {
  /** The debug interfaces of all istiods by now, as URLs; none: nobody is asked. */
  readonly istiods: () => readonly string[];
  /** Who asks; absent: nobody in particular, which an istiod lets pass only on its own machine. */
  readonly tokenFile?: string | undefined;
  /** How long after a change Envoys are taken to have it where nobody can tell, in ms. */
  readonly settleMs: number;
  /** How long to wait for an Envoy that does not take a change, in ms. */
  readonly patienceMs: number;
  /** Told when `serving` may answer otherwise. */
  readonly onServed: () => void;
}

/** A change of a routing object that Envoys have yet to get, as far as is known. */
interface Change {
  readonly ref: ObjectRef;
  readonly wanted: KubeObject;
  /** The forms that they may still have; undefined where that is not known: the object was there when this process began. */
  readonly formers: readonly KubeObject[] | undefined;
  /** Whether they are all: else an Envoy may also have none, or one from before this process began. */
  readonly knowsAll: boolean;
  /** By the process's clock, in ms. */
  readonly at: number;
  /** By istiod and proxy. */
  readonly proxies: Map<string, ProxyProgress>;
}

/** How far one Envoy is with a change. */
interface ProxyProgress {
  form: RouteForm | 'notAsked';
  /** What it was sent last while it was known not to be the change. */
  sentBefore: string | undefined;
  isDone: boolean;
}

/** What was found out about one istiod's Envoys, for all changes at once. */
interface Look {
  readonly istiod: string;
  readonly proxies: readonly ConnectedProxy[];
  readonly failure: string | undefined;
}

/** Forms of an object that are kept for what Envoys may still have. */
const MOST_FORMERS = 8;
/** Envoys whose routes are looked at in one round, of each istiod: each costs it the making of all of them. */
const MOST_DUMPS = 32;
/** Time between two rounds, in ms: at first, and at most. istiod waits 100 ms for more changes before it sends any. */
const FIRST_PAUSE_MS = 60;
const LONGEST_PAUSE_MS = 1000;

/**
 * Tells when Envoys have a change of a VirtualService or an HTTPRoute. istiod knows what it has sent to each and what was acknowledged, but not by which version of an
 * object: so the routes that it has made for them are looked at. A change is served once each connected Envoy that has any of its routes has acknowledged
 * those of the wanted form. Nobody is asked anything unless somebody waits.
 *
 * Where istiod cannot be asked, a change counts as served after a fixed time; and after a longer one where an Envoy does not take it: a release must not
 * stand still for an Envoy that hangs. That one is not waited for again until it acknowledges something.
 */
export class EnvoySync {
  readonly #options: EnvoySyncOptions;
  readonly #stop = new AbortController();
  readonly #changes = new Map<string, Change>();
  /** What is asked for, by object. */
  readonly #awaited = new Set<string>();
  readonly #served = new Map<string, Serving>();
  /** Of Envoys that were not waited for any longer, what they acknowledged last; by istiod and proxy. */
  readonly #hanging = new Map<string, string>();
  readonly #istiods = new Map<string, Istiod>();
  #running: Promise<void> | undefined;

  constructor(options: EnvoySyncOptions) {
    this.#options = options;
  }

  /** A routing object came or changed; `former` undefined: it is new. `isFirst`: it is not known since when it is as it is. */
  changed(ref: ObjectRef, former: KubeObject | undefined, wanted: KubeObject, isFirst: boolean): void {
    const key = refText(ref);
    const at = performance.now();
    const pending = this.#changes.get(key);
    const { settleMs, patienceMs } = this.#options;
    // What nobody asked about for so long is as good as served.
    const isPast = pending === undefined || at - pending.at > (pending.formers === undefined ? settleMs : patienceMs);
    const before = isPast ? [] : (pending.formers ?? []);
    const formers = isFirst ? undefined : [...before, ...(former === undefined ? [] : [former])].slice(-MOST_FORMERS);
    const knowsAll = former !== undefined && (isPast || (pending.formers !== undefined && pending.knowsAll));
    this.#served.delete(key);
    this.#changes.set(key, { ref, wanted, formers, knowsAll, at, proxies: new Map() });
  }

  removed(ref: ObjectRef): void {
    const key = refText(ref);
    this.#changes.delete(key);
    this.#served.delete(key);
    this.#awaited.delete(key);
  }

  /** How it is known that the object is served as it is; undefined where it is not. Who asks is told once it is. */
  serving(ref: ObjectRef): Serving | undefined {
    const key = refText(ref);
    const served = this.#served.get(key);
    if (served === undefined && this.#changes.has(key)) {
      this.#awaited.add(key);
      this.#running ??= this.#run();
    }
    return served;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let pause = FIRST_PAUSE_MS; !signal.aborted && this.#awaited.size > 0; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      const changes = [...this.#awaited].flatMap((key) => this.#changes.get(key) ?? []);
      const urls = this.#options.istiods();
      const looks = await Promise.all(urls.map((url) => this.#look(url, changes)));
      // What changed meanwhile is for the next round, and so is what was found out about the form before it.
      const current = changes.filter((change) => this.#changes.get(refText(change.ref)) === change);
      const done = current.filter((change) => this.#conclude(change, looks));
      if (done.length > 0) {
        pause = FIRST_PAUSE_MS;
        this.#options.onServed();
      }
      if (this.#awaited.size > 0) await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
    // At once: whoever asks from here on has to start it anew.
    this.#running = undefined;
  }

  async #look(url: string, changes: readonly Change[]): Promise<Look> {
    const istiod = this.#istiods.get(url) ?? new Istiod(url, this.#options.tokenFile);
    this.#istiods.set(url, istiod);
    const known = changes.filter(({ formers }) => formers !== undefined);
    if (known.length === 0) return { istiod: url, proxies: [], failure: undefined };
    try {
      const before = await istiod.proxies();
      const isOpen = ({ id, type }: ConnectedProxy) =>
        known.some((change) => concerns(change, type) && change.proxies.get(placeOf(url, id))?.isDone !== true);
      // istiod takes any Envoy whose name has the one that is asked for in it.
      const isTold = (proxy: ConnectedProxy) => !before.some((other) => other !== proxy && other.id.endsWith(proxy.id));
      // Gateways first: that is where visitors come in.
      const open = before
        .filter((proxy) => isOpen(proxy) && isTold(proxy))
        .toSorted((left, right) => Number(left.type === 'sidecar') - Number(right.type === 'sidecar'));
      await Promise.all(open.slice(0, MOST_DUMPS).map((proxy) => this.#compare(url, istiod, proxy, known)));
      const after = open.length === 0 ? before : await istiod.proxies();
      for (const proxy of after) this.#acknowledge(url, proxy, known);
      this.#forgetGone(url, after);
      return { istiod: url, proxies: after, failure: undefined };
    } catch (error) {
      return { istiod: url, proxies: [], failure: error instanceof Error ? error.message : String(error) };
    }
  }

  async #compare(url: string, istiod: Istiod, proxy: ConnectedProxy, changes: readonly Change[]): Promise<void> {
    const routes = await istiod.routesOf(proxy);
    for (const change of changes) {
      const { wanted, formers = [], knowsAll, proxies } = change;
      if (!concerns(change, proxy.type)) continue;
      const place = placeOf(url, proxy.id);
      const known = proxies.get(place);
      if (known?.isDone === true) continue;
      const form = routeFormOf(routes, wanted, formers);
      const isWanted = form === 'wanted';
      const isFree = form === 'absent' && knowsAll && isTellable(formers);
      proxies.set(place, { form, sentBefore: isWanted ? known?.sentBefore : proxy.sent, isDone: isFree });
    }
  }

  /** What was made for an Envoy is on its way until it was sent anew and acknowledged. */
  #acknowledge(url: string, { id, type, sent, acknowledged, rejection }: ConnectedProxy, changes: readonly Change[]): void {
    const place = placeOf(url, id);
    if (this.#hanging.has(place) && this.#hanging.get(place) !== acknowledged) this.#hanging.delete(place);
    for (const change of changes) {
      const { proxies } = change;
      const progress = proxies.get(place);
      if (!concerns(change, type)) proxies.set(place, { form: 'absent', sentBefore: undefined, isDone: true });
      else if (progress === undefined) proxies.set(place, { form: 'notAsked', sentBefore: undefined, isDone: false });
      else if (progress.form === 'wanted') {
        // Seen for the first time it may be on its way still: then the next round tells.
        const isAnew = progress.sentBefore === undefined ? false : sent !== progress.sentBefore;
        progress.isDone = isAnew && sent === acknowledged && rejection === undefined;
        progress.sentBefore ??= '';
      }
    }
  }

  #forgetGone(url: string, connected: readonly ConnectedProxy[]): void {
    const there = new Set(connected.map(({ id }) => placeOf(url, id)));
    for (const place of this.#hanging.keys()) if (place.startsWith(placeOf(url, '')) && !there.has(place)) this.#hanging.delete(place);
  }

  /** Whether the change is served by now; then it is kept how that is known. */
  #conclude(change: Change, looks: readonly Look[]): boolean {
    const serving = this.#servingOf(change, looks);
    if (serving === undefined) return false;
    const key = refText(change.ref);
    this.#changes.delete(key);
    this.#awaited.delete(key);
    this.#served.set(key, serving);
    return true;
  }

  #servingOf({ formers, at, proxies }: Change, looks: readonly Look[]): Serving | undefined {
    const { settleMs, patienceMs } = this.#options;
    const elapsed = performance.now() - at;
    const isSettled = elapsed >= settleMs;
    const taken = `taken to be, ${formatDuration(settleMs)} after it was written`;
    if (looks.length === 0) return isSettled ? { how: `${taken}: istiod is not asked` } : undefined;
    if (formers === undefined) return isSettled ? { how: `${taken}, or this controller began` } : undefined;

    const failures = looks.flatMap(({ istiod, failure }) => (failure === undefined ? [] : [`istiod at ${istiod}: ${failure}`]));
    const connected = looks.flatMap(({ istiod, proxies: all }) => all.map((proxy) => ({ proxy, place: placeOf(istiod, proxy.id) })));
    const having = connected.filter(({ place }) => proxies.get(place)?.isDone === true && proxies.get(place)?.form === 'wanted').length;
    const open = connected.filter(({ place }) => proxies.get(place)?.isDone !== true);
    const says = `istiod: ${having === 0 ? 'no Envoy has' : having === 1 ? '1 Envoy has' : `${having} Envoys have`} it`;
    if (open.length === 0 && failures.length === 0) return { how: says };
    if (!isSettled) return undefined;
    const late = open.filter(({ proxy, place }) => {
      const { form = 'notAsked' } = proxies.get(place) ?? {};
      return form === 'former' || form === 'wanted' || proxy.sent !== proxy.acknowledged;
    });
    const waitedFor = late.filter(({ place }) => !this.#hanging.has(place));
    if (waitedFor.length > 0 && elapsed < patienceMs) return undefined;
    if (late.length > 0) {
      for (const { proxy, place } of late) this.#hanging.set(place, proxy.acknowledged);
      const names = late.map(({ proxy: { id, rejection } }) => (rejection === undefined ? id : `${id} (rejected: ${rejection})`));
      const lacking = `${late.length} of ${having + late.length} ${late.length === 1 ? 'does' : 'do'} not`;
      return { how: `${says}, ${lacking}, and are not waited for: ${listed(names)}`, isDoubtful: true };
    }
    if (failures.length > 0) return { how: `${taken}: ${listed(failures)}` };
    return { how: having === 0 ? `${taken}: istiod does not tell` : `${says}, others may` };
  }
}

/** Whether Envoys of this type may route by the object, in any of its forms. */
function concerns({ wanted, formers = [] }: Change, type: ConnectedProxy['type']): boolean {
  return [wanted, ...formers].some((form) => routesAt(form, type === 'router' ? 'gateway' : 'mesh'));
}

function placeOf(istiod: string, proxy: string): string {
  return `${istiod} ${proxy}`;
}

/** The first of them, and how many more there are. */
function listed(texts: readonly string[]): string {
  return texts.length <= 3 ? texts.join(', ') : `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`;
}
