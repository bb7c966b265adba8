import type { CanaryRelease } from '../release/canary-release.ts';
import { canaryOnlyScheme, expiringRules } from './canary-only-scheme.ts';
import type { RoutePlan, SettledPlan } from './plan.ts';
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
      return release.spec.affinity.mode === 'canaryOnly' ? canaryOnlyScheme(release, plan, place) : settledScheme(release, plan, place);
  }
}

/** Everyone at one version in `mode: visitor`; a cookie that the last release set in the other mode is taken back first. */
function settledScheme(release: CanaryRelease, plan: SettledPlan, place: Place): Scheme {
  const scheme = visitorScheme(release, plan, place);
  const sketch: Scheme['gateway']['sketch'] = (rule, route) => [
    ...expiringRules(rule, route, plan, place),
    ...scheme.gateway.sketch(rule, route),
  ];
  return { ...scheme, gateway: { ...scheme.gateway, sketch } };
}
