import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveHost } from '../istio/names.ts';
import type { KubeObject } from '../istio/resources.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { BUCKETS, bucketOf } from '../visitor/bucket.ts';
import { visitorIdFromCookies } from '../visitor/visitor-id.ts';
import { cookies, SHAPES } from './arbitrary-draws.cases.ts';
import { beforeAndAfter, FORMS, originOf } from './arbitrary-inputs.cases.ts';
import { ids, isDocument, requestsWith } from './arbitrary-requests.cases.ts';
import { http } from './arbitrary-routes.cases.ts';
import { releaseOf, virtualService } from './fixtures.cases.ts';
import { type ReferenceRequest, referenceRoute } from './reference-router.cases.ts';
import { type RuleRole, servedRuleNames } from './rule-name.ts';
import type { WeaveInput } from './weave-virtual-service.ts';

/** Arbitrary visitors, and where they end. */

const known = ids.map((id) => `perch=${id}`);
const tenRequests = fc.array(requestsWith(known), { minLength: 10, maxLength: 10 });
const tenOfBothModes = fc.array(
  requestsWith(
    fc.oneof(
      known,
      cookies.map(({ name, value }) => `${name}=${value}`),
    ),
  ),
  { minLength: 10, maxLength: 10 },
);

/** The cookie of these properties is always named perch. */
function named(input: WeaveInput): WeaveInput {
  const { visitorId } = input.release.spec;
  return {
    ...input,
    release: releaseOf({ ...input.release.spec, visitorId: { ...visitorId, cookie: { ...visitorId.cookie, name: 'perch' } } }),
  };
}

const sibling = http.map((rules) =>
  virtualService(
    rules.map((each, index) => ({ ...each, name: `sibling ${index}` })),
    {},
    'other',
  ),
);

describe.each(SHAPES)('any request: %s', (_shape, inputs) => {
  it('takes the rule that it took before, whatever else the gateway merges with it and in whatever order', () => {
    let woven = 0;
    let taken = 0;
    fc.assert(
      fc.property(inputs.map(named), sibling, fc.boolean(), tenOfBothModes, (input, other, siblingFirst, all) => {
        const { before, after, woven: count } = beforeAndAfter({ ...input, siblings: [...input.siblings, other] });
        if (count === 0) return;
        woven += count;
        const last = (object: KubeObject) => (object.metadata.name === 'other') === siblingFirst;
        const ordered = (objects: readonly KubeObject[]) => [...objects.filter((each) => !last(each)), ...objects.filter(last)];
        for (const request of all) {
          // Sidecars merge nothing: of two objects for a host they serve the first.
          const groups = request.at === 'mesh' ? before.map((_, index) => [index]) : [[...before.keys()], [...before.keys()].toReversed()];
          for (const group of groups) {
            const of = (objects: readonly KubeObject[]) => ordered(group.flatMap((index) => objects[index] ?? []));
            const then = referenceRoute(of(before), request);
            const now = referenceRoute(of(after), request);
            expect([originOf(now), request]).toEqual([then?.name, request]);
            taken += now !== undefined && servedRuleNames(now.name)[0] !== undefined ? 1 : 0;
          }
        }
      }),
      { seed: 13, numRuns: runs(1_000) },
    );
    expect(woven).toBeGreaterThan(atLeast(300));
    expect(taken).toBeGreaterThan(atLeast(500));
  });
});

describe.each(FORMS)('any visitor: %s', (_form, inputs) => {
  it('at the edge: with an id, or as a new visitor, the version is canary exactly when bucket < cutoff; ids are issued to new ones only', () => {
    const seen = { known: 0, new: 0, told: 0, claimed: 0, rest: 0, none: 0 };
    const edges = inputs.filter(({ issuing }) => issuing === undefined).map(named);
    fc.assert(
      fc.property(edges, tenRequests, (input, all) => {
        const { after } = beforeAndAfter(input);
        for (const request of all) seen[expectAtEdge(input, after, { ...request, labels: {} }) ?? 'none']++;
      }),
      { seed: 17, numRuns: runs(1_000) },
    );
    expect(Math.min(seen.known, seen.new, seen.rest)).toBeGreaterThan(atLeast(60));
  });

  it('inside: what the gateway told decides, then the cookie, then the request id where the release says so, else stable', () => {
    let told = 0;
    const internal = inputs.filter(({ issuing }) => issuing !== undefined).map(named);
    fc.assert(
      fc.property(internal, tenRequests, (input, all) => {
        const { after } = beforeAndAfter(input);
        const inside = after.filter(({ metadata }) => metadata.name !== 'entry');
        for (const request of all) told += expectInside(input, inside, { ...request, at: 'mesh', labels: {} }) === 'told' ? 1 : 0;
      }),
      { seed: 19, numRuns: runs(600) },
    );
    expect(told).toBeGreaterThan(atLeast(50));
  });
});

/** Checks one request against arithmetic; answers the role of the woven rule that took it, if one did. */
function expectAtEdge(input: WeaveInput, served: readonly KubeObject[], request: ReferenceRequest): RuleRole | undefined {
  const { plan } = input;
  const taken = referenceRoute(served, request);
  const name = servedRuleNames(taken?.name)[0];
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

function expectInside(input: WeaveInput, served: readonly KubeObject[], request: ReferenceRequest): RuleRole | undefined {
  const { plan } = input;
  const taken = referenceRoute(served, request);
  const name = servedRuleNames(taken?.name)[0];
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
  return 'host' in version ? { host: resolveHost(version.host, 'default') } : { subset: version.subset };
}
