import type { RoutePlan } from '../weave/plan.ts';
import type { ReleaseStatus } from './status.ts';
import { sameVersion } from './version.ts';

/** Where visitors go in this status; undefined: the base is left as its owner wrote it. */
export function planOf(status: ReleaseStatus): RoutePlan | undefined {
  const { phase, stable, canary, liveVersion, cutoff, offset } = status;
  if ((phase === 'Progressing' || phase === 'Paused') && stable !== undefined && canary !== undefined) {
    return { kind: 'split', stable, canary, cutoff, offset };
  }
  // Completing and RollingBack have decided already: liveVersion is what is being settled on.
  return liveVersion === undefined ? undefined : { kind: 'settled', live: liveVersion };
}

/** Whether two plans send every visitor to the same place. */
export function samePlan(a: RoutePlan | undefined, b: RoutePlan | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'settled') return b.kind === 'settled' && sameVersion(a.live, b.live);
  if (b.kind === 'settled') return false;
  return a.cutoff === b.cutoff && a.offset === b.offset && sameVersion(a.stable, b.stable) && sameVersion(a.canary, b.canary);
}
