// An embedded runtime with an estate of releases in a process of its own, started by start-estate.ts; prints what it is at as lines of JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { KIND } from '../../src/core/release/canary-release.ts';
import { startRuntime } from '../../src/server/runtime.ts';
import { EDGE_PORT, estate, SERVICE_PORT } from './estate.ts';

/** What runtime.ts is told, as one argument of JSON. */
export interface EstateOptions {
  readonly dataDir: string;
  readonly releases: number;
  /** The port of all endpoints. */
  readonly endpoints: number;
  /** How often endpoints are checked; absent: by default. */
  readonly interval?: string;
}

/** What it prints; `ms` since the runtime was asked to start, `at` on the machine's monotonic clock, in ms. */
export type EstateLine =
  | { readonly kind: 'applied'; readonly ms: number }
  | { readonly kind: 'started'; readonly ms: number; readonly apiPort: number; readonly edgePort: number }
  /** What was written, or which revision is served. */
  | { readonly kind: 'change'; readonly at: number; readonly what: 'release' | 'routes' | 'served' };

function tell(line: EstateLine): void {
  console.log(JSON.stringify(line));
}

const options = JSON.parse(process.argv[2] ?? '') as EstateOptions;
const quiet = (): void => undefined;
const began = performance.now();
const { store, apiPort, addresses, served } = await startRuntime({
  dataDir: options.dataDir,
  apiPort: 0,
  map: new Map([
    [EDGE_PORT, 0],
    [SERVICE_PORT, 0],
  ]),
  log: { info: quiet, warn: quiet, audit: quiet, error: (message) => console.error(message) },
});

if ((await store.list(KIND)).length === 0) {
  const { releases, endpoints, interval } = options;
  const applied = await store.apply('bench', estate(releases, endpoints, interval));
  if (!applied.ok) throw new Error(JSON.stringify(applied.diagnostics.slice(0, 3)));
  tell({ kind: 'applied', ms: performance.now() - began });
}
for (;;) {
  const releases = await store.list(KIND);
  const ended = releases.find(({ status }) => status?.phase === 'RolledBack');
  if (ended !== undefined) throw new Error(`${ended.ref.name}: ${ended.status?.message}`);
  // Those that have ended are on no step.
  if (releases.every(({ status }) => status?.stepStartedAt !== undefined || status?.phase === 'Succeeded')) break;
  await sleep(100);
}
await served(store.revision());
const edgePort = addresses().find(({ kind }) => kind === 'ingress')?.actualPort ?? 0;
const clock = (): number => Number(process.hrtime.bigint()) / 1e6;
store.watch((refs) => tell({ kind: 'change', at: clock(), what: refs.some(({ kind }) => kind !== KIND) ? 'routes' : 'release' }));
store.onServed(() => tell({ kind: 'change', at: clock(), what: 'served' }));
tell({ kind: 'started', ms: performance.now() - began, apiPort, edgePort });
