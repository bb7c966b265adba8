import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { isDelegate } from '../routing/delegates.ts';
import { findSharing, isInMesh, isServedOverTls, ownGateways } from './gateway-hosts.ts';
import { meshRivals } from './mesh-rivals.ts';
import type { RoutePlan } from './plan.ts';
import type { ReleasedService } from './released-destination.ts';
import { isSameObject, type RouteObject, routeObject } from './route-object.ts';
import type { ObjectRules, Scheme } from './rule-sketch.ts';
import { schemeOf } from './scheme.ts';
import { unreachedRules } from './unreached-rules.ts';
import { unweave } from './unweave.ts';
import {
  cookieFindings,
  foreignReleases,
  issuingObjectInMesh,
  issuingObjectMissing,
  nothingDelegates,
  nothingIssued,
  nothingReleased,
  placedInRelease,
  streamFindings,
} from './weave-findings.ts';
import { type WovenObject, weaveObject } from './weave-object.ts';

/** What weaving needs; objects are bases (woven ones are taken for their base), and none is changed. */
export interface WeaveInput {
  readonly release: CanaryRelease;
  readonly plan: RoutePlan;
  /** Live and formerly live versions: base destinations at one of them are released too. */
  readonly former: readonly Version[];
  /** The VirtualService of spec.route: adopted, or owned by the release. */
  readonly routed: KubeObject;
  /** The VirtualService of spec.visitorId.issueAt; undefined where that is not set or does not exist. */
  readonly issuing: KubeObject | undefined;
  /** All Gateways, for `secure: auto` and for hosts that are shared. */
  readonly gateways: readonly KubeObject[];
  /** All VirtualServices, the oldest first: in the order in which a gateway merges them. The routed and the issuing one may be among them. */
  readonly siblings: readonly KubeObject[];
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

/** What both objects of a release are woven with. */
interface Context {
  readonly input: WeaveInput;
  readonly scheme: Scheme;
  readonly service: ReleasedService;
  readonly versions: readonly Version[];
  /** All VirtualServices, the oldest first, the two of the release among them: they may overtake each other too. */
  readonly others: readonly RouteObject[];
}

/**
 * Weaves a release into the user's routes (docs/guides/routes.md). Where ids are issued in the routed object itself, that object is woven with
 * the rules at the gateway, destinations at the versions; otherwise the issuing object tells the cohort, destinations unchanged, and the
 * routed one obeys. All that cannot be woven is a diagnostic (PERCH20xx); pure, and idempotent.
 */
export function weaveRelease(input: WeaveInput): WeaveResult {
  const { release } = input;
  const { namespace } = release.metadata;
  const foreign = [input.routed, ...(input.issuing === undefined ? [] : [input.issuing])].flatMap((object) =>
    foreignReleases(object, release),
  );
  const objects = plainObjects(input);
  const routed = baseOf(input.routed, objects, namespace);
  const issuing = issuingObject(input, routed, objects);
  if (isDiagnostic(issuing)) return { routes: [], diagnostics: [...foreign, issuing] };
  const unreached = isUnreached(routed) ? [nothingDelegates(release, routed, objects)] : [];
  if (foreign.length > 0 || unreached.length > 0) return { routes: [], diagnostics: [...foreign, ...unreached] };

  const { stable } = release.spec;
  const service = { namespace, host: release.spec.service.host, port: release.spec.service.port };
  const edge = isSameObject(issuing, routed);
  const scheme = schemeOf(release, input.plan, { edge, secure: isSecure(issuing, input) });
  const versions = [scheme.versions.stable, ...input.former, ...(stable === undefined ? [] : [stable])];
  const context: Context = { input, scheme, service, versions, others: objects };
  const atGateway = weaveWith(issuing, scheme.gateway, edge, context);
  const inside = edge ? undefined : weaveWith(routed, scheme.hop, true, context);
  const released = inside ?? atGateway;
  const merging = { objects, gateways: input.gateways, plan: input.plan };
  const found = [
    ...cookieFindings(issuing, release, isSecure(issuing, input)),
    ...streamFindings(routed, service, versions),
    ...meshRivals(edge ? [routed] : [routed, issuing], objects, input.plan),
    ...atGateway.diagnostics,
    ...(inside?.diagnostics ?? []),
    ...unreachedRules({ route: issuing, rules: atGateway.woven }, merging),
    ...(inside === undefined ? [] : unreachedRules({ route: routed, rules: inside.woven }, merging)),
    ...(released.woven.length > 0 ? [] : [nothingReleased(routed, released.concerned, release)]),
    ...(edge || atGateway.woven.length > 0 ? [] : [nothingIssued(issuing, release)]),
  ];
  const diagnostics = found.map((each) => placedInRelease(each, release));
  if (diagnostics.some((each) => each.severity === 'error')) return { routes: [], diagnostics };
  const routes = [wovenRoute(issuing, atGateway), ...(inside === undefined ? [] : [wovenRoute(routed, inside)])];
  return { routes, diagnostics };
}

/** Weaves one object; `moves`: its destinations to the versions, else they stay. */
function weaveWith(route: RouteObject, rules: ObjectRules, moves: boolean, context: Context): WovenObject {
  const { input, scheme, service, versions } = context;
  const { namespace, name } = input.release.metadata;
  const issues = rules === scheme.gateway;
  return weaveObject(route, {
    release: { namespace, name },
    scheme,
    rules,
    moves: moves ? service : undefined,
    needs: {
      route,
      moves: moves ? { service, versions } : undefined,
      matchHeaders: rules.matchHeaders,
      adds: rules.adds,
      draws: rules.draws,
      sharing: findSharing(route, context.others, input.gateways),
      limits: isInMesh(route) && ownGateways(route).length > 0 && (issues || input.release.spec.visitorId.propagate.includes('requestId')),
      issues,
    },
  });
}

function baseOf(object: KubeObject, objects: readonly RouteObject[], namespace: string): RouteObject {
  return routeObject(unweave(object), namespace, objects);
}

/** All VirtualServices, the two of the release among them, each once; those that are not there yet are the youngest. */
function plainObjects({ release, siblings, routed, issuing }: WeaveInput): readonly RouteObject[] {
  const all = [...siblings, unweave(routed), ...(issuing === undefined ? [] : [unweave(issuing)])];
  const objects = all.map((object) => routeObject(object, release.metadata.namespace));
  return objects.filter((each, index) => objects.findIndex((other) => isSameObject(other, each)) === index);
}

/** Whether nobody ever delegates to a delegate. */
function isUnreached(route: RouteObject): boolean {
  return isDelegate(route) && route.delegations.length === 0;
}

function wovenRoute(route: RouteObject, woven: WovenObject): WovenRoute {
  return { namespace: route.namespace, name: route.name, virtualService: woven.virtualService };
}

/** The object in which ids are issued, or why there is none. */
function issuingObject(input: WeaveInput, routed: RouteObject, objects: readonly RouteObject[]): RouteObject | Diagnostic {
  const { release } = input;
  const issueAt = release.spec.visitorId.issueAt?.virtualService;
  if (input.issuing === undefined && issueAt !== undefined && issueAt !== routed.name) return issuingObjectMissing(release, issueAt);
  const issuing = input.issuing === undefined ? routed : baseOf(input.issuing, objects, release.metadata.namespace);
  if (isUnreached(issuing)) return nothingDelegates(release, issuing, objects);
  return ownGateways(issuing).length > 0 ? issuing : issuingObjectInMesh(release, issuing);
}

function isDiagnostic(value: RouteObject | Diagnostic): value is Diagnostic {
  return 'severity' in value;
}

function isSecure(route: RouteObject, input: WeaveInput): boolean {
  const { secure } = input.release.spec.visitorId.cookie;
  return secure === 'auto' ? isServedOverTls(route, input.gateways) : secure;
}
