/** Times in ms. */
interface BackoffOptions {
  readonly first: number;
  readonly longest: number;
  /** After so long without a failure it begins anew. */
  readonly calm: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/** As client-go's reflector has it (k8s.io/client-go, tools/cache/reflector.go NewReflectorWithOptions), jitter included. */
export const REFLECTOR_BACKOFF = { first: 800, longest: 30_000, calm: 120_000 } as const;

/** How long to wait after each of several failures: twice as long each time, up to a limit, and up to as long again, so that not all ask at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #next: number;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#next = options.first;
  }

  /** The wait after one more failure, in ms; never under `atLeast`, which a server may ask for. */
  afterFailure(atLeast = 0): number {
    const { first, longest, calm, random, now } = this.#options;
    if (now() - this.#failedAt > calm) this.#next = first;
    this.#failedAt = now();
    const wait = this.#next * (1 + random());
    this.#next = Math.min(this.#next * 2, longest);
    return Math.max(atLeast, wait);
  }
}
