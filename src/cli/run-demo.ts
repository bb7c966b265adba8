import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../cluster/store-errors.ts';
import { type Diagnostic, hasErrors } from '../core/diagnostics/diagnostic.ts';
import { BOOKINFO_PORTS, FREE_PORTS, startBookinfo, type Workload } from '../demo/bookinfo/start-bookinfo.ts';
import { type AffinityMode, ARTICLE_COOKIE, demoManifests } from '../demo/demo-manifests.ts';
import { startVisitors } from '../demo/visitors.ts';
import { asListenError, type ListenError } from '../server/listen-error.ts';
import { readManifestFiles } from '../server/manifest-files.ts';
import { type Runtime, startRuntime } from '../server/runtime.ts';
import { openAccessLogOf } from './access-log-option.ts';
import { ApiClient } from './api-client.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { perchVersion } from './perch-version.ts';
import { otherPort, portRemedy } from './port-remedy.ts';
import { demoBanner } from './reports/demo-banner.ts';
import { DEFAULT_SERVER } from './target-choice.ts';
import { printDiagnostics } from './terminal/print-diagnostics.ts';
import { terminalLog } from './terminal/terminal-log.ts';
import { type TracingOptions, tracingOf } from './tracing-option.ts';
import { openReleaseScreen } from './watching/release-screen.ts';
import { watchReleases } from './watching/watch-releases.ts';

/** Options of `perch demo`, as Commander gives them. */
export interface DemoOptions extends TracingOptions {
  readonly apiPort: number;
  readonly gatewayPort: number;
  readonly data?: string;
  /** A duration, as CanaryRelease writes them, or `manual`. */
  readonly hold?: string;
  /** False: `--no-visitors`. */
  readonly visitors: number | false;
  readonly mode: AffinityMode;
  readonly accessLog?: string;
}

/** Beside src/ in a clone, beside dist/ in the package. */
const EXAMPLE = fileURLToPath(new URL('../../examples/bookinfo', import.meta.url));
/** Ports that the example's files declare. */
const INGRESS_PORT = 8080;
const MESH_PORT = 9080;
/** Requests in flight at the end are the demo's own; nobody waits for them long. */
const GRACE_MS = 500;

type Closer = () => Promise<unknown> | unknown;

/** How this demo was started, to be typed again with another option. */
function howStarted({ environment }: CliContext): string {
  return environment['npm_lifecycle_event'] === 'demo' ? 'npm run demo --' : 'npx perch demo';
}

function explain(error: ListenError, context: CliContext, { apiPort }: DemoOptions): CommandError {
  const option = error.port === apiPort ? '--api-port' : '--gateway-port';
  return portRemedy(error, `${howStarted(context)} ${option} ${otherPort(error.port)}`);
}

/** Applies examples/bookinfo with the ports of this run, and waits until the gateway serves it. */
async function applyExample(
  context: CliContext,
  runtime: Runtime,
  ports: Readonly<Record<Workload, number>>,
  options: DemoOptions,
): Promise<void> {
  const files = await readManifestFiles([EXAMPLE]);
  const moved = new Map((Object.keys(BOOKINFO_PORTS) as Workload[]).map((workload) => [BOOKINFO_PORTS[workload], ports[workload]]));
  const objects = demoManifests(
    files.objects.map(({ object }) => object),
    { ports: moved, mode: options.mode, ...(options.hold === undefined ? {} : { hold: options.hold }) },
  );
  const refuse = (diagnostics: readonly Diagnostic[], why: string): never => {
    printDiagnostics(context.terminal, diagnostics, files.texts);
    throw new CommandError(why);
  };
  const broken = `the demo's own files in ${EXAMPLE} have errors`;
  if (hasErrors(files.diagnostics)) refuse(files.diagnostics, broken);
  const result = await runtime.store.apply('files', objects);
  if (!result.ok) {
    const { data } = options;
    const kept = `the release kept in ${data} does not allow it: start the demo with the options of before, or with another folder`;
    return refuse(result.diagnostics, data === undefined ? broken : kept);
  }
  await runtime.served(result.revision);
}

/** Runs the demo until its user ends it; leaves nothing behind but `--data`. */
export async function runDemo(context: CliContext, options: DemoOptions): Promise<void> {
  const { terminal, signal } = context;
  const closers: Closer[] = [];
  try {
    const dataDir = options.data ?? (await mkdtemp(join(tmpdir(), 'perch-demo-')));
    if (options.data === undefined) closers.push(() => rm(dataDir, { recursive: true, force: true }));

    const tracing = tracingOf(options, context);
    const accessLog = await openAccessLogOf(options.accessLog, context);
    closers.push(() => accessLog?.close());
    let print = terminal.err;
    const { warn, error } = terminalLog({ ...terminal, err: (text) => print(text) });
    const runtime = await startRuntime({
      dataDir,
      apiPort: options.apiPort,
      map: new Map([
        [INGRESS_PORT, options.gatewayPort],
        [MESH_PORT, 0],
      ]),
      proxyPort: 0,
      ...(accessLog === undefined ? {} : { accessLog }),
      ...(tracing === undefined ? {} : { tracing }),
      // What the runtime does is on the screen already.
      log: { info: () => {}, audit: () => {}, warn, error },
    });
    closers.push(() => runtime.close(GRACE_MS));

    const api = `http://127.0.0.1:${runtime.apiPort}`;
    const proxyPort = runtime.addresses().find((address) => address.kind === 'proxy')?.actualPort;
    const proxy = proxyPort === undefined ? undefined : { host: '127.0.0.1', port: proxyPort };
    const bookinfo = await startBookinfo({
      ports: FREE_PORTS,
      proxy,
      perchApi: api,
      ...(options.mode === 'canaryOnly' && { canaryCookie: ARTICLE_COOKIE.name }),
    });
    closers.push(() => bookinfo.close());
    await applyExample(context, runtime, bookinfo.ports, options);

    const gatewayPort = runtime.addresses().find((address) => address.kind === 'ingress')?.actualPort ?? options.gatewayPort;
    const count = options.visitors === false ? 0 : options.visitors;
    if (count > 0) {
      const visitors = startVisitors({ url: `http://127.0.0.1:${gatewayPort}/productpage`, count });
      closers.push(() => visitors.close());
    }

    const isDefaultApi = DEFAULT_SERVER.endsWith(`:${runtime.apiPort}`);
    const facts = { version: perchVersion(), gatewayPort, apiPort: runtime.apiPort, isDefaultApi, visitors: count, mode: options.mode };
    const screen = openReleaseScreen(terminal, demoBanner(facts, terminal.style), 'starting');
    closers.push(() => screen.close());
    print = (text) => screen.print(text);
    await watchReleases(new ApiClient(api, signal), screen, { namespace: undefined }, signal);
  } catch (error) {
    const listenError = asListenError(error);
    if (listenError !== undefined) throw explain(listenError, context, options);
    if (error instanceof StoreError) throw new CommandError(error.message);
    throw error;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
