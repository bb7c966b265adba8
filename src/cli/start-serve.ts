import { resolve } from 'node:path';
import { StoreError } from '../cluster/store-errors.ts';
import type { GatewayLimits } from '../gateway/limits.ts';
import { ApiPlaceError } from '../server/access/api-place.ts';
import { applyFiles, type FilesApplied, watchFiles } from '../server/apply-files.ts';
import { coalesced } from '../server/coalesced.ts';
import { asListenError, type ListenError } from '../server/listen-error.ts';
import { skippedNote } from '../server/manifest-files.ts';
import { type Runtime, startRuntime } from '../server/runtime.ts';
import type { RuntimeLog } from '../server/runtime-log.ts';
import { SharedPortsError } from '../server/workers/require-shared-ports.ts';
import { besideAccessLog, openAccessLogOf } from './access-log-option.ts';
import { type ApiPlaceOptions, apiPlaceOf } from './api-place-options.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { perchVersion } from './perch-version.ts';
import { otherPort, portRemedy } from './port-remedy.ts';
import { addressLines } from './reports/address-lines.ts';
import { outcomeText } from './reports/outcome-text.ts';
import { countErrors, printDiagnostics } from './terminal/print-diagnostics.ts';
import type { Terminal } from './terminal/terminal.ts';
import { terminalLog } from './terminal/terminal-log.ts';
import { type TracingOptions, tracingOf } from './tracing-option.ts';

/** Options of `perch serve`, as Commander gives them. */
export interface ServeOptions extends TracingOptions, ApiPlaceOptions {
  readonly file?: readonly string[];
  readonly apiPort: number;
  readonly data: string;
  readonly map: ReadonlyMap<number, number>;
  readonly proxyPort: number | 'off';
  readonly limit: Partial<GatewayLimits>;
  readonly workers: number;
  readonly watch?: true;
  readonly prune?: true;
  readonly accessLog?: string | true;
  readonly credentials?: string;
}

/** A port that is taken, with the option of `perch serve` that moves it. */
function explain(error: ListenError, { apiPort, proxyPort, map }: ServeOptions): CommandError {
  const other = otherPort(error.port);
  if (error.port === apiPort) return portRemedy(error, `perch serve --api-port ${other} ...`);
  if (error.port === proxyPort) return portRemedy(error, `perch serve --proxy-port ${other} ...`);
  const declared = [...map].find(([, actual]) => actual === error.port)?.[0] ?? error.port;
  return portRemedy(error, `perch serve --map ${declared}=${other} ...`);
}

/** Says what an apply of the files did; false where they have errors and nothing was applied. */
function reportApplied(terminal: Terminal, applied: FilesApplied): boolean {
  printDiagnostics(terminal, applied.diagnostics, applied.texts);
  const note = skippedNote(applied.skipped);
  if (note !== undefined) terminal.err(`note: ${note}`);
  for (const outcome of applied.outcomes) if (outcome.result !== 'unchanged') terminal.out(outcomeText(outcome));
  return applied.ok;
}

/** Starts what `perch serve` runs, and says where it listens. Throws CommandError, with nothing left running. */
export async function startServe(context: CliContext, options: ServeOptions): Promise<{ close(): Promise<void> }> {
  const terminal = besideAccessLog(options.accessLog, context.terminal);
  const files = options.file ?? [];
  const prune = options.prune === true;
  const apiPlace = apiPlaceOf(options);
  const toTerminal = terminalLog(terminal);
  let isStarted = false;
  // What is opened at the start is listed at its end.
  const log: RuntimeLog = { ...toTerminal, info: (message) => isStarted && toTerminal.info(message) };
  const tracing = tracingOf(options, context);
  const accessLog = await openAccessLogOf(options.accessLog, context);
  let runtime: Runtime | undefined;
  let stopWatching = (): void => {};
  const close = async (): Promise<void> => {
    stopWatching();
    await runtime?.close();
    await accessLog?.close();
  };

  try {
    const started = await startRuntime({
      dataDir: options.data,
      apiPort: options.apiPort,
      apiPlace,
      map: options.map,
      limits: options.limit,
      workers: options.workers,
      ...(options.proxyPort === 'off' ? {} : { proxyPort: options.proxyPort }),
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      ...(accessLog === undefined ? {} : { accessLog }),
      ...(tracing === undefined ? {} : { tracing }),
      log,
    });
    runtime = started;
    if (files.length > 0) {
      const applied = await applyFiles(started.store, files, { prune });
      if (!reportApplied(terminal, applied)) throw new CommandError(`${countErrors(applied.diagnostics)}; nothing was applied`);
    }
    await started.served(started.store.revision());
    if (options.watch === true && files.length > 0) {
      const reapply = async (): Promise<void> => {
        const applied = await applyFiles(started.store, files, { prune });
        if (!reportApplied(terminal, applied)) terminal.err(`${countErrors(applied.diagnostics)}; what was applied before stays`);
      };
      const onError = (error: unknown): void =>
        log.error(`the files could not be applied again: ${error instanceof Error ? error.message : String(error)}`, error);
      stopWatching = await watchFiles(files, coalesced(reapply, onError), onError);
    }
    terminal.out(`perch ${perchVersion()} serves, Ctrl-C ends it`);
    terminal.out(`  data      ${resolve(options.data)}`);
    terminal.out(`  dashboard ${started.apiOrigin}`);
    terminal.out(`  API       ${started.apiOrigin}/api/v1/releases`);
    for (const line of addressLines(started.addresses())) terminal.out(`  ${line}`);
    isStarted = true;
    return {
      close: async () => {
        terminal.out('perch ends when requests in flight are answered; another Ctrl-C or SIGTERM ends it at once');
        await close();
      },
    };
  } catch (error) {
    await close();
    const listenError = asListenError(error);
    if (listenError !== undefined) throw explain(listenError, options);
    if (error instanceof ApiPlaceError) throw new CommandError(`${error.message} (${error.code})`);
    if (error instanceof SharedPortsError) throw new CommandError(`--workers ${options.workers} cannot be: ${error.message}; leave it out`);
    if (error instanceof StoreError) throw new CommandError(error.message);
    throw error;
  }
}
