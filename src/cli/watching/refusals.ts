import { NotAllowedError } from '../command-error.ts';

/** An apiserver that has just started refuses everyone until it has read the roles: for so long, in ms, a refusal may pass. */
const PASSING_MS = 30_000;

/** Tells refusals that last from those of an apiserver that is starting. */
export class Refusals {
  #isAllowed: boolean;
  #since: number | undefined;

  /** `isAllowed`: whether the one who asks was let in already. */
  constructor(isAllowed: boolean) {
    this.#isAllowed = isAllowed;
  }

  /** What was asked for was answered. */
  allowed(): void {
    this.#isAllowed = true;
    this.#since = undefined;
  }

  /** Throws an error that is a refusal, where it is not one that passes. */
  take(error: unknown): void {
    if (!(error instanceof NotAllowedError)) return;
    this.#since ??= performance.now();
    if (!this.#isAllowed || performance.now() - this.#since > PASSING_MS) throw error;
  }
}
