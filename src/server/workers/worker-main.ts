// A gateway in a process of its own, started by worker-process.ts. It listens at ports that it shares with others, serves the routes that it
// compiles from the objects it is told, and ends with the process that started it.
import type { KubeObject } from '../../core/istio/resources.ts';
import { RoutingCompiler } from '../../core/routing/compile.ts';
import type { Endpoint, RouteTable } from '../../core/routing/selection.ts';
import { type PreparedTable, type RunningGateway, startGateway } from '../../gateway/gateway.ts';
import { PortInUseError } from '../../gateway/port-in-use-error.ts';
import type { VisitorIdNames } from '../visitor-id-names.ts';
import { EventOutbox } from './event-outbox.ts';
import { applyChanges } from './object-changes.ts';
import type { CallFailure, FromWorker, OpenPorts, ToWorker, WorkerCalls, WorkerOptions } from './worker-messages.ts';

/** Requests wait no longer than this for the others' sake, in ms: traffic does not depend on the control process. */
const LONGEST_HOLD_MS = 250;

/** How often it is looked whether outlier detection did something, in ms. */
const EJECTIONS_MS = 500;

function tell(message: FromWorker, sent: () => void = () => {}): void {
  // Without a callback, a channel that has just closed would throw.
  process.send?.(message, undefined, undefined, sent);
}

class Worker {
  readonly #outbox = new EventOutbox((batch) => tell({ type: 'told', batch }));
  readonly #compiler = new RoutingCompiler();
  readonly #ports = new Map<string, number>();
  #gateway: RunningGateway | undefined;
  #objects: readonly KubeObject[] = [];
  #idNames: VisitorIdNames = { cookies: [], headers: [] };
  #table: RouteTable | undefined;
  #prepared: PreparedTable | undefined;
  #holding: NodeJS.Timeout | undefined;
  #isClosing = false;
  #toldEjections = '[]';

  taken(count: number): void {
    this.#outbox.taken(count);
  }

  /** The control process is gone. */
  orphaned(): void {
    if (this.#isClosing) process.exit(1);
    void this.close({ graceMs: undefined }).finally(() => process.exit(1));
  }

  async start({ map, proxyPort, limits, credentials, accessLog, traceShare }: WorkerOptions): Promise<null> {
    // The proxy's port is opened with the first table: which one it is may be another worker's choice.
    this.#gateway = await startGateway({
      observe: (event) => this.#outbox.addEvent(event, this.#idNames),
      ...(accessLog ? { accessLog: (line: string) => this.#outbox.addLine(line) } : {}),
      ...(traceShare === undefined ? {} : { traceShare }),
      map: new Map(map),
      ...(proxyPort === undefined ? {} : { proxyPort }),
      ...(credentials === undefined ? {} : { credentials }),
      log: {
        info: (line) => tell({ type: 'said', note: { level: 'info', line } }),
        warn: (line) => tell({ type: 'said', note: { level: 'warn', line } }),
      },
      limits,
      sharedPorts: this.#ports,
    });
    setInterval(() => this.#tellEjections(), EJECTIONS_MS).unref();
    return null;
  }

  async compile({ changes, delegates, idNames }: WorkerCalls['compile']['ask']): Promise<WorkerCalls['compile']['answer']> {
    this.#objects = applyChanges(this.#objects, changes);
    this.#idNames = idNames;
    const { table, diagnostics } = this.#compiler.compile(this.#objects, new Set(delegates));
    this.#table = table;
    return { diagnostics };
  }

  async open({ ports }: { readonly ports: OpenPorts }): Promise<WorkerCalls['open']['answer']> {
    this.#ports.clear();
    for (const [key, port] of ports) this.#ports.set(key, port);
    await this.abandon();
    if (this.#table === undefined) throw new Error('there is no table to open');
    const prepared = await this.#running().prepare(this.#table);
    if (this.#isClosing) {
      // Nobody would commit it any more, and the gateway does not close before that is settled.
      await prepared.abandon();
      throw new Error('the worker ends');
    }
    this.#prepared = prepared;
    return { ports: [...prepared.ports] };
  }

  async avoid(unhealthy: readonly Endpoint[]): Promise<null> {
    this.#running().avoid(unhealthy);
    return null;
  }

  async hold(): Promise<null> {
    this.#running().hold();
    this.#holding = setTimeout(() => this.#release(), LONGEST_HOLD_MS);
    this.#outbox.flush();
    return null;
  }

  async serve(): Promise<WorkerCalls['serve']['answer']> {
    this.#prepared?.commit();
    this.#prepared = undefined;
    this.#release();
    return { addresses: this.#running().addresses() };
  }

  async abandon(): Promise<null> {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    await prepared?.abandon();
    this.#release();
    return null;
  }

  async close({ graceMs }: { readonly graceMs: number | undefined }): Promise<null> {
    this.#isClosing = true;
    await this.abandon();
    await this.#gateway?.close(graceMs);
    this.#tellEjections();
    this.#outbox.flush();
    return null;
  }

  #tellEjections(): void {
    const ejections = this.#gateway?.ejections() ?? [];
    const text = JSON.stringify(ejections);
    if (text === this.#toldEjections) return;
    this.#toldEjections = text;
    tell({ type: 'ejected', ejections });
  }

  #running(): RunningGateway {
    if (this.#gateway === undefined) throw new Error('the worker was not started');
    return this.#gateway;
  }

  #release(): void {
    clearTimeout(this.#holding);
    this.#gateway?.release();
  }
}

const worker = new Worker();

function failureOf(error: unknown): CallFailure {
  if (error instanceof PortInUseError) {
    const { code, address, port } = error;
    return { message: error.message, port: { code, address, port } };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

async function answer(id: number, name: keyof WorkerCalls, ask: unknown): Promise<void> {
  try {
    // Both ends are this program: what `ask` is follows from the name.
    const call = worker[name] as (this: Worker, ask: unknown) => Promise<unknown>;
    const done = await call.call(worker, ask);
    tell({ type: 'answer', id, answer: done }, name === 'close' ? () => process.exit(0) : undefined);
  } catch (error) {
    tell({ type: 'failed', id, failure: failureOf(error) });
  }
}

process.on('message', (message: ToWorker) => {
  if (message.type === 'taken') worker.taken(message.count);
  else void answer(message.id, message.name, message.ask);
});
process.on('disconnect', () => worker.orphaned());
// A terminal signals the whole group, a service manager may signal all: when to drain is the control process's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
