/** Calls `run` once after `ms`; returns the way to call it off. */
export type Schedule = (ms: number, run: () => void) => () => void;

/** The work of a queue, and its pace; `reconcile` and `onError` alone have no default. */
export interface WorkQueueOptions {
  /**
   * One pass over one key, which has waited so many milliseconds for a worker. What it resolves to is when it wants the next one, in
   * milliseconds; undefined: only when `add` says so; `again`: it was too late, and comes at once, the next times in a row after a back-off.
   * Where it rejects, the key comes again after a back-off.
   */
  readonly reconcile: (key: string, waitedMs: number) => Promise<number | 'again' | undefined>;
  /** Told of each rejection; `failures` counts those in a row, this one included. */
  readonly onError: (key: string, error: unknown, failures: number) => void;
  /** Passes that may run at once, each over another key. */
  readonly workers?: number;
  /** Milliseconds before the second try, doubled for each further one. */
  readonly baseDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Milliseconds that whoever failed asked to be left alone: no pass over the key begins before, whatever adds it. */
  readonly leastDelayMs?: (error: unknown) => number;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
  readonly schedule?: Schedule;
}

/** How much a queue has to do now. */
export interface QueueLoad {
  /** Keys that wait for a worker; those whose time has not come are not counted. */
  readonly waiting: number;
  /** Passes that run. */
  readonly running: number;
}

/**
 * Keys that wait for a pass, with the semantics of client-go's rate limiting work queue: a key waits once however often it is added;
 * never two passes over one key at a time; a key added during its pass gets another one after it.
 */
export interface WorkQueue {
  /** As soon as a worker is free. */
  add(key: string): void;
  /** As soon as a worker is free and nothing waits that was added otherwise: for keys that are only looked at in case, of which there may be thousands. */
  addBehind(key: string): void;
  /** After `ms` at the latest: of several times asked for, the earliest counts. */
  addAfter(key: string, ms: number): void;
  load(): QueueLoad;
  /** Starts no further pass; resolves when those that run have ended. */
  shutDown(): Promise<void>;
}

/** The longest delay of a timer in Node and browsers. To wake earlier than asked is harmless: the pass finds nothing to do. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const timer: Schedule = (ms, run) => {
  const handle = setTimeout(run, ms);
  return () => clearTimeout(handle);
};

/** A queue that works at once: passes start when the event loop comes round after an `add`. */
export function startWorkQueue(options: WorkQueueOptions): WorkQueue {
  return new KeyedQueue(options);
}

class KeyedQueue implements WorkQueue {
  readonly #options: Required<WorkQueueOptions>;
  /** Keys to work on, in the order in which they came, and when they did. */
  readonly #ready = new Map<string, number>();
  /** The same for those that are to wait behind them. */
  readonly #behind = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #delayed = new Map<string, { readonly at: number; readonly cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #repeats = new Map<string, number>();
  /** When keys may be worked on again of which somebody asked to be left alone. */
  readonly #restsUntil = new Map<string, number>();
  #isDown = false;
  #onIdle: (() => void) | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = {
      workers: 4,
      baseDelayMs: 50,
      maxDelayMs: 30_000,
      leastDelayMs: () => 0,
      random: Math.random,
      now: () => performance.now(),
      schedule: timer,
      ...options,
    };
  }

  add(key: string): void {
    if (this.#isDown || this.#ready.has(key) || this.#isResting(key)) return;
    this.#ready.set(key, this.#behind.get(key) ?? this.#options.now());
    this.#behind.delete(key);
    this.#startSoon();
  }

  addBehind(key: string): void {
    if (this.#isDown || this.#ready.has(key) || this.#behind.has(key) || this.#isResting(key)) return;
    this.#behind.set(key, this.#options.now());
    this.#startSoon();
  }

  addAfter(key: string, ms: number): void {
    if (this.#isDown) return;
    const delay = Math.min(Math.ceil(Math.max(0, ms, this.#restOf(key))), MAX_TIMEOUT_MS);
    const at = this.#options.now() + delay;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined && waiting.at <= at) return;
    waiting?.cancel();
    const cancel = this.#options.schedule(delay, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { at, cancel });
  }

  load(): QueueLoad {
    return { waiting: this.#ready.size + this.#behind.size, running: this.#running.size };
  }

  async shutDown(): Promise<void> {
    this.#isDown = true;
    this.#ready.clear();
    this.#behind.clear();
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    if (this.#running.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const former = this.#onIdle;
    this.#onIdle = () => {
      former?.();
      resolve();
    };
    await promise;
  }

  /**
   * Not at once: whoever adds is in the middle of something, and may add the key again before it is done. And not in a microtask: keys that
   * keep adding themselves, or many that wait, must not keep sockets from being served.
   */
  #startSoon(): void {
    setImmediate(() => this.#startPasses());
  }

  #startPasses(): void {
    for (const waiting of [this.#ready, this.#behind]) {
      for (const [key, since] of waiting) {
        if (this.#running.size >= this.#options.workers) return;
        if (this.#running.has(key)) continue;
        waiting.delete(key);
        this.#running.add(key);
        void this.#pass(key, this.#options.now() - since);
      }
    }
  }

  async #pass(key: string, waitedMs: number): Promise<void> {
    try {
      const next = await this.#options.reconcile(key, waitedMs);
      this.#failures.delete(key);
      if (next === 'again') this.#repeat(key);
      else {
        this.#repeats.delete(key);
        if (next !== undefined) this.addAfter(key, next);
      }
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#rest(key, this.#options.leastDelayMs(error));
      this.addAfter(key, this.#backOff(failures));
      this.#options.onError(key, error, failures);
    } finally {
      this.#running.delete(key);
      this.#startSoon();
      if (this.#running.size === 0) this.#onIdle?.();
    }
  }

  /** What was added while it was worked on waits, too. */
  #rest(key: string, ms: number): void {
    if (ms <= 0) return;
    this.#restsUntil.set(key, this.#options.now() + ms);
    this.#ready.delete(key);
    this.#behind.delete(key);
  }

  #restOf(key: string): number {
    return (this.#restsUntil.get(key) ?? 0) - this.#options.now();
  }

  /** Whether it is added when its rest is over. */
  #isResting(key: string): boolean {
    if (!this.#restsUntil.has(key)) return false;
    if (this.#restOf(key) > 0) {
      this.addAfter(key, 0);
      return true;
    }
    this.#restsUntil.delete(key);
    return false;
  }

  /** What it was too late for may not be known here yet: to ask on and on would only be too late again. */
  #repeat(key: string): void {
    const repeats = (this.#repeats.get(key) ?? 0) + 1;
    this.#repeats.set(key, repeats);
    this.addAfter(key, repeats === 1 ? 0 : this.#backOff(repeats - 1));
  }

  /** Between half of the doubled delay and all of it, so that keys that failed together do not come back together. */
  #backOff(failures: number): number {
    const { baseDelayMs, maxDelayMs, random } = this.#options;
    return Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures - 1, 30)) * (0.5 + random() / 2);
  }
}
