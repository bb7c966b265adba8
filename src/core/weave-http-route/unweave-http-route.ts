import { type BackendRef, HTTP_ROUTE, type HttpRouteRule, httpRouteOf, matchesOf, rulesOf } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { deepCopy } from '../weave/deep-copy.ts';
import { PRIVATE } from '../weave/header-additions.ts';
import { cohortStamp, type LiveVersion } from '../weave/unweave.ts';
import { atVersion, takingBackends, withBackend } from './backend.ts';
import { withoutHeader } from './backend-headers.ts';
import { isNeutral, withoutNeutral } from './neutral-headers.ts';
import { type HttpRuleName, parseHttpRuleName } from './rule-name.ts';

/** Whether the object is an HTTPRoute. */
export function isHttpRoute({ kind }: Pick<KubeObject, 'kind'>): boolean {
  return kind === HTTP_ROUTE;
}

/** Names of the releases woven into an HTTPRoute, as `namespace/name`, each once. */
export function releasesInHttpRoute(object: KubeObject): readonly string[] {
  const names = rulesOf(object).flatMap((rule) => parseHttpRuleName(rule.name) ?? []);
  return [...new Set(names.map(({ namespace, release }) => `${namespace}/${release}`))];
}

/**
 * The base of a served HTTPRoute: each base rule back from its `rest` rule, neutral headers and all other woven rules gone, everything else as it is. With `live`,
 * that release's backends are the live version's.
 */
export function unweaveHttpRoute(served: KubeObject, live?: LiveVersion): KubeObject {
  if (releasesInHttpRoute(served).length === 0) return served;
  const { namespace = 'default' } = served.metadata;
  const rules = rulesOf(served).flatMap((rule): readonly HttpRouteRule[] => {
    const name = parseHttpRuleName(rule.name);
    if (name === undefined) return [rule];
    if (name.role === 'beside') return [baseRule(rule, name)];
    return name.role === 'rest' ? [baseRule(restored(rule, name, namespace, live), name)] : [];
  });
  return deepCopy({ ...served, spec: { ...httpRouteOf(served).spec, rules } });
}

/** The rule with its own matches and name. */
function baseRule(rule: HttpRouteRule, { baseName }: HttpRuleName): HttpRouteRule {
  const { name: _, ...unnamed } = rule;
  const isPadded = matchesOf(rule).some(({ headers = [] }) => headers.some(isNeutral));
  const plain = isPadded ? { ...unnamed, matches: matchesOf(rule).map(withoutNeutral) } : unnamed;
  return baseName === undefined ? plain : { ...plain, name: baseName };
}

function restored(rule: HttpRouteRule, name: HttpRuleName, namespace: string, live: LiveVersion | undefined): HttpRouteRule {
  const isLive = live?.release.namespace === name.namespace && live.release.name === name.release;
  return takingBackends(rule).reduce((each, ref) => {
    const plain = withoutMarks(ref, name);
    if (name.base === undefined) return withBackend(each, ref, plain);
    const base = atBase(plain, name.base);
    const moved = isLive ? atVersion(base, namespace, live.service, live.version) : undefined;
    return withBackend(each, ref, moved ?? base);
  }, rule);
}

function withoutMarks(ref: BackendRef, { namespace, release, marked, stamped }: HttpRuleName): BackendRef {
  const open = marked === true ? withoutHeader(ref, PRIVATE) : ref;
  return stamped === true ? withoutHeader(open, cohortStamp(namespace, release, 'stable')) : open;
}

function atBase({ port: _, ...ref }: BackendRef, { name, port }: NonNullable<HttpRuleName['base']>): BackendRef {
  return port === undefined ? { ...ref, name } : { ...ref, name, port };
}
