import { setTimeout as sleep } from 'node:timers/promises';
import { type EndpointHealth, nextHealth } from '../../core/release/endpoint-health.ts';
import type { HealthCheck } from '../../core/release/health-check.ts';
import type { Endpoint } from '../../core/routing/selection.ts';
import { probeHttp } from './http-probe.ts';
import type { ProbeAnswer } from './probe-answer.ts';
import type { Slots } from './slots.ts';
import { probeTcp } from './tcp-probe.ts';

/** What an endpoint under watch needs of whoever watches it. */
interface Watch {
  /** In [0, 1). */
  readonly random: () => number;
  /** Shared by all endpoints: how many are asked at the same time. */
  readonly slots: Slots;
  /** Called after each check; `isNews`: the endpoint counts as something else now, or for another reason. */
  readonly onChecked: (isNews: boolean) => void;
  /** Called with what keeps this process from asking. */
  readonly onShortage: (reason: string) => void;
}

/** An endpoint that is checked over and over, one connection at a time, until it is stopped. */
export class ProbedEndpoint {
  readonly endpoint: Endpoint;
  readonly #check: HealthCheck;
  readonly #watch: Watch;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #health: EndpointHealth | undefined;

  constructor(endpoint: Endpoint, check: HealthCheck, watch: Watch) {
    this.endpoint = endpoint;
    this.#check = check;
    this.#watch = watch;
    this.#ended = this.#run();
  }

  /** Undefined: not known yet. */
  get health(): EndpointHealth | undefined {
    return this.#health;
  }

  /** Resolves once nothing of it goes on. */
  stop(): Promise<void> {
    this.#stop.abort();
    return this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { slots, random, onChecked, onShortage } = this.#watch;
    for (let round = 0; !signal.aborted; round++) {
      const began = performance.now();
      const answer = await slots.use(() => this.#probe(signal));
      if (signal.aborted) return;
      const before = this.#health;
      if (answer.kind === 'notAsked') onShortage(answer.reason);
      else this.#health = nextHealth(this.#health, answer.kind === 'fails' ? answer.reason : undefined, this.#check);
      onChecked(this.#health?.healthy !== before?.healthy || this.#health?.reason !== before?.reason);
      const pause = pauseAfter(round, this.#check.intervalMs, random()) - (performance.now() - began);
      await sleep(Math.max(0, pause), undefined, { signal }).catch(() => undefined);
    }
  }

  async #probe(signal: AbortSignal): Promise<ProbeAnswer> {
    const { path, timeoutMs } = this.#check;
    if (signal.aborted) return { kind: 'notAsked', reason: 'given up' };
    return path === undefined ? await probeTcp(this.endpoint, timeoutMs, signal) : await probeHttp(this.endpoint, path, timeoutMs, signal);
  }
}

/**
 * From the beginning of one check to that of the next, in ms; `draw` is in [0, 1). Endpoints that come together are all asked at once, and
 * spread over the interval with their second check; from then on each interval is a tenth longer or shorter (Envoy: `interval_jitter`).
 */
export function pauseAfter(round: number, intervalMs: number, draw: number): number {
  return intervalMs * (round === 0 ? draw : 0.9 + draw * 0.2);
}
