import { allRoutes, type ExpectedRoutes } from '../istio/envoy-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { httpRouteOf, matchesOf } from './http-route.ts';
import { isInMesh } from './parents.ts';

/**
 * What istiod makes of an HTTPRoute. It is one with others of its host by then, so its routes do not say where they come from: they are looked for in the
 * virtual hosts of its host names, by their names. A rule without one is named by the object and its place (istio pilot/pkg/config/kube/gateway,
 * convertHTTPRoute and mergeHTTPRoutes).
 */
export function routesOfHttpRoute(object: KubeObject): ExpectedRoutes {
  const { metadata, spec } = httpRouteOf(object);
  const { name, namespace = 'default' } = metadata;
  const { hostnames = [], rules = [] } = spec;
  const hosts = new Set(isInMesh(object) ? [] : hostnames.map((host) => host.toLowerCase()));
  return {
    blocks: rules.flatMap((rule, place) => {
      const leadsTo = (rule.backendRefs ?? []).filter(({ weight = 1 }) => weight > 0);
      const clusters = leadsTo.map((to) => `outbound|${to.port ?? '*'}||${to.name}.${to.namespace ?? namespace}.svc.cluster.local`);
      return matchesOf(rule).map(({ headers = [] }) => ({
        name: rule.name ?? `${namespace}.${name}.${place}`,
        values: headers.map(({ value }) => value).toSorted(),
        clusters: clusters.toSorted(),
      }));
    }),
    among: (configurations) =>
      allRoutes(
        configurations,
        ({ domains = [] }) => hosts.size === 0 || domains.some((domain) => hosts.has(domain.replace(/:(?:\d+|\*)$/, '').toLowerCase())),
      ),
    // The place of a match may come behind the rule's name.
    isNamed: (routeName, ruleName) => routeName === ruleName || routeName.startsWith(`${ruleName}.`),
  };
}
