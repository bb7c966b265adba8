import type { Random } from './random.ts';
import type { Client, Scheme, SimulatedRequest } from './scheme.ts';

/** For how long a browser keeps an outcome, in ms. */
export interface OutcomeCookies {
  readonly canaryMs: number;
  /** Absent where the stable version sets no cookie: its visitors are drawn again at each request. */
  readonly stableMs?: number;
}

/** Max-Age of the article's cookie: 21,600 s. */
export const ARTICLE_COOKIES: OutcomeCookies = { canaryMs: 6 * 3_600_000 };

/** The default `maxAge` of Flagger's `sessionAffinity`: 86,400 s (pkg/apis/flagger/v1beta1/canary.go of 1.44). */
const FLAGGER_CANARY_MS = 86_400_000;

/** Flagger's `sessionAffinity` with a `cookieName` alone. */
export const FLAGGER_COOKIES: OutcomeCookies = { canaryMs: FLAGGER_CANARY_MS };

/** Flagger's with a `primaryCookieName` too, whose Max-Age is the analysis interval in whole seconds (pkg/router/istio.go of 1.44). */
export function flaggerPrimaryCookies(intervalMs: number): OutcomeCookies {
  return { canaryMs: FLAGGER_CANARY_MS, stableMs: Math.floor(intervalMs / 1000) * 1000 };
}

/**
 * Pins the outcome. Rules in this order: the canary's cookie, canary; the stable version's, stable; everyone else is drawn at the weight
 * of the moment, and the answer sets the cookie of the outcome. A cookie that was held is not renewed. Before the release there are no rules.
 */
export function outcomeScheme({ canaryMs, stableMs = 0 }: OutcomeCookies, random: Random): Scheme {
  return () => new DrawnClient(canaryMs, stableMs, random);
}

class DrawnClient implements Client {
  readonly #canaryMs: number;
  readonly #stableMs: number;
  readonly #random: Random;
  // When each cookie expires, as held, and as set by answers on their way.
  #canaryUntil = Number.NEGATIVE_INFINITY;
  #stableUntil = Number.NEGATIVE_INFINITY;
  #nextCanaryUntil = Number.NEGATIVE_INFINITY;
  #nextStableUntil = Number.NEGATIVE_INFINITY;

  constructor(canaryMs: number, stableMs: number, random: Random) {
    this.#canaryMs = canaryMs;
    this.#stableMs = stableMs;
    this.#random = random;
  }

  isOnCanary({ atMs, weight }: SimulatedRequest): boolean {
    if (weight === 0) return false;
    if (atMs < this.#canaryUntil) return true;
    if (atMs < this.#stableUntil) return false;
    const isCanary = this.#random() * 100 < weight;
    if (isCanary) this.#nextCanaryUntil = atMs + this.#canaryMs;
    else this.#nextStableUntil = atMs + this.#stableMs;
    return isCanary;
  }

  keepCookies(): void {
    this.#canaryUntil = this.#nextCanaryUntil;
    this.#stableUntil = this.#nextStableUntil;
  }
}
