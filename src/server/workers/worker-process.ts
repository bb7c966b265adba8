import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { ClusterEjections } from '../../core/routing/cluster-ejections.ts';
import { PortInUseError } from '../../gateway/port-in-use-error.ts';
import { NODE_FLAGS } from '../node-flags.ts';
import type { EventBatch } from './event-batch.ts';
import type { CallFailure, FromWorker, ToWorker, WorkerCalls, WorkerNote } from './worker-messages.ts';

/** A clone runs its TypeScript as it is, the package its JavaScript. */
const PROGRAM = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './worker-main.ts' : './worker-main.js', import.meta.url));

/** A worker that has not answered after this long never will, in ms: it is ended, and another one takes its place. */
const LONGEST_ANSWER_MS = 30_000;

/** A worker ended before it answered. */
export class WorkerGoneError extends Error {
  override readonly name = 'WorkerGoneError';
}

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** One worker, as the control process sees it. */
export class WorkerProcess {
  /** The objects that it was told last. */
  objects: readonly KubeObject[] = [];
  /** What it told last of its outlier detection. */
  ejections: readonly ClusterEjections[] = [];
  readonly startedAt = performance.now();
  /** Resolves with how it ended: a signal's name, or `exit code N`. */
  readonly ended: Promise<string>;

  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #lastCall = 0;
  #isGone = false;

  /** Starts a process; `onTold` gets what it tells, `onSaid` the lines of its log. */
  constructor(onTold: (batch: EventBatch) => void, onSaid: (note: WorkerNote) => void) {
    const cache = getCompileCacheDir();
    const child = fork(PROGRAM, {
      execArgv: [...NODE_FLAGS],
      // What Node made of the source is kept where bin/perch.js keeps it (Node adds a folder of its own to what it is told).
      env: { ...process.env, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) }) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => {
        const end = (): void => resolve(signal ?? `exit code ${code}`);
        // What it told last may not have been read yet.
        if (child.connected) child.once('disconnect', end);
        else end();
      });
    });
    void this.ended.then((how) => {
      this.#isGone = true;
      for (const { reject } of this.#waiting.values()) reject(new WorkerGoneError(`a worker ended: ${how}`));
      this.#waiting.clear();
    });
    child.on('message', (message: FromWorker) => {
      if (message.type === 'said') onSaid(message.note);
      else if (message.type === 'ejected') this.ejections = message.ejections;
      else if (message.type !== 'told') this.#answered(message);
      else {
        onTold(message.batch);
        this.#send({ type: 'taken', count: message.batch.events.length + message.batch.lines.length });
      }
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Asks the worker for something; rejects with `WorkerGoneError` where it ends before it answers, `PortInUseError`, or what went wrong there. */
  call<Name extends keyof WorkerCalls>(name: Name, ask: WorkerCalls[Name]['ask']): Promise<WorkerCalls[Name]['answer']> {
    if (this.#isGone) return Promise.reject(new WorkerGoneError('a worker ended'));
    const id = ++this.#lastCall;
    const answer = new Promise<WorkerCalls[Name]['answer']>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#send({ type: 'call', id, name, ask });
    if (name === 'close') return answer;
    const timer = setTimeout(() => this.kill(), LONGEST_ANSWER_MS);
    return answer.finally(() => clearTimeout(timer));
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    // A worker that is gone, or that could not be started and has no channel at all, is noticed by its end.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #answered(message: Extract<FromWorker, { readonly id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.answer as never);
    else waiting?.reject(errorOf(message.failure));
  }
}

function errorOf({ message, port }: CallFailure): Error {
  return port === undefined ? new Error(`a worker failed: ${message}`) : new PortInUseError(port.code, port.address, port.port);
}
