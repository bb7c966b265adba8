import type { CanaryRelease } from '../release/canary-release.ts';
import { canaryOnlyScheme } from './canary-only-scheme.ts';
import type { RoutePlan } from './plan.ts';
import type { Place, Scheme } from './rule-sketch.ts';
import { visitorScheme } from './visitor-scheme.ts';

/** How a plan is woven. A plan under way says it itself; a settled one is as the release's next start will be. */
export function schemeOf(release: CanaryRelease, plan: RoutePlan, place: Place): Scheme {
  switch (plan.kind) {
    case 'split':
      return visitorScheme(release, plan, place);
    case 'draw':
      return canaryOnlyScheme(release, plan, place);
    case 'settled':
      return release.spec.affinity.mode === 'canaryOnly' ? canaryOnlyScheme(release, plan, place) : visitorScheme(release, plan, place);
  }
}
