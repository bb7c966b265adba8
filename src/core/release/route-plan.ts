import { offsetOf } from '../visitor/cohort.ts';
import type { RoutePlan, SettledPlan, SplitPlan } from '../weave/plan.ts';
import { type CanaryCookie, canaryCookieOf } from './canary-cookie.ts';
import type { CanaryRelease } from './canary-release.ts';
import type { ReleaseStatus } from './status.ts';
import { sameVersion } from './version.ts';

/** Where visitors go in this status; undefined: the base is left as its owner wrote it. */
export function planOf(status: ReleaseStatus): RoutePlan | undefined {
  const { phase, stable, canary, weight, step, started, cutoff = 0, offset = 0, canaryCookie: cookie } = status;
  if ((phase === 'Progressing' || phase === 'Paused') && stable !== undefined && canary !== undefined) {
    if (cookie !== undefined) return { kind: 'draw', stable, canary, weight, cookie };
    return { kind: 'split', stable, canary, cutoff, offset, started, ...(weight === 0 ? { picking: step + 1 } : {}) };
  }
  // Completing and RollingBack have decided already: liveVersion is what is being settled on.
  return settledPlan(status);
}

/** Everyone at the live version, where one is known. */
export function settledPlan({ liveVersion: live, canaryCookie: expires }: ReleaseStatus): SettledPlan | undefined {
  if (live === undefined) return undefined;
  return { kind: 'settled', live, ...(expires === undefined ? {} : { expires }) };
}

/** The smallest plan that a release could start with: what weaving can say before there is one. */
export function trialPlan(release: CanaryRelease, status: ReleaseStatus | undefined): RoutePlan {
  const { metadata, spec } = release;
  const { canary } = spec;
  const stable = spec.stable ?? status?.liveVersion ?? canary;
  if (sameVersion(stable, canary)) return { kind: 'settled', live: canary };
  const started = status?.started ?? 0;
  const cookie = canaryCookieOf({ ...metadata, started, spec });
  return cookie === undefined
    ? { kind: 'split', stable, canary, cutoff: 1, offset: offsetOf({ ...metadata, ...spec, started, revision: spec.revision }) }
    : { kind: 'draw', stable, canary, weight: 1, cookie };
}

/** Whether two plans send every visitor to the same place, with the same cookie. */
export function samePlan(a: RoutePlan | undefined, b: RoutePlan | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'settled') return b.kind === 'settled' && sameVersion(a.live, b.live) && sameCookie(a.expires, b.expires);
  if (b.kind === 'settled' || !sameVersion(a.stable, b.stable) || !sameVersion(a.canary, b.canary)) return false;
  if (a.kind === 'split') return b.kind === 'split' && sameSplit(a, b);
  return b.kind === 'draw' && a.weight === b.weight && sameCookie(a.cookie, b.cookie);
}

function sameSplit(a: SplitPlan, b: SplitPlan): boolean {
  return a.cutoff === b.cutoff && a.offset === b.offset && a.picking === b.picking && a.started === b.started;
}

function sameCookie(a: CanaryCookie | undefined, b: CanaryCookie | undefined): boolean {
  return a?.name === b?.name && a?.value === b?.value && a?.maxAge === b?.maxAge;
}
