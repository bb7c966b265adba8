import type { Version } from '../release/canary-release.ts';
import type { Offset } from '../visitor/bucket.ts';

/**
 * Where a release's visitors go, as weaving needs it.
 * `split`: bucket < cutoff -> canary, else stable. `settled`: every destination at `live`; the issuing rules stay.
 */
export type RoutePlan =
  | { readonly kind: 'split'; readonly stable: Version; readonly canary: Version; readonly cutoff: number; readonly offset: Offset }
  | { readonly kind: 'settled'; readonly live: Version };
