import type { CanaryCookie } from '../release/canary-cookie.ts';
import type { Version } from '../release/canary-release.ts';
import type { Offset } from '../visitor/bucket.ts';

/**
 * Where a release's visitors go, as weaving needs it.
 * `split`: bucket < cutoff -> canary, else stable. `draw`: holders of the cookie -> canary; every other request is drawn, `weight` percent
 * to the canary, which sets the cookie. `settled`: every destination at `live`; issuing rules stay, and the cookie `expires`, if there is one.
 */
export type RoutePlan = SplitPlan | DrawPlan | SettledPlan;

/** `affinity.mode: visitor` under way. `cutoff` is 0..4096, in the draw at `offset`. */
export interface SplitPlan {
  readonly kind: 'split';
  readonly stable: Version;
  readonly canary: Version;
  readonly cutoff: number;
  readonly offset: Offset;
  /** How many of the steps with `match` have been reached; absent: all. */
  readonly picking?: number;
  /** Count of the releases started on the object, this one included: what visitors chose in an earlier one is over. */
  readonly started?: number;
}

/** `affinity.mode: canaryOnly` under way. */
export interface DrawPlan {
  readonly kind: 'draw';
  readonly stable: Version;
  readonly canary: Version;
  /** Percent, over 0 and up to 100, in steps of 0.1. */
  readonly weight: number;
  readonly cookie: CanaryCookie;
}

/** Nobody is divided: before the first step, and once it is decided where everyone ends. */
export interface SettledPlan {
  readonly kind: 'settled';
  readonly live: Version;
  readonly expires?: CanaryCookie;
}
