import type { HTTPRoute } from '../istio/resources.ts';
import type { CanaryCookie } from '../release/canary-cookie.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { cookieEqual } from '../visitor/patterns.ts';
import { isInMesh } from './gateway-hosts.ts';
import { type HeaderAddition, PRIVATE } from './header-additions.ts';
import { andConditions, atGateways, guardedBlocks, type HeaderConditions } from './match-blocks.ts';
import type { DrawPlan, SettledPlan } from './plan.ts';
import type { RouteObject } from './route-object.ts';
import {
  addedAtGateway,
  type DestinationSketch,
  DOCUMENT_HEADERS,
  DOCUMENTS,
  hopHeaders,
  type Place,
  present,
  REST,
  type RuleSketch,
  type Scheme,
  sketched,
  toldRules,
} from './rule-sketch.ts';
import { canarySetCookie, expiringSetCookie } from './set-cookie.ts';
import { cohortStamp } from './unweave.ts';

/**
 * `affinity.mode: canaryOnly`, the article's own scheme (docs/adr/0009): holders of the cookie are on the canary; every other request
 * is drawn by weight, and the canary's answer sets the cookie. At the edge that is, rule for rule, the article's stages 3 to 5; for an
 * internal service pages are drawn at the gateway, between two destinations that are both the entry service.
 */
export function canaryOnlyScheme(release: CanaryRelease, plan: DrawPlan | SettledPlan, place: Place): Scheme {
  const { propagate } = release.spec.visitorId;
  const baggage = !place.edge && propagate.includes('baggage');
  const stamped = baggage && plan.kind === 'draw';
  const { namespace, name } = release.metadata;
  const stamp = (cohort: Cohort) => (stamped ? [cohortStamp(namespace, name, cohort)] : []);
  return {
    versions: plan.kind === 'settled' ? { stable: plan.live, canary: plan.live } : { stable: plan.stable, canary: plan.canary },
    stamped,
    gateway: {
      matchHeaders: ['cookie', ...(place.edge ? [] : DOCUMENT_HEADERS)],
      adds: addedAtGateway(baggage),
      draws: true,
      sketch: (rule, route) =>
        plan.kind === 'draw' ? drawnRules(rule, route, release, plan, place, stamp) : [...expiringRules(rule, route, plan, place), REST],
    },
    hop: {
      matchHeaders: hopHeaders(release),
      adds: [],
      draws: false,
      sketch: (rule, route) => (plan.kind === 'draw' ? hopRules(rule, route, release, plan.cookie) : [REST]),
    },
  };
}

/** The article's stages 3 and 4; what meshes and an entry service need differs by `place` and by the object's gateways. */
function drawnRules(
  rule: HTTPRoute,
  route: RouteObject,
  release: CanaryRelease,
  plan: DrawPlan,
  place: Place,
  stamp: (cohort: Cohort) => readonly HeaderAddition[],
): readonly RuleSketch[] {
  const { cookie, weight } = plan;
  const blocks = guardedBlocks(rule, route);
  const marked = release.spec.cache === 'private' ? [PRIVATE] : [];
  const known = sketched('known', 'canary', andConditions(blocks, [holds(cookie)]), [...stamp('canary'), ...marked]);
  const [stableWeight, canaryWeight] = drawWeights(weight);
  const setCookie = cookieAddition(canarySetCookie(cookie, pathAt(place)));
  const destinations: readonly DestinationSketch[] = [
    { cohorts: ['stable'], weight: stableWeight, additions: [...stamp('stable'), ...marked] },
    // Unlike the article's: a shared cache that keeps such an answer would hand the cookie to everyone.
    { cohorts: ['canary'], weight: canaryWeight, additions: [...stamp('canary'), setCookie, PRIVATE] },
  ];
  if (place.edge && !isInMesh(route)) {
    const drawn: RuleSketch = { parts: [{ role: 'rest', cohort: 'drawn' }], match: undefined, destinations };
    // Stage 4 at its end: everyone is sent to the canary, and gets the cookie.
    return weight >= 100 ? [drawn] : [known, drawn];
  }
  // Sidecars do not draw: no browser would get the cookie, so every call would be drawn anew.
  const atGateway = andConditions(atGateways(blocks, route), place.edge ? [{}] : DOCUMENTS);
  const rest = { ...REST, destinations: REST.destinations.map((each) => ({ ...each, additions: [...stamp('stable'), ...marked] })) };
  return present([known, { parts: [{ role: 'new', cohort: 'drawn' }], match: atGateway, destinations }, rest]);
}

/** The article's stage 5: the cookie expires for those who hold it. Who holds none is left to the rules that follow. */
export function expiringRules(rule: HTTPRoute, route: RouteObject, { expires }: SettledPlan, place: Place): readonly RuleSketch[] {
  if (expires === undefined) return [];
  const match = andConditions(guardedBlocks(rule, route), [holds(expires)]);
  const setCookie = cookieAddition(expiringSetCookie(expires, pathAt(place)));
  return [sketched('known', 'stable', match, [setCookie, PRIVATE])];
}

/** An internal hop: told by baggage, known by the cookie, and the rest. */
function hopRules(rule: HTTPRoute, route: RouteObject, release: CanaryRelease, cookie: CanaryCookie): readonly RuleSketch[] {
  const blocks = guardedBlocks(rule, route);
  const known = sketched('known', 'canary', andConditions(blocks, [holds(cookie)]));
  return [...toldRules(release, blocks, true), ...(release.spec.visitorId.propagate.includes('cookie') ? [known] : []), REST];
}

function holds({ name, value }: CanaryCookie): HeaderConditions {
  return { cookie: { regex: cookieEqual(name, value) } };
}

/** As in the article where the service itself is at the edge; pages of all paths of an entry service share the cookie. */
function pathAt({ edge }: Place): '/' | undefined {
  return edge ? undefined : '/';
}

function cookieAddition(value: string): HeaderAddition {
  return { direction: 'response', name: 'Set-Cookie', value, join: false };
}

/** Integers, as Istio has weights: hundredths, or thousandths where the percentage has a tenth. */
function drawWeights(percent: number): readonly [stable: number, canary: number] {
  const tenths = Math.round(percent * 10);
  return tenths % 10 === 0 ? [100 - tenths / 10, tenths / 10] : [1000 - tenths, tenths];
}
