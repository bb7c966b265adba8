import type { KubeObject } from '../../core/istio/resources.ts';
import type { Version } from '../../core/release/canary-release.ts';
import { DEFAULT_HEALTH_CHECK, type HealthCheck } from '../../core/release/health-check.ts';
import type { VersionReadiness } from '../../core/release/observed.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import { missingEndpoints } from '../../core/routing/missing-endpoints.ts';
import type { Cluster, Endpoint } from '../../core/routing/selection.ts';
import { Listeners } from '../listeners.ts';
import type { Readiness, ServiceAddress } from '../readiness.ts';
import type { Store } from '../store.ts';
import { addressKey, addressName, addressOf, clustersByAddress } from '../version-address.ts';
import { ProbedEndpoint } from './probed-endpoint.ts';
import { Slots } from './slots.ts';

/** What a probe looks at, whom it tells, and how it asks; times in milliseconds. */
export interface EndpointProbeOptions {
  readonly store: Store;
  /** What a listener threw, or why the store could not be read: the probe goes on with what it knows. */
  readonly onError: (error: unknown) => void;
  /** What keeps this process from asking endpoints, once a minute; they count as they were then, so that no release rolls back for it. */
  readonly onShortage: (reason: string) => void;
  /** Told of the endpoints that no check finds healthy, and one finds unhealthy, whenever they may be others than before. */
  readonly onUnhealthy?: (endpoints: readonly Endpoint[]) => void;
  /** How endpoints are checked for whoever asks for no check of its own; what is absent is as the resource's defaults have it. */
  readonly healthCheck?: Partial<HealthCheck>;
  /** Milliseconds for which a version is probed after it was last asked for; default five minutes. */
  readonly forgetAfterMs?: number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/**
 * Readiness on one machine: a version is ready when one of its endpoints, as ServiceEntries and WorkloadEntries declare them, is healthy. Each
 * endpoint is checked by itself, one connection at a time, and only those of versions that someone asks for: what no release names is left
 * in peace. Releases that want one endpoint to be checked alike share its checks.
 */
export function startEndpointProbe(options: EndpointProbeOptions): Readiness {
  return new EndpointProbe(options);
}

interface Interest {
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly version: Version;
  readonly check: HealthCheck;
  askedAt: number;
  told: VersionReadiness;
}

/** What the store says about endpoints. */
interface Declared {
  /** By address. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly objects: readonly KubeObject[];
}

/** An endpoint that is probed, and what for. */
interface Target {
  readonly probed: ProbedEndpoint;
  readonly interests: Set<Interest>;
}

/** Checks that go on at the same time, of all endpoints together: sockets and file descriptors are for visitors first. */
const MOST_AT_ONCE = 128;

/** How often a shortage that goes on, or comes and goes, is told, in ms. */
const SHORTAGE_AGAIN_MS = 60_000;

const ENDPOINT_KINDS: ReadonlySet<string> = new Set(['ServiceEntry', 'WorkloadEntry', 'DestinationRule']);

class EndpointProbe implements Readiness {
  readonly #options: Required<EndpointProbeOptions>;
  readonly #defaultCheck: HealthCheck;
  readonly #interests = new Map<string, Interest>();
  /** By endpoint and check. */
  readonly #targets = new Map<string, Target>();
  readonly #slots = new Slots(MOST_AT_ONCE);
  readonly #changed: Listeners<[readonly ServiceAddress[]]>;
  readonly #stopWatching: () => void;
  /** Undefined until the store was read. */
  #declared: Declared | undefined;
  #isClosed = false;
  #isStale = true;
  #shortage: { readonly reason: string; readonly toldAt: number } | undefined;
  #reading: Promise<void>;

  constructor(options: EndpointProbeOptions) {
    this.#options = { healthCheck: {}, onUnhealthy: () => undefined, forgetAfterMs: 300_000, random: Math.random, ...options };
    this.#defaultCheck = { ...DEFAULT_HEALTH_CHECK, ...options.healthCheck };
    this.#changed = new Listeners(this.#options.onError);
    this.#stopWatching = options.store.watch((refs) => {
      if (!refs.some((ref) => ENDPOINT_KINDS.has(ref.kind))) return;
      this.#isStale = true;
      this.#reading = this.#reading.then(() => this.#readEndpoints());
    });
    this.#reading = this.#readEndpoints();
  }

  check(host: string, port: number, version: Version, check: HealthCheck = this.#defaultCheck): VersionReadiness {
    const key = JSON.stringify([host, port, version, check]);
    const known = this.#interests.get(key);
    if (known !== undefined) {
      known.askedAt = performance.now();
      return known.told;
    }
    const interest: Interest = { key, host, port, version, check, askedAt: performance.now(), told: { ready: undefined, reason: '' } };
    this.#forget(this.#interests.values());
    this.#interests.set(key, interest);
    this.#probe(interest);
    interest.told = this.#answer(interest);
    return interest.told;
  }

  onChange(listener: (services: readonly ServiceAddress[]) => void): () => void {
    return this.#changed.add(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopWatching();
    const targets = [...this.#targets.values()];
    this.#targets.clear();
    await Promise.all([this.#reading, ...targets.map(({ probed }) => probed.stop())]);
  }

  async #readEndpoints(): Promise<void> {
    if (this.#isClosed || !this.#isStale) return;
    this.#isStale = false;
    try {
      const objects = (await this.#options.store.list()).filter(({ ref }) => ENDPOINT_KINDS.has(ref.kind)).map(({ served }) => served);
      const { clusters } = compileRouting(objects).table;
      this.#declared = { clusters: clustersByAddress(clusters), objects };
      this.#probeWhatIsAskedFor();
      this.#tell(this.#interests.values());
    } catch (error) {
      this.#isStale = true;
      this.#options.onError(error);
    }
  }

  /** Starts and stops probes, so that exactly the endpoints of the versions asked for are probed. */
  #probeWhatIsAskedFor(): void {
    this.#forget(this.#interests.values());
    for (const target of this.#targets.values()) target.interests.clear();
    for (const interest of this.#interests.values()) this.#probe(interest);
    this.#stopUnwanted(this.#targets);
  }

  /** Probes the endpoints of one version, too. */
  #probe(interest: Interest): void {
    if (this.#isClosed) return;
    for (const endpoint of this.#clusterOf(interest)?.endpoints ?? []) {
      const key = targetKey(endpoint, interest.check);
      const target = this.#targets.get(key) ?? this.#newTarget(key, endpoint, interest.check);
      target.interests.add(interest);
    }
  }

  /** Drops those of the interests that nobody asked for in long. */
  #forget(interests: Iterable<Interest>): void {
    const now = performance.now();
    for (const interest of interests) {
      if (now - interest.askedAt <= this.#options.forgetAfterMs) continue;
      this.#interests.delete(interest.key);
      for (const { interests: interested } of this.#targets.values()) interested.delete(interest);
    }
  }

  #stopUnwanted(targets: Iterable<readonly [string, Target]>): void {
    let isAnyStopped = false;
    for (const [key, { probed, interests }] of targets) {
      if (interests.size > 0) continue;
      void probed.stop();
      this.#targets.delete(key);
      isAnyStopped = true;
    }
    if (isAnyStopped) this.#tellUnhealthy();
  }

  #tellUnhealthy(): void {
    const found = new Map<string, { readonly endpoint: Endpoint; isHealthy: boolean }>();
    for (const { probed } of this.#targets.values()) {
      const { endpoint, health } = probed;
      if (health === undefined) continue;
      const known = found.get(keyOf(endpoint));
      if (known === undefined) found.set(keyOf(endpoint), { endpoint, isHealthy: health.healthy });
      else known.isHealthy ||= health.healthy;
    }
    this.#options.onUnhealthy([...found.values()].filter(({ isHealthy }) => !isHealthy).map(({ endpoint }) => endpoint));
  }

  #newTarget(key: string, endpoint: Endpoint, check: HealthCheck): Target {
    const interests = new Set<Interest>();
    const probed = new ProbedEndpoint(endpoint, check, {
      random: this.#options.random,
      slots: this.#slots,
      onShortage: (reason) => this.#tellShortage(reason),
      onChecked: (isNews) => {
        this.#forget(interests);
        this.#stopUnwanted([[key, target]]);
        if (!isNews) return;
        this.#tell(interests);
        this.#tellUnhealthy();
      },
    });
    const target = { probed, interests };
    this.#targets.set(key, target);
    return target;
  }

  #tellShortage(reason: string): void {
    const now = performance.now();
    if (this.#shortage?.reason === reason && now - this.#shortage.toldAt < SHORTAGE_AGAIN_MS) return;
    this.#shortage = { reason, toldAt: now };
    this.#options.onShortage(reason);
  }

  #tell(interests: Iterable<Interest>): void {
    const news: ServiceAddress[] = [];
    for (const interest of interests) {
      const answer = this.#answer(interest);
      if (isOtherAnswer(interest.told, answer)) news.push(interest);
      interest.told = answer;
    }
    if (news.length > 0) this.#changed.notify(news);
  }

  #clusterOf(interest: Interest): Cluster | undefined {
    return this.#declared?.clusters.get(addressKey(addressOf(interest)));
  }

  #answer(interest: Interest): VersionReadiness {
    const { check } = interest;
    const name = addressName(interest);
    if (this.#declared === undefined) return { ready: undefined, reason: `the endpoints of ${name} are not known yet` };
    const cluster = this.#clusterOf(interest);
    // An address that stands there twice is one endpoint.
    const keys = [...new Set((cluster?.endpoints ?? []).map((endpoint) => targetKey(endpoint, check)))];
    if (keys.length === 0) {
      const reason = missingEndpoints(this.#declared.objects, addressOf(interest), cluster !== undefined);
      return { ready: false, reason, endpoints: { ready: 0, total: 0 } };
    }
    const targets = keys.flatMap((key) => this.#targets.get(key)?.probed ?? []);
    const known = targets.filter(({ health }) => health !== undefined);
    const ready = known.filter(({ health }) => health?.healthy === true).length;
    const counts = { ready, total: keys.length };
    if (ready > 0) return { ready: true, reason: `${name} is ready`, endpoints: counts };
    if (known.length < keys.length) return { ready: undefined, reason: `${name} is being probed` };
    const failures = targets.map(({ endpoint, health }) => `${keyOf(endpoint)} ${health?.reason}`);
    const what = check.path === undefined ? 'accepts connections' : 'is healthy';
    return { ready: false, reason: `no endpoint of ${name} ${what} (${listed(failures)})`, endpoints: counts };
  }
}

function isOtherAnswer(before: VersionReadiness, now: VersionReadiness): boolean {
  if (now.ready !== before.ready || (now.ready !== true && now.reason !== before.reason)) return true;
  return now.endpoints?.ready !== before.endpoints?.ready || now.endpoints?.total !== before.endpoints?.total;
}

function targetKey(endpoint: Endpoint, check: HealthCheck): string {
  return JSON.stringify([keyOf(endpoint), check]);
}

function keyOf({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
