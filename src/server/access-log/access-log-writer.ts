import { close as closeFd, constants, fstat, open, stat, write } from 'node:fs';
import { promisify } from 'node:util';

/** Characters that may wait: of a disk or a reader that is slower than the requests, the rest is dropped. */
const MAXIMUM_WAITING = 4 * 1024 * 1024;
/** As many are written at once, sooner than the pause asks for. */
const FULL_BATCH = 64 * 1024;
/** How long a line waits for others at most, ms. */
const PAUSE_MS = 100;
/** How often it is looked whether the file is still the one of that name, ms. */
const LOOK_MS = 1000;
/** How long a full pipe is left alone, ms. */
const RETRY_MS = 20;
/** At most one warning in this time, ms. */
const WARN_MS = 60_000;
/** How long the last lines may take, ms. */
const CLOSE_MS = 2000;
const STDOUT = 1;

const opened = promisify(open);
const closed = promisify(closeFd);
const statOf = promisify(stat);
const fstatOf = promisify(fstat);

/** Where the lines of an access log go. */
export interface AccessLogWriter {
  /** Takes a line, without its end; never waits, never throws. */
  write(line: string): void;
  /** Lines that were given up so far. */
  dropped(): number;
  /** Opens the file of that name anew, as after it was renamed. */
  reopen(): void;
  /** Writes what waits, for 2 s at most. */
  close(): Promise<void>;
}

/**
 * Opens an access log: a file, appended to, or `-` for stdout. Lines are written in batches, on a thread of libuv's, so that a slow disk or a full
 * pipe never holds the gateway up; beyond 4 MiB of waiting lines they are dropped and counted, and `warn` is told once a minute. A file that was
 * renamed or removed is opened anew within a second of the next line. Rejects with the system's error where it cannot be opened.
 */
export async function openAccessLog(target: string, warn: (message: string) => void): Promise<AccessLogWriter> {
  return new Writer(target, await openTarget(target), warn);
}

/** With O_NONBLOCK a FIFO that is full holds no thread, and with it the end of the process; one that nobody reads is an error. */
function openFile(path: string): Promise<number> {
  return opened(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK, 0o640);
}

/** Of stdout into a pipe or a socket Node has a stream that does not wait; a file would be written while everything else waits. */
async function openTarget(target: string): Promise<number | undefined> {
  if (target !== '-') return await openFile(target);
  return (await fstatOf(STDOUT)).isFile() ? STDOUT : undefined;
}

class Writer implements AccessLogWriter {
  readonly #target: string;
  readonly #name: string;
  readonly #warn: (message: string) => void;
  /** Undefined: stdout's stream. */
  #descriptor: number | undefined;
  #waiting: string[] = [];
  #characters = 0;
  #dropped = 0;
  #reported = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = performance.now();
  #reopen = false;
  /** A line that the last batch wrote a part of. */
  #torn = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(target: string, descriptor: number | undefined, warn: (message: string) => void) {
    this.#target = target;
    this.#name = target === '-' ? 'on stdout' : target;
    this.#descriptor = descriptor;
    this.#warn = warn;
  }

  write(line: string): void {
    if (this.#closed || this.#characters + line.length > MAXIMUM_WAITING) {
      this.#drop(1, 'lines come faster than they can be written');
      return;
    }
    this.#waiting.push(line);
    this.#characters += line.length + 1;
    if (this.#characters >= FULL_BATCH) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), PAUSE_MS);
  }

  dropped(): number {
    return this.#dropped;
  }

  reopen(): void {
    this.#reopen = true;
    this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#start();
    let isLate = false;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      isLate = true;
      resolve();
    }, CLOSE_MS);
    // After a batch comes the one of what has come meanwhile.
    while (this.#writing !== undefined && !isLate) await Promise.race([this.#writing, enough]);
    clearTimeout(timer);
    // A batch that is still being written has the descriptor until the process ends.
    if (isLate || this.#descriptor === undefined || this.#descriptor === STDOUT) return;
    await closed(this.#descriptor).catch(() => {});
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0 || this.#reopen) this.#start();
    });
  }

  async #writeAll(): Promise<void> {
    await this.#follow();
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting;
    this.#waiting = [];
    const text = `${this.#torn ? '\n' : ''}${lines.join('\n')}\n`;
    this.#torn = false;
    // What is being written counts as waiting: two batches are never in memory beyond the bound.
    const characters = lines.length + lines.reduce((sum, { length }) => sum + length, 0);
    const bytes = Buffer.from(text);
    const written = await this.#writeBytes(bytes);
    this.#characters -= characters;
    if (written instanceof Error) this.#drop(lines.length, written.message);
  }

  /** Everything, or the error that ended it. */
  async #writeBytes(bytes: Buffer): Promise<Error | undefined> {
    let at = 0;
    while (at < bytes.length) {
      const result = await writeSome(this.#descriptor, bytes, at);
      if (typeof result === 'number') at += result;
      else if (result.code === 'EAGAIN') await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      else {
        this.#torn = at > 0;
        return result;
      }
    }
    return undefined;
  }

  /** The file of that name, if it is another one by now. */
  async #follow(): Promise<void> {
    const former = this.#descriptor;
    if (this.#target === '-' || former === undefined) {
      this.#reopen = false;
      return;
    }
    const now = performance.now();
    if (!this.#reopen && now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    const moved = this.#reopen || (await this.#isMoved(former));
    this.#reopen = false;
    if (!moved) return;
    try {
      const next = await openFile(this.#target);
      this.#descriptor = next;
      this.#torn = false;
      await closed(former);
    } catch (error) {
      this.#tell(`the access log ${this.#name} cannot be opened anew (${(error as Error).message}): the file of before goes on`);
    }
  }

  async #isMoved(descriptor: number): Promise<boolean> {
    try {
      const [named, held] = await Promise.all([statOf(this.#target), fstatOf(descriptor)]);
      return named.ino !== held.ino || named.dev !== held.dev;
    } catch {
      return true;
    }
  }

  #drop(lines: number, why: string): void {
    this.#dropped += lines;
    const since = this.#dropped - this.#reported;
    if (this.#tell(`${since} ${since === 1 ? 'line' : 'lines'} of the access log ${this.#name} were not written: ${why}`)) {
      this.#reported = this.#dropped;
    }
  }

  #tell(message: string): boolean {
    const now = performance.now();
    if (now - this.#warnedAt < WARN_MS) return false;
    this.#warnedAt = now;
    this.#warn(message);
    return true;
  }
}

function writeSome(descriptor: number | undefined, bytes: Buffer, at: number): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    if (descriptor === undefined) process.stdout.write(bytes, (error) => resolve(error ?? bytes.length));
    else write(descriptor, bytes, at, bytes.length - at, null, (error, written) => resolve(error ?? written));
  });
}
