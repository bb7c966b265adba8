// Takes one pass over a big VirtualService again and again, in a process of its own, started by run.ts; prints what it took as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { hasErrors } from '../../src/core/diagnostics/diagnostic.ts';
import { advance } from '../../src/core/release/machine.ts';
import type { Observed } from '../../src/core/release/observed.ts';
import { planOf } from '../../src/core/release/route-plan.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { weaveRelease } from '../../src/core/weave/weave-virtual-service.ts';
import { bigRoutes, type Case } from './big-routes.ts';

/** What one-pass.ts is told, as one argument of JSON. */
export interface PassOptions {
  readonly which: Case;
  readonly rules: number;
  readonly passes: number;
}

/** CPU time of the main thread for the parts of one pass, in ms, and the memory that it took beyond what was there before, in MiB. */
export interface PassFigures {
  readonly advance: number;
  readonly weave: number;
  readonly compile: number;
  readonly peak: number;
  /** What is left of it once it is over: the woven object and the table. */
  readonly kept: number;
  /** Rules of the woven VirtualService. */
  readonly woven: number;
}

const READY = { ready: true, reason: 'ready' } as const;
const OBSERVED: Observed = {
  canary: READY,
  stable: READY,
  problems: [],
  baseVersion: { subset: 'v1' },
  routesConfirmed: true,
  request: undefined,
  deletion: false,
};
const START = Date.parse('2026-11-01T00:00:00Z');

function memory(field: 'VmHWM' | 'VmRSS'): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('to be run with --expose-gc');
  globalThis.gc();
}

const { which, rules, passes } = JSON.parse(process.argv[2] ?? '') as PassOptions;
const { releases, edge, routed, objects } = bigRoutes(which, rules);
const siblings = objects.filter(({ kind }) => kind === 'VirtualService');
const gateways = objects.filter(({ kind }) => kind === 'Gateway');

/** The release on its first step, as after the passes that brought it there. */
function started(index: number): ReleaseStatus {
  const release = releases[index];
  if (release === undefined) throw new Error(`no release ${index}`);
  const input = { kind: release.kind, ...release.metadata, generation: 1, spec: release.spec };
  let status: ReleaseStatus | undefined;
  for (let turn = 0; turn < 5; turn++) status = advance(input, status, OBSERVED, START + turn).status;
  if (status?.phase !== 'Paused' && status?.phase !== 'Progressing') throw new Error(`phase ${status?.phase}`);
  return status;
}

const statuses = releases.map((_, index) => started(index));
const companions = releases.slice(1).map((release, index) => {
  const status = statuses[index + 1];
  const plan = status === undefined ? undefined : planOf(status);
  if (plan === undefined) throw new Error(`${release.metadata.name} has no plan`);
  return { release, plan, former: [{ subset: 'v1' }] };
});

/** Promotes the release by one step: what is woven and compiled changes with it. */
function pass(): PassFigures & { readonly result: unknown } {
  const [release] = releases;
  const [status] = statuses;
  const [own] = routed;
  if (release === undefined || status === undefined || own === undefined) throw new Error('no release');
  collect();
  const before = memory('VmRSS');
  const heap = process.memoryUsage().heapUsed;
  // 5: the peak begins anew (proc(5)).
  writeFileSync('/proc/self/clear_refs', '5');
  const times = [process.threadCpuUsage()];
  const input = { kind: release.kind, ...release.metadata, generation: 1, spec: release.spec };
  const request = { id: 'promote', action: 'promote', by: 'bench' } as const;
  const next = advance(input, status, { ...OBSERVED, request }, START + 60_000);
  times.push(process.threadCpuUsage());
  const plan = next.routes;
  if (plan?.kind !== 'split') throw new Error(`the plan is ${plan?.kind}`);
  const issuing = own === edge ? undefined : edge;
  const woven = weaveRelease({ release, plan, former: [{ subset: 'v1' }], routed: own, issuing, gateways, siblings, companions });
  if (hasErrors(woven.diagnostics)) throw new Error(JSON.stringify(woven.diagnostics.slice(0, 3)));
  times.push(process.threadCpuUsage());
  const served = objects.map(
    (each) => woven.routes.find(({ name }) => name === each.metadata.name && each.kind === 'VirtualService')?.virtualService ?? each,
  );
  const compiled = compileRouting(served);
  times.push(process.threadCpuUsage());
  const peak = memory('VmHWM') - before;
  const spent = times.map(({ user, system }) => (user + system) / 1000);
  const part = (index: number): number => (spent[index + 1] ?? Number.NaN) - (spent[index] ?? Number.NaN);
  const result = { woven, compiled };
  collect();
  const kept = (process.memoryUsage().heapUsed - heap) / 2 ** 20;
  const big = woven.routes.find(({ name }) => name === edge.metadata.name)?.virtualService.spec as { readonly http: readonly unknown[] };
  return { advance: part(0), weave: part(1), compile: part(2), peak, kept, woven: big.http.length, result };
}

const figures: PassFigures[] = [];
for (let index = 0; index < passes; index++) {
  const { result: _, ...taken } = pass();
  figures.push(taken);
}
console.log(JSON.stringify(figures));
