interface Kept<Value> {
  readonly value: Promise<Value>;
  /** By the clock that was given. */
  readonly until: number;
}

/** Answers that hold for a while: of the same question at the same time only one is asked. Failures are not kept. */
export class Remembered<Value> {
  readonly #ttlMs: number;
  readonly #most: number;
  readonly #now: () => number;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept<Value>>();

  /** `now`: a monotonic clock, in ms. */
  constructor(ttlMs: number, most: number, now: () => number) {
    this.#ttlMs = ttlMs;
    this.#most = most;
    this.#now = now;
  }

  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const now = this.#now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > now) return kept.value;
    this.#kept.delete(key);
    const asked = { value: ask(), until: now + this.#ttlMs };
    this.#kept.set(key, asked);
    asked.value.catch(() => {
      if (this.#kept.get(key) === asked) this.#kept.delete(key);
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
    return asked.value;
  }
}
