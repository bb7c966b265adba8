import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRouteRule } from '../gateway-api/http-route.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { bucketOf } from '../visitor/bucket.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { ids } from '../weave/arbitrary-requests.cases.ts';
import { meshInputs, originOf } from './arbitrary-http-routes.cases.ts';
import { takingBackends } from './backend.ts';
import { type HttpRequest, referenceHttpRoute } from './reference-http-router.cases.ts';
import { parseHttpRuleName } from './rule-name.ts';
import { unweaveHttpRoute } from './unweave-http-route.ts';
import { type HttpWeaveInput, weaveHttpRoute } from './weave-http-route.ts';

/** What a browser asks of the edge, and which of its headers the service there passes on to the one behind it. */
const journeys = fc.record({
  path: fc.constantFrom('/', '/a', '/a/b', '/ab'),
  inner: fc.constantFrom('/', '/a', '/a/b', '/ab', '/b'),
  method: fc.constantFrom('GET', 'POST'),
  requestId: ids,
  /** That of the second hop, where the service makes its own. */
  ownRequestId: ids,
  cookie: fc.option(ids, { nil: undefined }),
  page: fc.constantFrom<Readonly<Record<string, string>>>({}, { accept: 'text/html,*/*' }),
  own: fc.constantFrom<Readonly<Record<string, string>>>({}, { 'x-a': '1' }, { 'x-a': '1', 'x-b': '1' }),
  baggage: fc.constantFrom(undefined, 'a=b', 'perch.webs=canary'),
  passes: fc.record({ baggage: fc.boolean(), cookie: fc.boolean(), requestId: fc.boolean() }),
});
type Journey = typeof journeys extends fc.Arbitrary<infer Each> ? Each : never;

const ALWAYS = { host: 'shop.test', 'x-forwarded-proto': 'http' };

function atEdge({ path, method, requestId, cookie, page, own, baggage }: Journey): HttpRequest {
  const headers = {
    ...ALWAYS,
    'x-request-id': requestId,
    ...(cookie === undefined ? {} : { cookie: `a=1; perch=${cookie}` }),
    ...(baggage === undefined ? {} : { baggage }),
    ...page,
    ...own,
  };
  return { method, path, query: {}, headers };
}

/** The request behind the edge: what a rule there adds, as Envoy appends it, and what the service passes on. */
function behind(request: HttpRequest, rule: HttpRouteRule | undefined, { inner, ownRequestId, own, passes }: Journey): HttpRequest {
  const [ref] = rule === undefined ? [] : takingBackends(rule);
  const added = (ref?.filters ?? []).flatMap((each) => each.requestHeaderModifier?.add ?? []).filter(({ name }) => name === 'baggage');
  const { baggage: before, cookie, 'x-request-id': requestId = '' } = request.headers;
  const baggage = [...(before === undefined ? [] : [before]), ...added.map(({ value }) => value)].join(',');
  const headers = {
    ...ALWAYS,
    ...own,
    'x-request-id': passes.requestId ? requestId : ownRequestId,
    ...(passes.cookie && cookie !== undefined ? { cookie } : {}),
    ...(passes.baggage && baggage !== '' ? { baggage } : {}),
  };
  return { method: request.method, path: inner, query: {}, headers };
}

const roleOf = (rule: HttpRouteRule | undefined) => parseHttpRuleName(rule?.name)?.role;

/** The cohort of a request at the edge: undefined where a rule took it that has nothing to do with the release. */
function cohortAtEdge({ release, plan }: HttpWeaveInput, request: HttpRequest, rule: HttpRouteRule | undefined) {
  const role = roleOf(rule);
  if (role === undefined || role === 'beside' || plan.kind === 'settled') return undefined;
  const id = visitorIdFromCookies([request.headers['cookie'] ?? ''], 'perch');
  const issues = id === undefined && (release.spec.visitorId.issueOn === 'all' || request.headers['accept'] !== undefined);
  const decides = id ?? (issues ? request.headers['x-request-id'] : undefined);
  const bucket = decides === undefined ? undefined : bucketOf(decides, plan.offset);
  return bucket !== undefined && bucket < plan.cutoff ? 'canary' : 'stable';
}

/** The version to which the hop has to send it: told before known, known before asked. */
function versionBehind(
  { release, plan }: HttpWeaveInput,
  told: 'canary' | 'stable' | undefined,
  { headers }: HttpRequest,
  passes: Journey['passes'],
) {
  if (plan.kind === 'settled') return 'web-v2';
  const { propagate } = release.spec.visitorId;
  const isBelow = (id: string | undefined) => {
    const bucket = id === undefined ? undefined : bucketOf(id, plan.offset);
    return bucket === undefined ? undefined : bucket < plan.cutoff;
  };
  const stamped = propagate.includes('baggage') && passes.baggage ? told : undefined;
  const known = propagate.includes('cookie') ? isBelow(visitorIdFromCookies([headers['cookie'] ?? ''], 'perch')) : undefined;
  const asked = propagate.includes('requestId') ? isBelow(headers['x-request-id']) : undefined;
  const isCanary = (stamped === undefined ? undefined : stamped === 'canary') ?? known ?? asked ?? false;
  return isCanary ? 'web-v2' : 'web-v1';
}

describe('any HTTPRoute inside the mesh, and any at the edge that tells it', () => {
  it('every request takes the rules that it took before, and goes where the edge said, wherever that arrives', () => {
    const counts = { woven: 0, told: 0, canary: 0, beside: 0, issued: 0 };
    fc.assert(
      fc.property(meshInputs, fc.array(journeys, { minLength: 10, maxLength: 10 }), (input, all) => {
        const { route, issuing } = weaveHttpRoute(input);
        if (route === undefined || issuing === undefined) return;
        counts.woven++;
        const [edge, inside] = [[input.issuing], input.siblings.filter(({ metadata }) => metadata.name !== 'edge')];
        const wovenInside = inside.map((each) => (each.metadata.name === 'web' ? route : each));
        for (const journey of all) {
          const request = atEdge(journey);
          const [first, firstBefore] = [referenceHttpRoute([issuing], request), referenceHttpRoute(edge, request)];
          expect(originOf(first?.rule)).toEqual(originOf(firstBefore?.rule));
          // Nobody is led elsewhere by the edge.
          const names = (rule: HttpRouteRule | undefined) => rule?.backendRefs?.map(({ name, port, weight }) => [name, port, weight]);
          expect(names(first?.rule)).toEqual(names(firstBefore?.rule));
          const answers = (first?.rule.backendRefs ?? []).flatMap(({ filters = [] }) => filters);
          if (answers.some((each) => each.responseHeaderModifier?.add?.some(({ name }) => name === 'Set-Cookie'))) counts.issued++;
          const next = behind(request, first?.rule, journey);
          const [taken, before] = [referenceHttpRoute(wovenInside, next), referenceHttpRoute(inside, next)];
          expect(originOf(taken?.rule)).toEqual(originOf(before?.rule));
          const role = roleOf(taken?.rule);
          if (taken === undefined || role === undefined || role === 'beside') {
            counts.beside++;
            expect(taken?.rule.backendRefs).toEqual(before?.rule.backendRefs);
            continue;
          }
          const [ref] = takingBackends(taken.rule);
          const wanted = versionBehind(input, cohortAtEdge(input, request, first?.rule), next, journey.passes);
          expect([ref?.name, ref?.port]).toEqual([wanted, 9080]);
          if (role === 'told') counts.told++;
          if (wanted === 'web-v2') counts.canary++;
        }
        // Ids are issued at the edge only.
        expect(JSON.stringify(route)).not.toMatch(/Set-Cookie|%REQ/);
      }),
      { seed: 26, numRuns: runs(3000) },
    );
    expect(counts.woven).toBeGreaterThan(atLeast(700));
    expect(Math.min(counts.canary, counts.beside, counts.issued)).toBeGreaterThan(atLeast(400));
    expect(counts.told).toBeGreaterThan(atLeast(100));
  });

  it('un-weaving gives both bases, and woven again they are the same', () => {
    let woven = 0;
    fc.assert(
      fc.property(meshInputs, (input) => {
        const { route, issuing } = weaveHttpRoute(input);
        if (route === undefined || issuing === undefined) return;
        woven++;
        expect(unweaveHttpRoute(route)).toEqual(input.route);
        expect(unweaveHttpRoute(issuing)).toEqual(input.issuing);
        expect(weaveHttpRoute({ ...input, route, issuing })).toEqual(weaveHttpRoute(input));
        const live = {
          release: input.release.metadata,
          service: { namespace: 'default', host: 'web', port: 9080 },
          version: { host: 'web-v2' },
        };
        expect(unweaveHttpRoute(issuing, live)).toEqual(input.issuing);
      }),
      { seed: 27, numRuns: runs(1500) },
    );
    expect(woven).toBeGreaterThan(atLeast(300));
  });
});
