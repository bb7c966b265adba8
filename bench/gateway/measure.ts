import type { Candidate, RunningProxy } from './candidate.ts';
import { type LoadOptions, runLoad } from './load.ts';
import { coreTime, cpuTime, residentMemory } from './process-cpu.ts';

/** One window of one candidate. Times of CPU in microseconds per proxied request, latencies in milliseconds. */
export interface Sample {
  readonly cpu: number;
  readonly user: number;
  readonly system: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** MiB at the window's end. */
  readonly memory: number;
  /** Share of the proxy's core that went to others meanwhile, 0 to 1: what disturbed the measurement. */
  readonly disturbance: number;
}

export interface RunningCandidate {
  readonly candidate: Candidate;
  readonly proxy: RunningProxy;
}

/** Loads one proxy, pinned to `core`, for one window and divides the CPU time it used by the requests it answered. */
export async function measureWindow({ proxy }: RunningCandidate, core: number, load: Omit<LoadOptions, 'port'>): Promise<Sample> {
  const before = cpuTime(proxy.pid);
  const coreBefore = coreTime(core);
  const { requests, seconds, p50, p99 } = await runLoad({ ...load, port: proxy.port });
  const after = cpuTime(proxy.pid);
  const busy = coreTime(core) - coreBefore;
  const user = ((after.user - before.user) * 1e6) / requests;
  const system = ((after.system - before.system) * 1e6) / requests;
  const used = after.user - before.user + after.system - before.system;
  return {
    cpu: user + system,
    user,
    system,
    requestsPerSecond: requests / seconds,
    p50,
    p99,
    memory: residentMemory(proxy.pid),
    disturbance: Math.max(0, busy - used) / seconds,
  };
}

/** A random order (Fisher-Yates): what disturbs the machine then disturbs no candidate more than another. */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [order[last], order[other]];
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a];
  }
  return order;
}

/** The middle value; of an even number of values the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}
