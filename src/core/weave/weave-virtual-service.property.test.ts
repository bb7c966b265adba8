import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import type { HTTPMatchRequest, HTTPRoute, KubeObject } from '../istio/resources.ts';
import { BUCKETS, bucketOf, OFFSETS, type Offset } from '../visitor/bucket.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { gatewayOf, releaseOf, rulesOf, virtualService } from './fixtures.cases.ts';
import { type ReferenceRequest, referenceRoute } from './reference-router.cases.ts';
import { blocksOf } from './rule-blocks.ts';
import { parseWovenRuleName, type RuleRole } from './rule-name.ts';
import { unweave } from './unweave.ts';
import { unweaveBase } from './unweave-base.ts';
import { type WeaveInput, weaveRelease } from './weave-virtual-service.ts';

const SERVICE = { namespace: 'default', host: 'web', port: 8080 };

// Arbitrary users: what VirtualServices may say, known to Perch or not.

const words = fc.constantFrom('a', 'b', 'text', '');
/** A field that no version of Istio knows, or that Perch does not interpret. */
const unknownValue = fc.oneof(
  words,
  fc.boolean(),
  fc.array(words, { maxLength: 2 }),
  fc.record({ nested: fc.array(fc.record({ deep: words })) }),
);
const uri = fc.oneof(
  fc.constantFrom({ prefix: '/' }, { prefix: '/a' }, { prefix: '/a/b' }, { prefix: '' }, { exact: '/a' }, { exact: '/a/b' }),
  fc.constantFrom({ regex: '/a.*' }, { regex: '.*' }),
);
const userHeader = fc.constantFrom({ exact: 'jason' }, { prefix: 'j' }, { regex: 'j.*n' }, {});
const matchBlock: fc.Arbitrary<HTTPMatchRequest> = fc.record(
  {
    name: words,
    uri,
    ignoreUriCase: fc.boolean(),
    method: fc.constantFrom({ exact: 'GET' }, { exact: 'POST' }),
    headers: fc.oneof(
      { weight: 5, arbitrary: fc.dictionary(fc.constantFrom('end-user', 'X-Tenant'), userHeader, { maxKeys: 2 }) },
      { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('Cookie', 'accept', ':path', 'baggage'), userHeader, { maxKeys: 1 }) },
    ),
    withoutHeaders: fc.dictionary(fc.constantFrom('end-user', 'cookie'), userHeader, { maxKeys: 1 }),
    queryParams: fc.dictionary(fc.constantFrom('q'), fc.constantFrom({ exact: '1' }), { maxKeys: 1 }),
    gateways: fc.constantFrom<string[][]>(['web'], ['mesh'], ['mesh', 'web'], []),
    sourceLabels: fc.constantFrom({ app: 'x' }),
    someFutureCondition: unknownValue,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<HTTPMatchRequest>;
/** No empty blocks: to Istio they say nothing, and un-weaving does not tell them from none. */
const operations = fc
  .record(
    { add: fc.constantFrom({ 'x-a': '1' }, { 'Cache-Control': 'no-store' }, { baggage: 't=1' }, { 'Set-Cookie': 'theirs=1' }) },
    { requiredKeys: [] },
  )
  .filter((each) => Object.keys(each).length > 0);
const headers = fc.oneof(
  fc.record({ request: operations }),
  fc.record({ response: operations }),
  fc.record({ request: operations, response: operations }),
);
const destination = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom<object[]>(
      { host: 'web' },
      { host: 'web', subset: 'v1' },
      { subset: 'v0', host: 'web', someFutureField: { a: 1 } },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<object[]>({ host: 'web.default.svc.cluster.local', port: { number: 8080 } }, { host: 'web-old' }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<object[]>({ host: 'web', subset: 'v9' }, { host: 'other' }, { host: 'web', port: { number: 1 } }),
  },
);
const target = fc.record(
  { destination, weight: fc.integer({ min: 1, max: 100 }), headers, someFutureField: unknownValue },
  { requiredKeys: ['destination'] },
);
const rule: fc.Arbitrary<Record<string, unknown>> = fc
  .record(
    {
      match: fc.array(matchBlock, { maxLength: 3 }),
      timeout: fc.constant('5s'),
      rewrite: fc.constant({ uri: '/' }),
      retries: fc.constant({ attempts: 2 }),
      corsPolicy: fc.constant({ allowOrigins: [{ exact: 'https://a.test' }] }),
      mirror: fc.constant({ host: 'shadow' }),
      fault: fc.constant({ abort: { httpStatus: 503, percentage: { value: 1 } } }),
      headers,
      someFutureField: unknownValue,
      route: fc.oneof({ weight: 6, arbitrary: fc.tuple(target) }, { weight: 1, arbitrary: fc.tuple(target, target) }),
    },
    { requiredKeys: ['route'] },
  )
  .map((each) => each as Record<string, unknown>);
const otherRule = fc.constantFrom<Record<string, unknown>[]>(
  { match: [{ uri: { exact: '/away' } }], redirect: { uri: '/there' } },
  { match: [{ uri: { exact: '/gone' } }], directResponse: { status: 410 } },
  { match: [{ uri: { exact: '/far' } }], delegate: { name: 'far' } },
);
/** Rules carry their index as name, so that a woven rule tells where it comes from; every third has none, at the end of this list. */
const http = fc
  .array(fc.oneof({ weight: 6, arbitrary: rule }, { weight: 1, arbitrary: otherRule }), { minLength: 1, maxLength: 4 })
  .map((rules) => rules.map((each, index) => ({ name: `rule ${index}`, ...each })));
const bindings = fc.constantFrom<string[][]>(['web'], ['web'], ['mesh', 'web']);
const virtualServices = fc
  .tuple(http, bindings, unknownValue)
  .map(([rules, gateways, someFutureField]) => virtualService(rules, { gateways, someFutureField, hosts: ['web.test'] }));

const VERSIONS = { stable: { subset: 'v1' }, canary: { subset: 'v2' } } as const;
const HOSTS = { stable: { host: 'web-v1' }, canary: { host: 'web-v2', port: 81 } } as const;
const plans: fc.Arbitrary<WeaveInput['plan']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        cutoff: fc.integer({ min: 0, max: BUCKETS }),
        offset: fc.constantFrom<Offset[]>(...OFFSETS),
        pair: fc.constantFrom(VERSIONS, HOSTS),
      })
      .map(({ cutoff, offset, pair }) => ({ kind: 'split' as const, cutoff, offset, ...pair })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'settled' as const, live: { subset: 'v2' } },
      { kind: 'settled' as const, live: { host: 'web-v2' } },
    ),
  },
);
const release = fc
  .record({
    cache: fc.constantFrom('issuing', 'private'),
    issueOn: fc.constantFrom('documents', 'all'),
    propagate: fc.constantFrom(['baggage', 'cookie', 'requestId'], ['baggage'], ['cookie']),
    name: fc.constantFrom('perch', '__Host-perch14'),
  })
  .map(({ cache, issueOn, propagate, name }) => ({ cache, visitorId: { issueOn, propagate, cookie: { name, secure: true } } }));

/** Ids are issued in the routed object. */
const edge: fc.Arbitrary<WeaveInput> = fc.tuple(virtualServices, plans, release).map(([routed, plan, spec]) => ({
  release: releaseOf(spec),
  plan,
  former: [{ subset: 'v0' }, { host: 'web-old' }],
  routed,
  issuing: undefined,
  gateways: [gatewayOf()],
  siblings: [routed],
}));
/** Ids are issued in another object; the routed one is inside. */
const insides = fc.constantFrom<(string[] | undefined)[]>(undefined, undefined, ['web'], ['mesh', 'web']);
const internal: fc.Arbitrary<WeaveInput> = fc.tuple(edge, http, virtualServices, insides).map(([input, rules, issuing, gateways]) => ({
  ...input,
  release: releaseOf({ ...input.release.spec, visitorId: { ...input.release.spec.visitorId, issueAt: { virtualService: 'entry' } } }),
  routed: virtualService(
    rules.map((each, index) => ({ ...each, name: `inside ${index}` })),
    { hosts: ['web.test'], gateways },
  ),
  issuing: { ...issuing, metadata: { ...issuing.metadata, name: 'entry' } },
}));
const inputs = fc.oneof(edge, internal);

/** Each woven object with its base. */
function pairs(input: WeaveInput): { readonly base: KubeObject; readonly served: KubeObject }[] {
  return weaveRelease(input).routes.map(({ name, virtualService: served }) => {
    const base = [input.routed, input.issuing].find((object) => object?.metadata.name === name);
    if (base === undefined) throw new Error(`${name} was not an input`);
    return { base, served };
  });
}

/** The base rule that a rule of a served object comes from. */
function originOf(served: HTTPRoute | undefined): string | undefined {
  const woven = parseWovenRuleName(served?.name);
  return woven === undefined ? served?.name : woven.baseName;
}

function holds(arbitrary: fc.Arbitrary<WeaveInput>, predicate: (input: WeaveInput) => void, numRuns = 400): void {
  fc.assert(fc.property(arbitrary, predicate), { seed: 11, numRuns });
}

describe('weaving any VirtualService', () => {
  it('weaves often enough for what follows to mean something', () => {
    const samples = fc.sample(inputs, { seed: 11, numRuns: 400 });
    expect(samples.filter((input) => weaveRelease(input).routes.length > 0).length).toBeGreaterThan(120);
    const internals = fc.sample(internal, { seed: 11, numRuns: 400 });
    expect(internals.filter((input) => weaveRelease(input).routes.length === 2).length).toBeGreaterThan(100);
  });

  it('is pure: the input is unchanged, and the result shares nothing with it', () => {
    holds(inputs, (input) => {
      const before = JSON.stringify(input);
      const { routes } = weaveRelease(input);
      expect(JSON.stringify(input)).toBe(before);
      const own = new Set(objectsIn(routes));
      expect(objectsIn([input.routed, input.issuing]).filter((each) => own.has(each))).toEqual([]);
      expect(own.size).toBe(objectsIn(routes).length);
    });
  });

  it('is idempotent: a woven object is taken for its base', () => {
    holds(inputs, (input) => {
      const first = weaveRelease(input);
      const named = (name: string | undefined) => first.routes.find((route) => route.name === name)?.virtualService;
      const again = weaveRelease({
        ...input,
        routed: named(input.routed.metadata.name) ?? input.routed,
        issuing: named(input.issuing?.metadata.name) ?? input.issuing,
      });
      expect(again).toStrictEqual(first);
    });
  });

  it('un-weaves to the base', () => {
    holds(inputs, (input) => {
      for (const { base, served } of pairs(input))
        expect(JSON.parse(JSON.stringify(unweave(served)))).toStrictEqual(JSON.parse(JSON.stringify(base)));
    });
  });

  it('un-weaves to the live version by changing released destinations, and nothing else', () => {
    holds(inputs, (input) => {
      const live = { service: SERVICE, version: { subset: 'v2' } };
      for (const { base, served } of pairs(input)) {
        const settled = unweave(served, live);
        expect(withoutDestinations(settled)).toStrictEqual(withoutDestinations(base));
        const released = new Set(
          rulesOf(served).flatMap((each) => (parseWovenRuleName(each.name)?.base.kind === 'moved' ? [originOf(each)] : [])),
        );
        rulesOf(settled).forEach((each, index) => {
          const expected = released.has(each.name) ? { subset: 'v2' } : (rulesOf(base)[index]?.route?.[0]?.destination ?? {});
          expect(each.route?.[0]?.destination ?? {}).toMatchObject(expected);
        });
      }
      expect(unweaveBase(input, { subset: 'v2' }).routes.map((route) => JSON.stringify(route))).toEqual(
        weaveRelease({ ...input, plan: { kind: 'settled', live: { subset: 'v2' } } }).routes.map((route) =>
          JSON.stringify({ ...route, virtualService: unweave(route.virtualService, live) }),
        ),
      );
    });
  });

  it('keeps every other field of every rule, and of the object', () => {
    holds(inputs, (input) => {
      for (const { base, served } of pairs(input)) {
        expect(withoutRules(served)).toStrictEqual(withoutRules(base));
        for (const each of rulesOf(served)) {
          const from = rulesOf(base).find((candidate) => candidate.name === originOf(each));
          expect(withoutWovenFields(each)).toStrictEqual(withoutWovenFields(from));
        }
      }
    });
  });

  it('grows linearly: at most 7 rules for one, and at most 7 blocks for one', () => {
    holds(inputs, (input) => {
      for (const { base, served } of pairs(input)) {
        const blocks = (object: KubeObject) => rulesOf(object).flatMap(blocksOf).length;
        expect(rulesOf(served).length).toBeLessThanOrEqual(7 * rulesOf(base).length);
        expect(blocks(served)).toBeLessThanOrEqual(7 * blocks(base));
      }
    });
  });

  it('generates regexes of at most 100 characters, which RE2 takes', () => {
    holds(inputs, (input) => {
      for (const { base, served } of pairs(input)) {
        const users = JSON.stringify(base);
        const regexes = [...JSON.stringify(served).matchAll(/"regex":("(?:[^"\\]|\\.)*")/g)].map(
          (found) => JSON.parse(found[1] ?? '""') as string,
        );
        for (const regex of regexes.filter((each) => !users.includes(JSON.stringify(each)))) {
          expect(regex.length).toBeLessThanOrEqual(100);
          expect(() => RE2JS.compile(regex)).not.toThrow();
        }
      }
    });
  });

  it('only narrows: every woven block asks all that a block of its base rule asks', () => {
    holds(inputs, (input) => {
      for (const { base, served } of pairs(input)) {
        for (const each of rulesOf(served)) {
          const from = rulesOf(base).find((candidate) => candidate.name === originOf(each));
          for (const block of blocksOf(each)) expect(blocksOf(from ?? {}).some((wide) => isNarrower(block, wide))).toBe(true);
        }
      }
    });
  });
});

// Arbitrary visitors, and where they end.

const IDS = ['3f2a9c1e-7b54-4d21-9e0a-000000000000', '3f2a9c1e-7b54-4d21-9e0a-19919a19a19b', '3f2a9c1e-7b54-4d21-9e0a-ffffffffffff'];
const id = fc.oneof(fc.constantFrom(...IDS), fc.uuid());
const baggage = fc.constantFrom('perch.web=canary', 'perch.web=stable', 't=1, perch.web=canary', 'perch.web=canaryx');
const requests: fc.Arbitrary<ReferenceRequest> = fc
  .record({
    at: fc.constantFrom('web', 'mesh'),
    labels: fc.constantFrom({}, { app: 'x' }),
    method: fc.constantFrom('GET', 'POST'),
    path: fc.constantFrom('/', '/a', '/a?q=1', '/A', '/a/b', '/a/b/c?q=1', '/c', '/away'),
    requestId: id,
    visitor: fc.option(id, { nil: undefined }),
    before: fc.constantFrom('', 'a=1; ', 'a=1;', 'xperch=1; '),
    document: fc.constantFrom({}, { accept: ['text/html,*/*'] }, { 'sec-fetch-mode': ['navigate'] }, { accept: ['image/png'] }),
    user: fc.constantFrom({}, { 'end-user': ['jason'] }, { 'end-user': ['jim'], 'x-tenant': ['jason'] }),
    told: fc.option(baggage, { nil: undefined }),
  })
  .map(({ at, labels, method, path, requestId, visitor, before, document, user, told }) => ({
    at,
    labels,
    method,
    path,
    headers: {
      'x-request-id': [requestId],
      ...(visitor === undefined ? {} : { cookie: [`${before}perch=${visitor}; z=9`] }),
      ...(told === undefined ? {} : { baggage: [told] }),
      ...document,
      ...user,
    },
  }));

const tenRequests = fc.array(requests, { minLength: 10, maxLength: 10 });

/** The cookie of these properties is always named perch. */
function named(input: WeaveInput): WeaveInput {
  const { visitorId } = input.release.spec;
  return {
    ...input,
    release: releaseOf({ ...input.release.spec, visitorId: { ...visitorId, cookie: { ...visitorId.cookie, name: 'perch' } } }),
  };
}

function isDocument(request: ReferenceRequest): boolean {
  return request.headers['accept']?.[0]?.includes('text/html') === true || request.headers['sec-fetch-mode']?.[0] === 'navigate';
}

describe('any request', () => {
  it('takes the rule that it took before, whatever else the gateway merges with it and in whatever order', () => {
    const sibling = http.map((rules) =>
      virtualService(
        rules.map((each, index) => ({ ...each, name: `sibling ${index}` })),
        {},
        'other',
      ),
    );
    let woven = 0;
    fc.assert(
      fc.property(inputs.map(named), sibling, fc.boolean(), tenRequests, (input, other, siblingFirst, all) => {
        const objects = pairs({ ...input, siblings: [other] });
        woven += objects.length;
        const merged = (own: readonly KubeObject[]) => (siblingFirst ? [other, ...own] : [...own, other]);
        for (const request of all) {
          // Sidecars merge nothing: of two objects for a host they serve the first.
          const groups = request.at === 'mesh' ? objects.map((each) => [each]) : [objects, [...objects].reverse()];
          for (const group of groups) {
            const before = referenceRoute(merged(group.map((each) => each.base)), request);
            const after = referenceRoute(merged(group.map((each) => each.served)), request);
            expect(originOf(after)).toBe(before?.name);
          }
        }
      }),
      { seed: 13, numRuns: 1_500 },
    );
    expect(woven).toBeGreaterThan(300);
  });

  it('at the edge: with an id, or as a new visitor, the version is canary exactly when bucket < cutoff; ids are issued to new ones only', () => {
    const seen = { known: 0, new: 0, told: 0, rest: 0, none: 0 };
    const outcomes = fc.tuple(edge.map(named), tenRequests).map(([input, all]) => ({ input, all, served: pairs(input)[0]?.served }));
    fc.assert(
      fc.property(outcomes, ({ input, all, served }) => {
        for (const request of all) seen[expectAtEdge(input, served, { ...request, labels: {} }) ?? 'none']++;
      }),
      { seed: 17, numRuns: 1_000 },
    );
    expect(Math.min(seen.known, seen.new, seen.rest)).toBeGreaterThan(100);
  });

  it('inside: what the gateway told decides, then the cookie, then the request id where the release says so, else stable', () => {
    let told = 0;
    const outcomes = fc.tuple(internal.map(named), tenRequests).map(([input, all]) => ({ input, all, served: pairs(input)[1]?.served }));
    fc.assert(
      fc.property(outcomes, ({ input, all, served }) => {
        for (const request of all) told += expectInside(input, served, { ...request, at: 'mesh', labels: {} }) === 'told' ? 1 : 0;
      }),
      { seed: 19, numRuns: 600 },
    );
    expect(told).toBeGreaterThan(100);
  });
});

/** Checks one request against arithmetic; answers the role of the woven rule that took it, if one did. */
function expectAtEdge(input: WeaveInput, served: KubeObject | undefined, request: ReferenceRequest): RuleRole | undefined {
  const { plan } = input;
  const taken = referenceRoute(served === undefined ? [] : [served], request);
  const name = parseWovenRuleName(taken?.name);
  if (name === undefined || plan.kind !== 'split') return undefined;
  const visitor = visitorIdFromCookies(request.headers['cookie'] ?? [], 'perch');
  const issues = JSON.stringify(taken).includes('"Set-Cookie":"perch=');
  expect([issues, request]).toEqual([visitor === undefined && canGetId(input, request), request]);
  const deciding = visitor ?? (issues ? request.headers['x-request-id']?.[0] : undefined);
  const canary = isBelow(deciding, plan);
  expect(taken?.route?.[0]?.destination).toMatchObject(versionFields(canary ? plan.canary : plan.stable));
  expect([name.role, name.cohort]).toEqual([visitor !== undefined ? 'known' : issues ? 'new' : 'rest', canary ? 'canary' : 'stable']);
  return name.role;
}

/** New visitors get an id at the gateway, when they ask for a document. (Not by blocks with source labels, which these requests do not have.) */
function canGetId(input: WeaveInput, request: ReferenceRequest): boolean {
  const asks = input.release.spec.visitorId.issueOn === 'all' || isDocument(request);
  return request.at !== 'mesh' && asks;
}

function expectInside(input: WeaveInput, served: KubeObject | undefined, request: ReferenceRequest): RuleRole | undefined {
  const { plan } = input;
  const taken = referenceRoute(served === undefined ? [] : [served], request);
  const name = parseWovenRuleName(taken?.name);
  if (name === undefined || plan.kind !== 'split') return undefined;
  const ways = new Set(input.release.spec.visitorId.propagate);
  const said = ways.has('baggage') ? /perch\.web=(canary|stable)(?!\w)/.exec(request.headers['baggage']?.[0] ?? '')?.[1] : undefined;
  const visitor = ways.has('cookie') ? visitorIdFromCookies(request.headers['cookie'] ?? [], 'perch') : undefined;
  const drawn = visitor ?? (ways.has('requestId') ? request.headers['x-request-id']?.[0] : undefined);
  // At cutoff 0 nobody is believed who says canary.
  const canary = said === undefined || (said === 'canary' && plan.cutoff === 0) ? isBelow(drawn, plan) : said === 'canary';
  expect(taken?.route?.[0]?.destination).toMatchObject(versionFields(canary ? plan.canary : plan.stable));
  return name.role;
}

function isBelow(visitor: string | undefined, plan: Extract<WeaveInput['plan'], { kind: 'split' }>): boolean {
  return visitor !== undefined && (bucketOf(visitor, plan.offset) ?? BUCKETS) < plan.cutoff;
}

function versionFields(version: { readonly subset?: string; readonly host?: string }): object {
  return 'host' in version ? { host: version.host } : { subset: version.subset };
}

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

function withoutRules(object: KubeObject): unknown {
  return plain({ ...object, spec: { ...(object.spec as object), http: [] } });
}

function withoutDestinations(object: KubeObject): unknown {
  const http = rulesOf(object).map((each) => ({ ...each, route: each.route?.map((target) => ({ ...target, destination: {} })) }));
  return plain({ ...object, spec: { ...(object.spec as object), http } });
}

/** A rule without what weaving may change: its name, its match, and of its destinations where they lead and what is added to headers. */
function withoutWovenFields(rule: HTTPRoute | undefined): unknown {
  return plain({ ...rule, name: '', match: [], route: rule?.route?.map((target) => ({ ...target, destination: {}, headers: {} })) });
}

/** As JSON: without fields that are undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Whether `block` has every condition of `wide`; gateways may be fewer, and headers more. */
function isNarrower(block: HTTPMatchRequest, wide: HTTPMatchRequest): boolean {
  const { headers: asked = {}, gateways = [], ...rest } = block;
  const { headers: wanted = {}, gateways: allowed = [], ...wideRest } = wide;
  const headersKept = Object.entries(wanted).every(([name, match]) => JSON.stringify(asked[name]) === JSON.stringify(match));
  const gatewaysKept = allowed.length === 0 || (gateways.length > 0 && gateways.every((name) => allowed.includes(name)));
  return headersKept && gatewaysKept && JSON.stringify(rest) === JSON.stringify(wideRest);
}
