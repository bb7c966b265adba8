/** How many event streams are open at a time: each is told of every change, and keeps a connection. */
export class StreamSlots {
  readonly most: number;
  #taken = 0;

  constructor(most = 64) {
    this.most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** The way to give the slot back, to be called once; undefined where there is none left. */
  take(): (() => void) | undefined {
    if (this.#taken >= this.most) return undefined;
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
    };
  }
}
