import { allRoutes, type ExpectedRoutes, type RouteBlock } from './envoy-route.ts';
import { resolveHost } from './names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, KubeObject, VirtualServiceSpec } from './resources.ts';

/**
 * What istiod makes of a VirtualService. Each route says which object it comes from; that of a delegate names its root, and the rule's name comes behind the
 * root's (istio pilot/pkg/networking/core/route, pilot/pkg/model mergeHTTPRoute).
 */
export function routesOfVirtualService(object: KubeObject): ExpectedRoutes {
  const { name, namespace = 'default' } = object.metadata;
  const { http = [] } = (object.spec ?? {}) as VirtualServiceSpec;
  const ending = `/namespaces/${namespace}/virtual-service/${name}`;
  const behindRoot = isDelegate(object);
  return {
    blocks: http.flatMap((rule) => (rule.match ?? [{}]).map((match) => blockOf(rule, match, namespace))),
    among(configurations) {
      const all = allRoutes(configurations);
      return behindRoot ? all : all.filter(({ metadata }) => metadata?.filterMetadata?.istio?.config?.endsWith(ending) === true);
    },
    // The name of a match comes behind the rule's, after a dot.
    isNamed(routeName, ruleName) {
      if (!behindRoot) return routeName === ruleName || routeName.startsWith(`${ruleName}.`);
      // Another VirtualService may have rules without names, too.
      return ruleName !== '' && (routeName.endsWith(`-${ruleName}`) || routeName.includes(`-${ruleName}.`));
    },
  };
}

/** A delegate has no hosts of its own. */
export function isDelegate({ spec }: KubeObject): boolean {
  return ((spec as VirtualServiceSpec | undefined)?.hosts ?? []).length === 0;
}

function blockOf(rule: HTTPRoute, match: HTTPMatchRequest, namespace: string): RouteBlock {
  const values = [match.headers, match.withoutHeaders].flatMap((headers) => Object.values(headers ?? {}).flatMap(textsOf));
  const clusters = (rule.route ?? []).map(({ destination: { host, subset = '', port } }) => {
    const full = resolveHost(host, namespace);
    return `outbound|${port?.number ?? '*'}|${subset}|${full}`;
  });
  return { name: rule.name ?? '', values: values.toSorted(), clusters: clusters.toSorted() };
}

function textsOf(match: HeaderMatch): readonly string[] {
  return Object.values(match).filter((value) => typeof value === 'string');
}
