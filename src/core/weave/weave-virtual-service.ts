import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { issuingRoute } from '../release/route-form.ts';
import { isDelegate } from '../routing/delegates.ts';
import { MOST_GROUPS } from './cohort-cells.ts';
import { cookieFindings } from './cookie-findings.ts';
import { ownGateways } from './gateway-hosts.ts';
import { httpRoutesInMesh } from './mesh-http-routes.ts';
import { meshRivals } from './mesh-rivals.ts';
import { serviceOf } from './released-destination.ts';
import { isSameObject, type RouteObject } from './route-object.ts';
import { baseOf, type Companion, distinctObjects, isSecure, versionsOf, weaveShared } from './shared-object.ts';
import { unreachedRules } from './unreached-rules.ts';
import { readBase } from './unweave.ts';
import {
  foreignReleases,
  issuingObjectInMesh,
  issuingObjectMissing,
  nothingDelegates,
  nothingIssued,
  nothingReleased,
  placedInRelease,
  streamFindings,
  tooManyGroups,
} from './weave-findings.ts';

/** What weaving needs; objects are bases (woven ones are taken for their base), and none is changed. */
export interface WeaveInput extends Companion {
  /** The VirtualService of spec.route: adopted, or owned by the release. */
  readonly routed: KubeObject;
  /** The VirtualService of spec.visitorId.issueAt; undefined where that is not set or does not exist. */
  readonly issuing: KubeObject | undefined;
  /** All Gateways, for cookies that follow TLS and for hosts that are shared. */
  readonly gateways: readonly KubeObject[];
  /** All VirtualServices, the oldest first: in the order in which a gateway merges them. The routed and the issuing one may be among them. */
  readonly siblings: readonly KubeObject[];
  /** All HTTPRoutes: those of Services take requests in the mesh. */
  readonly httpRoutes?: readonly KubeObject[];
  /** The other releases that are woven into one of the two objects, too. */
  readonly companions?: readonly Companion[];
}

/** A VirtualService as it is to be served. */
export interface WovenRoute {
  readonly namespace: string;
  readonly name: string;
  readonly virtualService: KubeObject;
}

/** What a release makes of the user's routes, and what is to be said about it. */
export interface WeaveResult {
  /** Empty when a diagnostic is an error. The issuing object, where it is another, comes first. */
  readonly routes: readonly WovenRoute[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Weaves a release into the user's routes (docs/guides/routes.md). Where ids are issued in the routed object itself, that object is woven with
 * the rules at the gateway, destinations at the versions; otherwise the issuing object tells the cohort, destinations unchanged, and the
 * routed one obeys. All that cannot be woven is a diagnostic (PERCH20xx); pure, and idempotent.
 */
export function weaveRelease(input: WeaveInput): WeaveResult {
  const { release } = input;
  const { namespace } = release.metadata;
  const { companions = [] } = input;
  const objects = plainObjects(input);
  const foreign = [input.routed, ...(input.issuing === undefined ? [] : [input.issuing])].flatMap((object) =>
    foreignReleases(object, [release, ...companions.map((each) => each.release)]),
  );
  const routed = baseOf(input.routed, objects, namespace);
  const issuing = issuingObject(input, routed, objects);
  if (isDiagnostic(issuing)) return { routes: [], diagnostics: [...foreign, issuing] };
  const unreached = isUnreached(routed) ? [nothingDelegates(release, routed, objects)] : [];
  if (foreign.length > 0 || unreached.length > 0) return { routes: [], diagnostics: [...foreign, ...unreached] };

  const edge = isSameObject(issuing, routed);
  const context = { companions, others: objects, gateways: input.gateways };
  const own = { release, plan: input.plan, former: input.former };
  const atGateway = weaveShared(issuing, { ...own, issues: true, moves: edge, edge }, context);
  const inside = edge ? undefined : weaveShared(routed, { ...own, issues: false, moves: true, edge }, context);
  const released = inside ?? atGateway;
  const merging = { objects, gateways: input.gateways, plan: input.plan };
  const secure = isSecure(issuing, release, input.gateways);
  const found = [
    ...cookieFindings(issuing, release, { secure, gateways: input.gateways }),
    ...streamFindings(routed, serviceOf(release), versionsOf(own)),
    ...meshRivals(edge ? [routed] : [routed, issuing], objects, input.plan),
    ...httpRoutesInMesh(edge ? [routed] : [routed, issuing], input.httpRoutes ?? [], input.plan),
    ...atGateway.part.diagnostics,
    ...(inside?.part.diagnostics ?? []),
    ...unreachedRules({ route: issuing, rules: atGateway.part.woven }, merging),
    ...(inside === undefined ? [] : unreachedRules({ route: routed, rules: inside.part.woven }, merging)),
    ...(released.part.woven.length > 0 ? [] : [nothingReleased(routed, released.part.concerned, release)]),
    ...(edge || atGateway.part.woven.length > 0 ? [] : [nothingIssued(issuing, release)]),
    ...(atGateway.part.groups > MOST_GROUPS ? [tooManyGroups(issuing, atGateway.part.groups, release, splitting(companions))] : []),
  ];
  const diagnostics = found.map((each) => placedInRelease(each, release));
  if (diagnostics.some((each) => each.severity === 'error')) return { routes: [], diagnostics };
  const routes = [wovenRoute(issuing, atGateway), ...(inside === undefined ? [] : [wovenRoute(routed, inside)])];
  return { routes, diagnostics };
}

function splitting(companions: readonly Companion[]): readonly CanaryRelease[] {
  return companions.filter(({ plan }) => plan.kind === 'split').map(({ release }) => release);
}

/** All VirtualServices, the two of the release among them; those that are not there yet are the youngest. */
function plainObjects({ release, siblings, routed, issuing }: WeaveInput): readonly RouteObject[] {
  const { namespace } = release.metadata;
  const known = distinctObjects(siblings, namespace);
  const own = distinctObjects([readBase(routed), ...(issuing === undefined ? [] : [readBase(issuing)])], namespace);
  const young = own.filter((object) => !known.some((each) => isSameObject(each, object)));
  return young.length === 0 ? known : [...known, ...young];
}

/** Whether nobody ever delegates to a delegate. */
function isUnreached(route: RouteObject): boolean {
  return isDelegate(route) && route.delegations.length === 0;
}

function wovenRoute({ namespace, name }: RouteObject, { virtualService }: { readonly virtualService: KubeObject }): WovenRoute {
  return { namespace, name, virtualService };
}

/** The object in which ids are issued, or why there is none. */
function issuingObject(input: WeaveInput, routed: RouteObject, objects: readonly RouteObject[]): RouteObject | Diagnostic {
  const { release } = input;
  const issueAt = issuingRoute(release)?.name;
  if (input.issuing === undefined && issueAt !== undefined && issueAt !== routed.name) return issuingObjectMissing(release, issueAt);
  const issuing = input.issuing === undefined ? routed : baseOf(input.issuing, objects, release.metadata.namespace);
  if (isUnreached(issuing)) return nothingDelegates(release, issuing, objects);
  return ownGateways(issuing).length > 0 ? issuing : issuingObjectInMesh(release, issuing);
}

function isDiagnostic(value: RouteObject | Diagnostic): value is Diagnostic {
  return 'severity' in value;
}
