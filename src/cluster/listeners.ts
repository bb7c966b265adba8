/**
 * Listeners that are told of things in the order in which they happened: what a listener causes while it is being told is told after
 * it, to all. A listener that throws does not keep the others from hearing; its error goes to `onError`.
 */
export class Listeners<Args extends readonly unknown[]> {
  readonly #listeners = new Set<{ readonly call: (...args: Args) => void }>();
  readonly #waiting: Args[] = [];
  readonly #onError: (error: unknown) => void;
  #telling = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a listener; returns the way to remove it. The same function added twice is called twice. */
  add(call: (...args: Args) => void): () => void {
    const entry = { call };
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Tells every listener now, or, from within a listener, once the current round is over. */
  notify(...args: Args): void {
    this.#waiting.push(args);
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#tell(next);
    } finally {
      this.#telling = false;
    }
  }

  #tell(args: Args): void {
    for (const entry of [...this.#listeners]) {
      // Removed by a listener that ran before it in this round.
      if (!this.#listeners.has(entry)) continue;
      try {
        entry.call(...args);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
