/** It begins so long after it is asked for, in ms, */
const DELAY_MS = 50;
/** and takes one part of the time in so many at the most. */
const SHARE = 20;

/**
 * Work that costs the more the more there is, and that thousands of changes ask for: it is done once for all that ask meanwhile, soon where it is quick,
 * and for no more than a small part of the time where it is not.
 */
export class SparingTask {
  readonly #work: () => void | Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;
  #notBefore = 0;
  #isStopped = false;

  /** `work` must not fail. */
  constructor(work: () => void | Promise<void>) {
    this.#work = work;
  }

  ask(): void {
    if (this.#isStopped) return;
    if (this.#running !== undefined) this.#isAskedAgain = true;
    else this.#timer ??= setTimeout(() => this.#run(), Math.max(DELAY_MS, this.#notBefore - performance.now()));
  }

  /** What was asked for is not done; resolves once what is being done is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #run(): void {
    this.#timer = undefined;
    const began = performance.now();
    const end = (): void => {
      this.#running = undefined;
      this.#notBefore = began + (performance.now() - began) * SHARE;
      if (!this.#isAskedAgain) return;
      this.#isAskedAgain = false;
      this.ask();
    };
    const work = this.#work();
    if (work === undefined) end();
    else this.#running = work.then(end);
  }
}
