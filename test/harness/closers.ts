/** What has to be ended, one way or the other. */
type Running = { close(): Promise<unknown> } | { stop(): Promise<unknown> };

/** Keeps what was started, to end it in the other order: also where only a part of it could be started. */
export class Closers {
  readonly #running: Running[] = [];

  keep<Part extends Running>(part: Part): Part {
    this.#running.push(part);
    return part;
  }

  /** Ends all of it; whoever was ended already is ended again. */
  async close(): Promise<void> {
    for (const part of this.#running.splice(0).reverse()) await ('close' in part ? part.close() : part.stop());
  }
}
