import { type Diagnostic, hasErrors } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import type { SettledPlan, SplitPlan } from '../weave/plan.ts';
import { httpPlaces } from './http-places.ts';
import { droppedCookie, nothingIssued, nothingReleased } from './http-route-findings.ts';
import { meshRivalsOfHttpRoute } from './mesh-rivals.ts';
import { httpGatewayScheme, httpHopScheme } from './rule-sketches.ts';
import { unweaveHttpRoute } from './unweave-http-route.ts';
import { weaveHttpObject } from './weave-http-object.ts';

/** What weaving needs; objects are bases, and none is changed. */
export interface HttpWeaveInput {
  readonly release: CanaryRelease;
  readonly plan: SplitPlan | SettledPlan;
  /** Live and formerly live versions: backends at one of them are released too. */
  readonly former: readonly Version[];
  /** The HTTPRoute of spec.route.adopt. */
  readonly route: KubeObject;
  /** The HTTPRoute of spec.visitorId.issueAt; undefined where that is not set or does not exist. */
  readonly issuing?: KubeObject | undefined;
  /** All HTTPRoutes; those two may be among them. */
  readonly siblings: readonly KubeObject[];
  /** All VirtualServices: in the mesh they may take requests of a route. */
  readonly virtualServices: readonly KubeObject[];
}

/** The routes as they are to be served, and what is to be said about them. */
export interface HttpWeaveResult {
  /** Undefined when a diagnostic is an error. */
  readonly route: KubeObject | undefined;
  /** Undefined then, too, and where ids are issued in the route itself or nowhere. */
  readonly issuing: KubeObject | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Weaves a release into an HTTPRoute (docs/adr/0019, 0027). At a gateway visitors are told apart and get their ids; in the mesh they are told apart only, by what the
 * route where ids are issued says of them, which is woven, too, with its backends as they are. Who takes a request is decided there by how narrow a match is, not by
 * order: what is woven comes before its base match, and overtakes nothing else. All that cannot be woven is a diagnostic; pure, and idempotent.
 */
export function weaveHttpRoute(input: HttpWeaveInput): HttpWeaveResult {
  const { release, plan, siblings } = input;
  const route = unweaveHttpRoute(input.route);
  const places = httpPlaces(release, route, input.issuing === undefined ? undefined : unweaveHttpRoute(input.issuing));
  if ('refused' in places) return { route: undefined, issuing: undefined, diagnostics: places.refused };
  const { isHop, issuing } = places;
  const common = { release, plan, siblings, versions: versionsOf(input) };
  const schemeAt = isHop
    ? (each: SplitPlan | SettledPlan) => httpHopScheme(release, each)
    : (each: SplitPlan | SettledPlan) => httpGatewayScheme(release, each, false);
  const released = weaveHttpObject(route, { ...common, moves: true, schemeAt });
  const told =
    issuing === undefined
      ? undefined
      : weaveHttpObject(issuing, { ...common, moves: false, schemeAt: (each) => httpGatewayScheme(release, each, true) });
  const diagnostics = [
    ...(isHop && told === undefined ? [] : droppedCookie(release)),
    ...meshRivalsOfHttpRoute(route, input),
    ...(told?.diagnostics ?? []),
    ...released.diagnostics,
    ...(released.woven === 0 ? [nothingReleased(route, released.isConcerned, release)] : []),
    ...(told?.woven === 0 && issuing !== undefined ? [nothingIssued(issuing)] : []),
  ];
  if (hasErrors(diagnostics)) return { route: undefined, issuing: undefined, diagnostics };
  return { route: released.object, issuing: told?.object, diagnostics };
}

/** The versions at which backends of the base are released. */
function versionsOf({ release, plan, former }: HttpWeaveInput): readonly Version[] {
  const { stable } = release.spec;
  const now = plan.kind === 'settled' ? plan.live : plan.stable;
  return [now, ...former, ...(stable === undefined ? [] : [stable])];
}
