import { MEASURED_CORE } from '../cores.ts';
import { coreTime, cpuTime, residentMemory } from '../process-cpu.ts';
import { BODY_SIZES, type BodySize } from './body-size.ts';
import type { Candidate, RunningProxy } from './candidate.ts';
import { CONNECTIONS, type LoadFiles, type LoadKind, type LoadResult, rateOf, runLoad, runOpenLoop } from './load.ts';

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

/** What a window is about, and how long it is. */
export interface Window {
  readonly size: BodySize;
  readonly load: LoadKind;
  readonly files: LoadFiles;
  readonly seconds: number;
  /** Of the load. */
  readonly core: number;
}

function runWindow({ proxy }: RunningCandidate, { size, load, files, seconds, core }: Window): Promise<LoadResult> {
  const { tls } = BODY_SIZES[size];
  const port = tls ? proxy.tlsPort : proxy.port;
  const rate = rateOf(size, load);
  if (rate === undefined) return runLoad({ script: files.script, port, seconds, core, tls });
  return runOpenLoop(core, { port, rate, seconds, connections: CONNECTIONS, requests: files.requests });
}

/** Loads one proxy for one window and divides the CPU time it used by the requests it answered. */
export async function measureWindow(running: RunningCandidate, window: Window): Promise<Sample> {
  const { proxy } = running;
  const before = cpuTime(proxy.pid);
  const coreBefore = coreTime(MEASURED_CORE);
  const { requests, seconds, p50, p99 } = await runWindow(running, window);
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
