import type { Random } from './random.ts';

/** What a scheme sees of a request. */
export interface SimulatedRequest {
  /** In ms since the release began; negative before it. */
  readonly atMs: number;
  /** Percent asked for at that time; 0 before the release. */
  readonly weight: number;
  /** Whether it asks for a page, not for a part of one. */
  readonly isDocument: boolean;
}

/** One client as a scheme knows it: by the cookies that it holds. */
export interface Client {
  /** Whether the canary answers, by the cookies held. What the answer sets is not held yet. */
  isOnCanary(request: SimulatedRequest): boolean;
  /** The answers to all requests so far have come, and their cookies are held from now on. Never called for a client that keeps none. */
  keepCookies(): void;
}

/** Gives a client without cookies. */
export type Scheme = () => Client;

/** The schemes that are compared. */
export const SCHEMES = ['article', 'flagger', 'flagger-primary', 'perch'] as const;
/** One of `SCHEMES`. */
export type SchemeName = (typeof SCHEMES)[number];

/** Draws of a scheme; with the same source, schemes that draw alike come to the same results. */
export type MakeScheme = (random: Random) => Scheme;
