import { BUCKETS, bucketOf, cutoffOf, type Offset } from '../visitor/bucket.ts';
import type { Random } from './random.ts';
import { requestId } from './request-id.ts';
import type { Client, Scheme, SimulatedRequest } from './scheme.ts';

/**
 * Perch's: pins the visitor. A document without an id gets one, its request id, and is routed by it at once; other requests without one are
 * on stable (`issueOn: documents`). With an id: on the canary exactly when bucket < cutoff.
 */
export function visitorScheme(offset: Offset, random: Random): Scheme {
  return () => new IdentifiedClient(offset, random);
}

class IdentifiedClient implements Client {
  readonly #offset: Offset;
  readonly #random: Random;
  #bucket: number | undefined;
  #nextBucket: number | undefined;

  constructor(offset: Offset, random: Random) {
    this.#offset = offset;
    this.#random = random;
  }

  isOnCanary({ weight, isDocument }: SimulatedRequest): boolean {
    const bucket = this.#bucket ?? (isDocument ? this.#issue() : BUCKETS);
    return bucket < cutoffOf(weight);
  }

  keepCookies(): void {
    this.#bucket = this.#nextBucket;
  }

  #issue(): number {
    this.#nextBucket = bucketOf(requestId(this.#random), this.#offset) ?? BUCKETS;
    return this.#nextBucket;
  }
}
