import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { describeHttpRoute, httpRouteOf } from '../gateway-api/http-route.ts';
import { parentServices, placeOfParent } from '../gateway-api/parents.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { issuingRoute, routedName } from '../release/route-form.ts';

/** Where the routes of a release are, or why it cannot be in them. */
export type HttpPlaces =
  | {
      /** The routed one is in the mesh: it obeys. */
      readonly isHop: boolean;
      /** Another route where ids are issued; undefined where that is the routed one, or nobody issues any. */
      readonly issuing: KubeObject | undefined;
    }
  | { readonly refused: readonly Diagnostic[] };

/** Ids are issued at gateways, never at sidecars and waypoints: what hangs on Services obeys what a route at a gateway says. */
export function httpPlaces(release: CanaryRelease, route: KubeObject, named: KubeObject | undefined): HttpPlaces {
  const isHop = parentServices(route).length > 0;
  const refused = parentFindings(route);
  if (refused.length > 0) return { refused };
  const issueAt = issuingRoute(release)?.name;
  if (!isHop) {
    if (issueAt === undefined || issueAt === routedName(release)) return { isHop, issuing: undefined };
    const message = `${describeHttpRoute(route)} is at a Gateway: visitors get their ids in it, and not in ${issueAt}`;
    return { refused: [noPlace(release, message, 'leave spec.visitorId.issueAt out')] };
  }
  if (issueAt === undefined) {
    if (release.spec.visitorId.from !== undefined) return { isHop, issuing: undefined };
    const message = `${describeHttpRoute(route)} hangs on Services, inside the mesh, so visitors cannot get their ids there`;
    return { refused: [noPlace(release, message, NAME_ONE)] };
  }
  if (named === undefined) {
    const message = `HTTPRoute ${release.metadata.namespace}/${issueAt}, where visitor ids are to be issued, does not exist`;
    return { refused: [noPlace(release, message, `create it, or ${NAME_ONE}`)] };
  }
  const isAtGateway = (httpRouteOf(named).spec.parentRefs ?? []).every((ref) => placeOfParent(ref) === 'gateway');
  if (isAtGateway) return { isHop, issuing: named };
  const message = `${describeHttpRoute(named)} does not hang on Gateways only, so visitors cannot get their ids there`;
  return { refused: [noPlace(release, message, NAME_ONE)] };
}

const NAME_ONE = 'name in spec.visitorId.issueAt the HTTPRoute at a Gateway that browsers reach: no cookie comes to them from elsewhere';

/** All parents of a route have to be of one place. */
function parentFindings(route: KubeObject): readonly Diagnostic[] {
  const { metadata, spec } = httpRouteOf(route);
  const { parentRefs = [] } = spec;
  const places = parentRefs.map(placeOfParent);
  const isMixed = places.includes('gateway') && places.includes('mesh');
  return parentRefs.flatMap((ref, index): Diagnostic[] => {
    const what = `${ref.kind ?? 'Gateway'} ${ref.namespace ?? metadata.namespace ?? 'default'}/${ref.name}`;
    const at = (message: string, hint: string): Diagnostic[] => [
      {
        code: 'PERCH2033',
        severity: 'error',
        message: `${describeHttpRoute(route)} hangs on ${what}: ${message}`,
        object: describeHttpRoute(route),
        path: `spec.parentRefs[${index}]`,
        hint,
      },
    ];
    if (places[index] === 'elsewhere')
      return at(
        'releases are at Gateways and at Services',
        'adopt an HTTPRoute whose parents are all Gateways, or all Services of its namespace',
      );
    if (places[index] !== 'mesh') return [];
    if (isMixed)
      return at(
        'its other parents are Gateways, where visitors get ids, and inside the mesh they get none',
        'give the Service an HTTPRoute of its own, and name this one in spec.visitorId.issueAt',
      );
    if (ref.namespace === undefined || ref.namespace === metadata.namespace) return [];
    return at(
      'a route of another namespace than the Service’s counts for clients in that namespace only',
      'put the route and the release into the namespace of the Service',
    );
  });
}

function noPlace({ metadata }: CanaryRelease, message: string, hint: string): Diagnostic {
  return {
    code: 'PERCH2010',
    severity: 'error',
    message,
    object: `CanaryRelease ${metadata.namespace}/${metadata.name}`,
    path: 'spec.visitorId.issueAt',
    hint,
  };
}
