import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRouteRule } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { bucketOf } from '../visitor/bucket.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { ids } from '../weave/arbitrary-requests.cases.ts';
import { inputs, originOf } from './arbitrary-http-routes.cases.ts';
import { takingBackends } from './backend.ts';
import { HTTP_ROUTE_LIMITS } from './http-route-findings.ts';
import { type HttpRequest, referenceHttpRoute } from './reference-http-router.cases.ts';
import { parseHttpRuleName } from './rule-name.ts';
import { unweaveHttpRoute } from './unweave-http-route.ts';
import { type HttpWeaveInput, weaveHttpRoute } from './weave-http-route.ts';

const requests: fc.Arbitrary<HttpRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'POST'),
    path: fc.constantFrom('/', '/a', '/a/', '/ab', '/a/b', '/a/b/c', '/b'),
    query: fc.constantFrom({}, { q: '1' }, { q: '1', r: '1' }),
    requestId: ids,
    cookie: fc.option(ids, { nil: undefined }),
    own: fc.constantFrom({}, { 'x-a': '1' }, { 'x-a': '1', 'x-b': '1' }, { 'x-a': '1', 'x-b': '1', 'x-c': '2' }),
    page: fc.constantFrom({}, { accept: 'text/html,*/*' }, { 'sec-fetch-mode': 'navigate' }),
  })
  .map(({ method, path, query, requestId, cookie, own, page }) => ({
    method,
    path,
    query,
    headers: {
      host: 'shop.test',
      'x-forwarded-proto': 'http',
      'x-request-id': requestId,
      ...(cookie === undefined ? {} : { cookie: `a=1; perch=${cookie}` }),
      ...own,
      ...page,
    },
  }));

const isPage = ({ headers: { accept, 'sec-fetch-mode': mode } }: HttpRequest) => accept !== undefined || mode !== undefined;

interface Answer {
  readonly name: string | undefined;
  readonly port: number | undefined;
  readonly issues: boolean;
  readonly isPrivate: boolean;
}

/** Where a release has to send a request that a released rule takes, and what has to be added to the answer. */
function expected({ release, plan }: HttpWeaveInput, request: HttpRequest): Answer {
  const id = visitorIdFromCookies([request.headers['cookie'] ?? ''], 'perch');
  const issues = id === undefined && (release.spec.visitorId.issueOn === 'all' || isPage(request));
  if (plan.kind === 'settled') return { name: 'web-v2', port: 9080, issues, isPrivate: issues };
  const decides = id ?? (issues ? request.headers['x-request-id'] : undefined);
  const bucket = decides === undefined ? undefined : bucketOf(decides, plan.offset);
  const isCanary = bucket !== undefined && bucket < plan.cutoff;
  return { name: isCanary ? 'web-v2' : 'web-v1', port: 9080, issues, isPrivate: issues || release.spec.cache === 'private' };
}

function answerOf(rule: HttpRouteRule): Answer {
  const [ref] = takingBackends(rule);
  const added = (ref?.filters ?? []).flatMap((each) => each.responseHeaderModifier?.add ?? []).map((each) => each.name);
  return { name: ref?.name, port: ref?.port, issues: added.includes('Set-Cookie'), isPrivate: added.includes('Cache-Control') };
}

const replaced = (routes: readonly KubeObject[], route: KubeObject) =>
  routes.map((each) => (each.metadata.name === route.metadata.name ? route : each));

describe('any HTTPRoute and any request', () => {
  it('each takes the rule that it took before, and goes where its bucket says; siblings are not touched', () => {
    const counts = { woven: 0, released: 0, beside: 0, padded: 0, canary: 0, issued: 0 };
    fc.assert(
      fc.property(inputs, fc.array(requests, { minLength: 20, maxLength: 20 }), (input, all) => {
        const { route } = weaveHttpRoute(input);
        if (route === undefined) return;
        counts.woven++;
        if (JSON.stringify(route).includes('beside')) counts.padded++;
        const after = replaced(input.siblings, route);
        for (const request of all) {
          const before = referenceHttpRoute(input.siblings, request);
          const taken = referenceHttpRoute(after, request);
          expect(originOf(taken?.rule)).toEqual(originOf(before?.rule));
          const role = parseHttpRuleName(taken?.rule.name)?.role;
          if (taken === undefined || role === undefined || role === 'beside') {
            counts.beside++;
            expect(taken?.rule.backendRefs).toEqual(before?.rule.backendRefs);
            continue;
          }
          counts.released++;
          const wanted = expected(input, request);
          if (wanted.name === 'web-v2') counts.canary++;
          if (wanted.issues) counts.issued++;
          expect(answerOf(taken.rule)).toEqual(wanted);
        }
      }),
      { seed: 19, numRuns: runs(4000) },
    );
    expect(counts.woven).toBeGreaterThan(atLeast(1300));
    expect(counts.padded).toBeGreaterThan(atLeast(130));
    expect(counts.released).toBeGreaterThan(atLeast(7_000));
    expect(counts.beside).toBeGreaterThan(atLeast(3_500));
    expect(Math.min(counts.canary, counts.issued)).toBeGreaterThan(atLeast(650));
  });

  it('un-weaving gives the base; woven again it is the same; and it stays within the limits of Gateway API', () => {
    let woven = 0;
    fc.assert(
      fc.property(inputs, (input) => {
        const { route } = weaveHttpRoute(input);
        if (route === undefined) return;
        woven++;
        expect(unweaveHttpRoute(route)).toEqual(input.route);
        expect(weaveHttpRoute({ ...input, route })).toEqual(weaveHttpRoute(input));
        const rules = (route.spec as { readonly rules: readonly HttpRouteRule[] }).rules;
        expect(rules.length).toBeLessThanOrEqual(HTTP_ROUTE_LIMITS.rules);
        const names = rules.flatMap(({ name }) => (parseHttpRuleName(name) === undefined ? [] : [name]));
        expect(new Set(names).size).toBe(names.length);
        for (const { matches = [], filters = [] } of rules) {
          expect(matches.every(({ headers: own = [] }) => new Set(own.map(({ name }) => name.toLowerCase())).size === own.length)).toBe(
            true,
          );
          if (filters.some(({ type }) => type === 'URLRewrite')) expect(matches.length).toBe(1);
        }
      }),
      { seed: 20, numRuns: runs(1500) },
    );
    expect(woven).toBeGreaterThan(atLeast(450));
  });

  it('un-weaving to the live version moves the backends of the release, and nothing else', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { route } = weaveHttpRoute(input);
        if (route === undefined) return;
        const { metadata } = input.release;
        const live = { release: metadata, service: { namespace: 'default', host: 'web', port: 9080 }, version: { host: 'web-v2' } };
        const moved = unweaveHttpRoute(route, live);
        const settled = weaveHttpRoute({ ...input, plan: { kind: 'settled', live: { host: 'web-v2' } } });
        const woven = new Set(
          ((route.spec as { readonly rules: readonly HttpRouteRule[] }).rules ?? []).flatMap(({ name }) => {
            const parsed = parseHttpRuleName(name);
            return parsed?.role === 'rest' ? [parsed.index] : [];
          }),
        );
        const rules = (input.route.spec as { readonly rules: readonly HttpRouteRule[] }).rules.map((each, index) => {
          if (!woven.has(index)) return each;
          const backendRefs = (each.backendRefs ?? []).map((ref) => ((ref.weight ?? 1) > 0 ? { ...ref, name: 'web-v2', port: 9080 } : ref));
          return { ...each, backendRefs };
        });
        expect(moved).toEqual({ ...input.route, spec: { ...(input.route.spec as object), rules } });
        expect(settled.route).toBeDefined();
      }),
      { seed: 21, numRuns: runs(2000) },
    );
  });
});
