import type { ReleaseStatus } from '../../src/core/release/status.ts';
import type { Offset } from '../../src/core/visitor/bucket.ts';

/** By what a release in `affinity.mode: visitor` decides: bucket < cutoff, at the offset. Throws for one that has not begun, or is in another mode. */
export function bucketDraw({ cutoff, offset }: ReleaseStatus): { readonly cutoff: number; readonly offset: Offset } {
  if (cutoff === undefined || offset === undefined) throw new Error('no bucket decides in this release');
  return { cutoff, offset };
}
