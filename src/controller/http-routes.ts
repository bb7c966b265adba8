import type { RouteChange } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { acceptanceFindings } from '../core/gateway-api/acceptance.ts';
import { rulesOf } from '../core/gateway-api/http-route.ts';
import { parentServices } from '../core/gateway-api/parents.ts';
import type { RoutedAt } from '../core/istio/mesh-facts.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { Version } from '../core/release/canary-release.ts';
import { routedName, routedPath } from '../core/release/route-form.ts';
import type { RoutePlan, SettledPlan, SplitPlan } from '../core/weave/plan.ts';
import { serviceOf } from '../core/weave/released-destination.ts';
import { httpRouteAtVersion, takingBackends, versionsAmong } from '../core/weave-http-route/backend.ts';
import { foreignInHttpRoute } from '../core/weave-http-route/http-route-findings.ts';
import { releasesInHttpRoute, unweaveHttpRoute } from '../core/weave-http-route/unweave-http-route.ts';
import { type HttpWeaveResult, weaveHttpRoute } from '../core/weave-http-route/weave-http-route.ts';
import type { DesiredRoutes } from './desired-route-set.ts';
import type { StoredView } from './snapshot.ts';
import { formerVersions, releaseName, versionHosts, type World } from './world.ts';

/**
 * The HTTPRoutes of a release that adopts one, as they serve a plan; without a plan as their owners wrote them. A base that cannot be woven any more is served with
 * everyone at the live version once the release is settled, and no ids are issued then; under way, what is woven stays as it is, and a route that never was has
 * everyone at stable.
 */
export function desiredHttpRoutes(world: World, plan: RoutePlan | undefined): DesiredRoutes {
  const { adopted, issuing, held } = world.http;
  if (adopted === undefined) return { routes: [], carryPlan: false, diagnostics: plan === undefined ? [] : [httpRouteMissing(world)] };
  const { ref, base } = adopted;
  const named = namedViews(world);
  const unwoven = (views: readonly StoredView[]) =>
    views.filter((view) => held.includes(view)).map((view): RouteChange => ({ ref: view.ref, served: undefined }));
  if (plan === undefined) return { routes: unwoven(named), carryPlan: false, diagnostics: [] };
  const foreign = named.flatMap((view) =>
    releasesInHttpRoute(view.served)
      .filter((name) => name !== releaseName(world.release))
      .map((name) => foreignInHttpRoute(view.base, name)),
  );
  if (foreign.length > 0) return { routes: [], carryPlan: false, diagnostics: foreign };
  const woven = weaveAdopted(world, adopted, plan);
  const { diagnostics } = woven;
  if (woven.route !== undefined) {
    const told = issuing === undefined || woven.issuing === undefined ? [] : [{ ref: issuing.ref, served: woven.issuing }];
    return { routes: [...told, { ref, served: woven.route }], carryPlan: true, diagnostics };
  }
  if (plan.kind !== 'settled' && held.includes(adopted)) return { routes: [], carryPlan: false, diagnostics };
  const live = plan.kind === 'settled' ? plan.live : plan.stable;
  const moved = httpRouteAtVersion(base, serviceOf(world.release), [live, ...formerVersions(world.stored.status)], live);
  const unissued = plan.kind === 'settled' && issuing !== undefined ? unwoven([issuing]) : [];
  return { routes: [{ ref, served: moved }, ...unissued], carryPlan: plan.kind === 'settled', diagnostics };
}

/** HTTPRoutes that the release is woven into and names no more: they lead to the live version. */
export function leftHttpRoutes(world: World): readonly RouteChange[] {
  const live = world.stored.status?.liveVersion;
  const named = namedViews(world);
  return world.http.held
    .filter((view) => !named.includes(view))
    .map(({ ref, served }) => ({ ref, served: undefined, base: unwoven(world, served, live) }));
}

/** Those HTTPRoutes that the release names and that are there: the one where ids are issued first. */
function namedViews({ http: { adopted, issuing } }: World): readonly StoredView[] {
  return [issuing, adopted].flatMap((view) => view ?? []);
}

/** The HTTPRoutes that stay when the release goes: at the live version, or, where none is known, as they are. */
export function httpRoutesWithout(world: World, live: Version | undefined): readonly RouteChange[] {
  const { adopted, issuing, held } = world.http;
  const left = [
    ...leftHttpRoutes(world),
    ...(issuing !== undefined && held.includes(issuing)
      ? [{ ref: issuing.ref, served: undefined, base: unwoven(world, issuing.served, live) }]
      : []),
  ];
  if (adopted === undefined || (live === undefined && !held.includes(adopted))) return left;
  const { ref, served } = adopted;
  // Of one that is not woven now, weaving says what is released.
  const { route = served } = live === undefined || held.includes(adopted) ? {} : weaveAdopted(world, adopted, { kind: 'settled', live });
  return [{ ref, served: undefined, base: unwoven(world, route, live) }, ...left];
}

/** The versions that the base of the adopted HTTPRoute leads to, each once; none without such a route. */
export function httpVersions({ release, http: { adopted } }: World, candidates: readonly Version[]): readonly Version[] {
  if (adopted === undefined) return [];
  return versionsAmong(rulesOf(adopted.base).flatMap(takingBackends), adopted.ref.namespace, serviceOf(release), candidates);
}

/** What speaks against a release in the HTTPRoutes that it names, as gateways and the mesh have taken them. */
export function httpAcceptance(world: World): readonly Diagnostic[] {
  return namedViews(world).flatMap(({ base }) => acceptanceFindings(base));
}

/**
 * The services by which it is told what the mesh makes of the HTTPRoutes, and what they are to those. In the mesh it is those that clients call which need a
 * waypoint first of all, and then the versions that they are led to.
 */
export function httpRouteServices(world: World): readonly { readonly host: string; readonly at: RoutedAt }[] {
  const { adopted } = world.http;
  const { namespace } = world.release.metadata;
  const called = new Set(adopted === undefined ? [] : parentServices(adopted.base).map(({ host }) => host));
  const released = resolveHost(world.release.spec.service.host, namespace);
  const isAtGateway = namedViews(world).some(({ base }) => parentServices(base).length === 0);
  const versions = called.size > 0 ? versionHosts(world) : [];
  const hosts = new Set([...(isAtGateway ? [released] : []), ...called, ...versions]);
  return [...hosts].map((host) => {
    const isVersion = !called.has(host) && versions.includes(host);
    return { host, at: { gateway: isAtGateway && host === released, mesh: called.has(host) || isVersion, isVersion } };
  });
}

function weaveAdopted(world: World, { base }: StoredView, plan: RoutePlan): HttpWeaveResult {
  return weaveHttpRoute({
    release: world.release,
    plan: divisible(plan),
    former: formerVersions(world.stored.status),
    route: base,
    issuing: world.http.issuing?.base,
    siblings: world.http.all.map((each) => each.base),
    virtualServices: world.siblings,
  });
}

/** Nothing is drawn in an HTTPRoute: everyone would stay at stable. */
function divisible(plan: RoutePlan): SplitPlan | SettledPlan {
  return plan.kind === 'draw' ? { kind: 'settled', live: plan.stable } : plan;
}

/** The base of what is served, with the release's backends at the live version; a subset is none that a backend can be. */
function unwoven({ release }: World, served: KubeObject, live: Version | undefined): KubeObject {
  if (live === undefined) return unweaveHttpRoute(served);
  return unweaveHttpRoute(served, { release: release.metadata, service: serviceOf(release), version: live });
}

function httpRouteMissing({ release }: World): Diagnostic {
  const { namespace, name } = release.metadata;
  return {
    code: 'PERCH3051',
    severity: 'error',
    message: `HTTPRoute ${namespace}/${routedName(release)}, which the release adopts, does not exist`,
    object: `CanaryRelease ${namespace}/${name}`,
    path: routedPath(release),
    hint: 'create it, or name the HTTPRoute that routes to the service; the cluster needs the CustomResourceDefinitions of Gateway API 1.4 or newer',
  };
}
