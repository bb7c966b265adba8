import { setTimeout as sleep } from 'node:timers/promises';
import type { Version } from '../../core/release/canary-release.ts';
import { describeVersion } from '../../core/release/version.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import type { Cluster, Endpoint } from '../../core/routing/selection.ts';
import { Listeners } from '../listeners.ts';
import type { Readiness } from '../readiness.ts';
import type { Store } from '../store.ts';
import { probeTcp } from './tcp-probe.ts';

/** What a probe looks at, whom it tells, and how often it asks; times in milliseconds. */
export interface EndpointProbeOptions {
  readonly store: Store;
  /** What a listener threw, or why the store could not be read: the probe goes on with what it knows. */
  readonly onError: (error: unknown) => void;
  /** What keeps this process from asking endpoints, once a minute; they count as they were then, so that no release rolls back for it. */
  readonly onShortage: (reason: string) => void;
  /** Milliseconds from one probe of an endpoint to the next, give or take a tenth; default 1000. */
  readonly intervalMs?: number;
  /** Milliseconds in which an endpoint has to accept; default 1000. */
  readonly timeoutMs?: number;
  /** Milliseconds for which a version is probed after it was last asked for; default five minutes. */
  readonly forgetAfterMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/**
 * Readiness on one machine: a version is ready when one of its endpoints, as ServiceEntries and WorkloadEntries declare them, accepts
 * TCP. Endpoints are probed every second, one connection at a time each, and only those of versions that someone asks for: what no
 * release names is left in peace.
 */
export function startEndpointProbe(options: EndpointProbeOptions): Readiness {
  return new EndpointProbe(options);
}

type Answer = ReturnType<Readiness['check']>;

interface Interest {
  readonly host: string;
  readonly port: number;
  readonly version: Version;
  askedAt: number;
  told: Answer;
}

interface Target {
  readonly endpoint: Endpoint;
  readonly stop: AbortController;
  ended: Promise<void>;
  /** Undefined: not probed yet; `failure` undefined: it accepts. */
  verdict: { readonly failure: string | undefined } | undefined;
}

/** How often a shortage that goes on, or comes and goes, is told, in ms. */
const SHORTAGE_AGAIN_MS = 60_000;

const ENDPOINT_KINDS: ReadonlySet<string> = new Set(['ServiceEntry', 'WorkloadEntry', 'DestinationRule']);

class EndpointProbe implements Readiness {
  readonly #options: Required<EndpointProbeOptions>;
  readonly #interests = new Map<string, Interest>();
  readonly #targets = new Map<string, Target>();
  readonly #changed: Listeners<[]>;
  readonly #stopWatching: () => void;
  /** Undefined until the store was read. */
  #clusters: readonly Cluster[] | undefined;
  #isClosed = false;
  #isStale = true;
  #shortage: { readonly reason: string; readonly toldAt: number } | undefined;
  #reading: Promise<void>;

  constructor(options: EndpointProbeOptions) {
    this.#options = { intervalMs: 1000, timeoutMs: 1000, forgetAfterMs: 300_000, random: Math.random, ...options };
    this.#changed = new Listeners(this.#options.onError);
    this.#stopWatching = options.store.watch((refs) => {
      if (!refs.some((ref) => ENDPOINT_KINDS.has(ref.kind))) return;
      this.#isStale = true;
      this.#reading = this.#reading.then(() => this.#readEndpoints());
    });
    this.#reading = this.#readEndpoints();
  }

  check(host: string, port: number, version: Version): Answer {
    const key = JSON.stringify([host, port, version]);
    const known = this.#interests.get(key);
    if (known !== undefined) {
      known.askedAt = performance.now();
      return known.told;
    }
    const interest: Interest = { host, port, version, askedAt: performance.now(), told: { ready: undefined, reason: '' } };
    this.#interests.set(key, interest);
    this.#probeWhatIsAskedFor();
    interest.told = this.#answer(interest);
    return interest.told;
  }

  onChange(listener: () => void): () => void {
    return this.#changed.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWatching();
    const targets = [...this.#targets.values()];
    for (const target of targets) target.stop.abort();
    this.#targets.clear();
    await Promise.all([this.#reading, ...targets.map((target) => target.ended)]);
  }

  async #readEndpoints(): Promise<void> {
    if (this.#isClosed || !this.#isStale) return;
    this.#isStale = false;
    try {
      const objects = await this.#options.store.list();
      this.#clusters = compileRouting(objects.map((object) => object.served)).table.clusters;
      this.#probeWhatIsAskedFor();
      this.#tell();
    } catch (error) {
      this.#isStale = true;
      this.#options.onError(error);
    }
  }

  /** Starts and stops probes, so that exactly the endpoints of the versions asked for are probed. */
  #probeWhatIsAskedFor(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    for (const [key, { askedAt }] of this.#interests) {
      if (now - askedAt > this.#options.forgetAfterMs) this.#interests.delete(key);
    }
    const wanted = new Map<string, Endpoint>();
    for (const interest of this.#interests.values()) {
      for (const endpoint of this.#clusterOf(interest)?.endpoints ?? []) wanted.set(keyOf(endpoint), endpoint);
    }
    for (const [key, target] of this.#targets) {
      if (wanted.has(key)) continue;
      target.stop.abort();
      this.#targets.delete(key);
    }
    for (const [key, endpoint] of wanted) {
      if (this.#targets.has(key)) continue;
      const target: Target = { endpoint, stop: new AbortController(), ended: Promise.resolve(), verdict: undefined };
      this.#targets.set(key, target);
      target.ended = this.#probe(target);
    }
  }

  async #probe(target: Target): Promise<void> {
    const { intervalMs, timeoutMs, random } = this.#options;
    const { signal } = target.stop;
    while (!signal.aborted) {
      const began = performance.now();
      const answer = await probeTcp(target.endpoint, timeoutMs, signal);
      if (signal.aborted) return;
      if (answer.kind === 'notAsked') this.#tellShortage(answer.reason);
      else target.verdict = { failure: answer.kind === 'fails' ? answer.reason : undefined };
      this.#probeWhatIsAskedFor();
      this.#tell();
      const pause = intervalMs * (0.9 + random() * 0.2) - (performance.now() - began);
      await sleep(Math.max(0, pause), undefined, { signal }).catch(() => undefined);
    }
  }

  #tellShortage(reason: string): void {
    const now = performance.now();
    if (this.#shortage?.reason === reason && now - this.#shortage.toldAt < SHORTAGE_AGAIN_MS) return;
    this.#shortage = { reason, toldAt: now };
    this.#options.onShortage(reason);
  }

  #tell(): void {
    let isNews = false;
    for (const interest of this.#interests.values()) {
      const answer = this.#answer(interest);
      isNews ||= answer.ready !== interest.told.ready || (answer.ready !== true && answer.reason !== interest.told.reason);
      interest.told = answer;
    }
    if (isNews) this.#changed.notify();
  }

  #clusterOf({ host, port, version }: Interest): Cluster | undefined {
    const wanted = 'subset' in version ? { host, port, subset: version.subset } : { host: version.host, port: version.port ?? port };
    return this.#clusters?.find(
      (cluster) =>
        cluster.host === wanted.host && cluster.port === wanted.port && cluster.subset === ('subset' in wanted ? wanted.subset : undefined),
    );
  }

  #answer(interest: Interest): Answer {
    const { host, port, version } = interest;
    const name = 'subset' in version ? `subset ${version.subset} of ${host}:${port}` : `${describeVersion(version)}`;
    if (this.#clusters === undefined) return { ready: undefined, reason: `the endpoints of ${name} are not known yet` };
    const cluster = this.#clusterOf(interest);
    if (cluster === undefined) return { ready: false, reason: `${name} is not declared` };
    if (cluster.endpoints.length === 0) return { ready: false, reason: `${name} has no endpoints` };
    const targets = cluster.endpoints.flatMap((endpoint) => this.#targets.get(keyOf(endpoint)) ?? []);
    if (targets.some(({ verdict }) => verdict !== undefined && verdict.failure === undefined))
      return { ready: true, reason: `${name} is ready` };
    if (targets.some(({ verdict }) => verdict === undefined)) return { ready: undefined, reason: `${name} is being probed` };
    const failures = targets.map(({ endpoint, verdict }) => `${keyOf(endpoint)} ${verdict?.failure}`);
    return { ready: false, reason: `no endpoint of ${name} accepts connections (${listed(failures)})` };
  }
}

function keyOf({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
