import { MEASURED_CORE } from '../cores.ts';
import { coreTime, cpuTime, residentMemory } from '../process-cpu.ts';
import type { Candidate, RunningProxy } from './candidate.ts';
import { type LoadOptions, runLoad } from './load.ts';

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

/** A candidate whose proxy was started and takes requests. */
export interface RunningCandidate {
  readonly candidate: Candidate;
  readonly proxy: RunningProxy;
}

/** Loads one proxy for one window and divides the CPU time it used by the requests it answered. */
export async function measureWindow({ proxy }: RunningCandidate, load: Omit<LoadOptions, 'port'>): Promise<Sample> {
  const before = cpuTime(proxy.pid);
  const coreBefore = coreTime(MEASURED_CORE);
  const { requests, seconds, p50, p99 } = await runLoad({ ...load, port: proxy.port });
  const after = cpuTime(proxy.pid);
  const busy = coreTime(MEASURED_CORE) - coreBefore;
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
