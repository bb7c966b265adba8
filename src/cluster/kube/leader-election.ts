import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, KubeError } from './kube-client.ts';

/** Who may lead is decided by one object of coordination.k8s.io/v1. */
export interface LeaderElectionOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process, and of no other. */
  readonly identity: string;
  /** Times in ms; client-go's where absent (k8s.io/client-go, tools/leaderelection). */
  readonly times?: Partial<LeaseTimes>;
  /** Called when it begins to lead, and when it must not any more: by then nothing that it began may still be written. */
  readonly onChange: (isLeading: boolean) => void;
  /** Asking failed; it is asked again. */
  readonly onError: (error: KubeError) => void;
}

interface LeaseTimes {
  /** Others wait so long after the last sign of a holder. */
  readonly lease: number;
  /** A holder that could not renew for so long stops. */
  readonly renewDeadline: number;
  /** From one try to the next. */
  readonly retry: number;
}

const CLIENT_GO: LeaseTimes = { lease: 15_000, renewDeadline: 10_000, retry: 2000 };

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Lease {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec: LeaseSpec;
}

/** What was seen of the Lease, and when on this process's own clock: those of others may be wrong. */
interface Sighting {
  readonly lease: Lease;
  readonly at: number;
}

/**
 * One of several processes leads at a time, as in client-go: whoever holds the Lease renews it; the others try once it has not changed for as long as it
 * says. A holder stops well before that, by its own monotonic clock, also where it was asleep in between: `isLeading` is asked before every write, and
 * writes name the version that they replace, so that one that was under way while the process slept meets a conflict.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #times: LeaseTimes;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #seen: Sighting | undefined;
  /** When the last renewal that came through was begun. */
  #renewedAt: number | undefined;
  #wasLeading = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#times = { ...CLIENT_GO, ...options.times };
    this.#ended = this.#run();
  }

  /** Whether this process may write now. */
  isLeading(): boolean {
    return this.#renewedAt !== undefined && performance.now() - this.#renewedAt < this.#times.renewDeadline;
  }

  /** Gives the Lease back, if it holds it, so that another one need not wait; resolves once nothing goes on. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    const wasLeading = this.isLeading();
    this.#lead(undefined);
    if (wasLeading) await this.#giveBack().catch(() => undefined);
  }

  /** As it is now: a renewal that was given up may have come through. */
  async #giveBack(): Promise<void> {
    const held = await this.#read(AbortSignal.timeout(this.#times.renewDeadline));
    if (held?.spec.holderIdentity !== this.#options.identity) return;
    await this.#write({ ...held, spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1 } });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { retry, renewDeadline } = this.#times;
    while (!signal.aborted) {
      const began = performance.now();
      // What takes longer than a leader may go unrenewed is of no use to it; and it has to hear of the end of its time when that comes.
      const within = this.isLeading() && this.#renewedAt !== undefined ? this.#renewedAt + renewDeadline - began : renewDeadline;
      const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(within)))]);
      try {
        const isHeld = await this.#tryAcquireOrRenew(limit);
        if (isHeld) this.#lead(began);
        else this.#lead(undefined);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof KubeError)) throw error;
        this.#options.onError(error);
        if (!this.isLeading()) this.#lead(undefined);
      }
      const left = this.#renewedAt === undefined ? retry : Math.min(retry, this.#renewedAt + renewDeadline - performance.now());
      await sleep(Math.max(0, left), undefined, { signal }).catch(() => undefined);
      if (!this.isLeading()) this.#lead(undefined);
    }
  }

  /** `began`: when the renewal was begun; undefined: not leading. */
  #lead(began: number | undefined): void {
    this.#renewedAt = began;
    const isLeading = this.isLeading();
    if (isLeading === this.#wasLeading) return;
    this.#wasLeading = isLeading;
    this.#options.onChange(isLeading);
  }

  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { identity } = this.#options;
    // Whoever leads knows the Lease as it is, unless somebody took it.
    if (this.isLeading() && this.#seen !== undefined && (await this.#replace(this.#mine(this.#seen.lease), signal))) return true;
    const found = await this.#read(signal);
    if (found === undefined) return await this.#replace(this.#mine(undefined), signal);
    if (this.#seen?.lease.metadata.resourceVersion !== found.metadata.resourceVersion) this.#seen = { lease: found, at: performance.now() };
    const { holderIdentity = '', leaseDurationSeconds = 0 } = found.spec;
    const isOthers = holderIdentity !== '' && holderIdentity !== identity;
    const quietFor = performance.now() - (this.#seen?.at ?? 0);
    if (isOthers && quietFor < leaseDurationSeconds * 1000) return false;
    return await this.#replace(this.#mine(found), signal);
  }

  /** The Lease as this process holds it. */
  #mine(found: Lease | undefined): Lease {
    const { name, namespace, identity } = this.#options;
    const now = new Date().toISOString().replace('Z', '000Z');
    const keeps = found?.spec.holderIdentity === identity;
    const transitions = (found?.spec.leaseTransitions ?? -1) + (keeps ? 0 : 1);
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: found?.metadata ?? { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#times.lease / 1000),
        acquireTime: keeps ? (found.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: keeps ? (found.spec.leaseTransitions ?? 0) : Math.max(0, transitions),
      },
    };
  }

  /** False where another process was faster. */
  async #replace(lease: Lease, signal: AbortSignal): Promise<boolean> {
    try {
      this.#seen = { lease: await this.#write(lease, signal), at: performance.now() };
      return true;
    } catch (error) {
      if (error instanceof KubeError && error.status === 409) return false;
      throw error;
    }
  }

  async #write(lease: Lease, signal?: AbortSignal): Promise<Lease> {
    const isNew = lease.metadata.resourceVersion === undefined;
    const path = isNew ? this.#collection() : `${this.#collection()}/${encodeURIComponent(this.#options.name)}`;
    const request = { method: isNew ? 'POST' : 'PUT', body: lease, ...(signal === undefined ? {} : { signal }) };
    return (await this.#options.client.request(path, request)) as Lease;
  }

  async #read(signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return (await this.#options.client.request(`${this.#collection()}/${encodeURIComponent(this.#options.name)}`, { signal })) as Lease;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  #collection(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/leases`;
  }
}
