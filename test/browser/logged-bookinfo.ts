import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOOKINFO_PORTS, FREE_PORTS, startBookinfo, type Workload } from '../../src/demo/bookinfo/start-bookinfo.ts';
import { demoManifests } from '../../src/demo/demo-manifests.ts';
import { readManifestFiles } from '../../src/server/manifest-files.ts';
import { type Runtime, startRuntime } from '../../src/server/runtime.ts';

/** What is read of a line of the gateway's access log. */
export interface LoggedRequest {
  readonly path: string;
  readonly response_code: number;
  readonly user_agent: string | null;
  /** The rule that took it: of a woven one, role and cohort stand in its name. */
  readonly route_name: string | null;
  readonly upstream_cluster: string | null;
}

/** Bookinfo and its release at 50 %, with the gateway's own record of who went where. */
export interface LoggedBookinfo {
  /** Address of the product page. */
  readonly page: string;
  /** Everything that was logged so far, at the ingress and inside the mesh. */
  readonly log: readonly LoggedRequest[];
  close(): Promise<void>;
}

const EXAMPLE = fileURLToPath(new URL('../../examples/bookinfo', import.meta.url));
const SILENT = { info: () => {}, warn: () => {}, audit: () => {}, error: () => {} };
const RELEASE = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };

/** Starts examples/bookinfo in this process. */
export async function startLoggedBookinfo(): Promise<LoggedBookinfo> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const dataDir = await mkdtemp(join(tmpdir(), 'perch-browser-'));
    closers.push(() => rm(dataDir, { recursive: true, force: true }));
    const log: LoggedRequest[] = [];
    const map = new Map([
      [8080, 0],
      [9080, 0],
    ]);
    const accessLog = { write: (line: string) => void log.push(JSON.parse(line) as LoggedRequest), dropped: () => 0 };
    const runtime = await startRuntime({ dataDir, apiPort: 0, map, proxyPort: 0, accessLog, log: SILENT });
    closers.push(() => runtime.close(0));
    const portOf = (kind: 'proxy' | 'ingress'): number => runtime.addresses().find((address) => address.kind === kind)?.actualPort ?? 0;
    const bookinfo = await startBookinfo({ ports: FREE_PORTS, proxy: { host: '127.0.0.1', port: portOf('proxy') }, perchApi: undefined });
    closers.push(() => bookinfo.close());
    await applyAtHalf(runtime, bookinfo.ports);
    return { page: `http://localhost:${portOf('ingress')}/productpage`, log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function applyAtHalf(runtime: Runtime, workloads: Readonly<Record<Workload, number>>): Promise<void> {
  const { objects } = await readManifestFiles([EXAMPLE]);
  const ports = new Map((Object.keys(BOOKINFO_PORTS) as Workload[]).map((workload) => [BOOKINFO_PORTS[workload], workloads[workload]]));
  const manifests = demoManifests(
    objects.map(({ object }) => object),
    { ports },
  ).map((object) => (object.kind === RELEASE.kind ? { ...object, spec: { ...(object.spec as object), steps: AT_HALF } } : object));
  const applied = await runtime.store.apply('files', manifests);
  if (!applied.ok) throw new Error(applied.diagnostics.map(({ message }) => message).join('\n'));
  const deadline = Date.now() + 20_000;
  for (;;) {
    // Paused: the routes of the manual step are in force.
    const status = (await runtime.store.get(RELEASE))?.status;
    if (status?.phase === 'Paused') return;
    if (Date.now() > deadline) throw new Error(`the release has not come to 50 %: ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const AT_HALF = [
  { weight: 50, hold: 'manual' },
  { weight: 100, hold: 'manual' },
];
