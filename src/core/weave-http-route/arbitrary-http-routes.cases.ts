import fc from 'fast-check';
import type { BackendRef, HttpRouteMatch, HttpRouteRule, ValueMatch } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { BUCKETS, OFFSETS, type Offset } from '../visitor/bucket.ts';
import type { SettledPlan, SplitPlan } from '../weave/plan.ts';
import { httpReleaseOf, httpRoute } from './http-fixtures.cases.ts';
import type { HttpWeaveInput } from './weave-http-route.ts';

const some = <Item>(items: readonly Item[], maxLength = 2) => fc.uniqueArray(fc.constantFrom(...items), { maxLength });

const headers = some<ValueMatch>([
  { name: 'x-a', value: '1' },
  { name: 'x-b', value: '1' },
  { name: 'X-C', type: 'RegularExpression', value: '[12]' },
  { name: 'host', type: 'RegularExpression', value: 'shop.*' },
]);
const queryParams = some<ValueMatch>([
  { name: 'q', value: '1' },
  { name: 'r', value: '1' },
]);
const match: fc.Arbitrary<HttpRouteMatch> = fc
  .record({
    path: fc.constantFrom<NonNullable<HttpRouteMatch['path']>>(
      { type: 'PathPrefix', value: '/' },
      { type: 'PathPrefix', value: '/a' },
      { type: 'PathPrefix', value: '/a/' },
      { type: 'PathPrefix', value: '/a/b' },
      { type: 'Exact', value: '/a' },
      { type: 'RegularExpression', value: '/[ab].*' },
      { type: 'RegularExpression', value: '/a/?.*b' },
    ),
    method: fc.constantFrom('GET', undefined, undefined),
    headers,
    queryParams,
  })
  .map(({ path, method, headers: asked, queryParams: queries }) => ({
    path,
    ...(method === undefined ? {} : { method }),
    ...(asked.length === 0 ? {} : { headers: asked }),
    ...(queries.length === 0 ? {} : { queryParams: queries }),
  }));

const backends = fc.constantFrom<BackendRef[]>(
  [{ name: 'web-v1', port: 9080 }],
  [{ name: 'web', port: 9080, weight: 3 }],
  [{ name: 'web-v0', namespace: 'default', port: 81 }],
  [
    { name: 'web-v1', port: 9080, weight: 1 },
    { name: 'web-v2', port: 9080, weight: 0 },
  ],
  [{ name: 'other', port: 80 }],
  [{ name: 'other', port: 80 }],
  [
    { name: 'web-v1', port: 9080 },
    { name: 'other', port: 80 },
  ],
);
const rule = fc
  .record({
    matches: fc.array(match, { minLength: 1, maxLength: 2 }),
    backendRefs: backends,
    isRewriting: fc.boolean(),
    name: fc.constantFrom('pages', 'api.v1', undefined, undefined),
  })
  .map(({ matches, backendRefs, isRewriting, name }): HttpRouteRule => {
    const [first] = matches;
    const rewrites = isRewriting && first?.path?.type === 'PathPrefix';
    const urlRewrite = { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } };
    return {
      ...(name === undefined ? {} : { name }),
      matches: rewrites ? [first] : matches,
      ...(rewrites ? { filters: [{ type: 'URLRewrite', urlRewrite }] } : {}),
      backendRefs,
    };
  });

/** Which base rule a rule is of: a filter tells, which weaving keeps. */
const tagged = (rules: readonly HttpRouteRule[], tag: string): HttpRouteRule[] =>
  rules.map((each, index) => {
    const own = { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-rule', value: `${tag}${index}` }] } };
    return { ...each, filters: [...(each.filters ?? []), own] };
  });
/** The same of each rule that a base rule becomes, and of no other. */
export const originOf = (each: HttpRouteRule | undefined): unknown => each?.filters?.find(({ type }) => type === 'RequestHeaderModifier');

const plans: fc.Arbitrary<SplitPlan | SettledPlan> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        cutoff: fc.oneof(fc.constantFrom(0, 1, 410, BUCKETS - 1, BUCKETS), fc.integer({ min: 0, max: BUCKETS })),
        offset: fc.constantFrom<Offset[]>(...OFFSETS),
      })
      .map((draw): SplitPlan => ({ kind: 'split', stable: { host: 'web-v1' }, canary: { host: 'web-v2' }, ...draw })),
  },
  { weight: 1, arbitrary: fc.constant<SettledPlan>({ kind: 'settled', live: { host: 'web-v2' } }) },
);

/** Releases of `web`, and HTTPRoutes that an apiserver takes: a few paths, methods, headers and parameters in all combinations, some with another route beside them. */
export const inputs: fc.Arbitrary<HttpWeaveInput> = fc
  .record({
    plan: plans,
    rules: fc.array(rule, { minLength: 1, maxLength: 4 }),
    others: fc.array(rule, { minLength: 1, maxLength: 2 }),
    otherAge: fc.constantFrom(0, 1, 2),
    hasSibling: fc.boolean(),
    issueOn: fc.constantFrom('documents', 'all'),
    cache: fc.constantFrom('issuing', 'private'),
  })
  .map(({ plan, rules, others, otherAge, hasSibling, issueOn, cache }) => {
    const route = httpRoute(tagged(rules, 'own '));
    const sibling = httpRoute(tagged(others, 'sibling '), {}, 'sibling', otherAge);
    return {
      release: httpReleaseOf({ visitorId: { issueOn }, cache }),
      plan,
      former: [{ host: 'web-v0', port: 81 }],
      route,
      siblings: hasSibling ? [route, sibling] : [route],
      virtualServices: [],
    };
  });

/** The same inside the mesh: `web` hangs on a Service of that name, and `edge`, at a Gateway, issues ids and leads anywhere. */
export const meshInputs: fc.Arbitrary<HttpWeaveInput & { readonly issuing: KubeObject }> = fc
  .record({
    input: inputs,
    pages: fc.array(rule, { minLength: 1, maxLength: 2 }),
    propagate: fc.constantFrom(['baggage'], ['cookie'], ['baggage', 'cookie'], ['baggage', 'cookie', 'requestId'], ['cookie', 'requestId']),
  })
  .map(({ input, pages, propagate }) => {
    const inside = (route: KubeObject): KubeObject => ({
      ...route,
      spec: { ...(route.spec as object), parentRefs: [{ group: '', kind: 'Service', name: 'web' }], hostnames: [] },
    });
    const { issueOn } = input.release.spec.visitorId;
    const issuing = httpRoute(tagged(pages, 'edge '), {}, 'edge', 3);
    return {
      ...input,
      release: httpReleaseOf({ visitorId: { issueAt: { httpRoute: 'edge' }, issueOn, propagate }, cache: input.release.spec.cache }),
      route: inside(input.route),
      issuing,
      siblings: [...input.siblings.map(inside), issuing],
    };
  });
