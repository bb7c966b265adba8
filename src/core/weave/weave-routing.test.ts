import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { headOf, selectAt, type TestRequest } from '../../../test/harness/routes.ts';
import type { KubeObject } from '../istio/resources.ts';
import { validateRoutingObject } from '../istio/validate.ts';
import type { CanaryRelease } from '../release/canary-release.ts';
import { ownedVirtualService, routedName } from '../release/route-form.ts';
import { validateCanaryRelease } from '../release/validate.ts';
import { compileRouting } from '../routing/compile.ts';
import { applyHeaderEdits } from '../routing/header-edits.ts';
import type { RouteTable, Selection } from '../routing/selection.ts';
import { parseManifests } from '../source/manifests.ts';
import { BUCKETS, OFFSETS, type Offset } from '../visitor/bucket.ts';
import type { RoutePlan } from './plan.ts';
import { weaveRelease } from './weave-virtual-service.ts';

/** The files of the examples, woven, and served as the gateway serves them: two hops, and what travels between them. */

const BOOKINFO = ['gateway.yaml', 'bookinfo.yaml', 'destination-rules.yaml', 'endpoints.yaml'].map((file) => `bookinfo/${file}`);
const FORMS = {
  adopt: ['bookinfo/reviews.yaml', 'bookinfo/release.yaml'],
  delegate: ['delegate/reviews.yaml', 'delegate/release.yaml'],
  managed: ['managed/release.yaml'],
};
type Form = keyof typeof FORMS;
const ALL_FORMS = Object.keys(FORMS) as readonly Form[];

/** What the user applies, and the VirtualService that the release owns, if it does. */
function objectsOf(form: Form): { readonly release: CanaryRelease; readonly objects: readonly KubeObject[] } {
  const read = [...BOOKINFO, ...FORMS[form]].flatMap((file) => {
    const text = readFileSync(new URL(`../../../examples/${file}`, import.meta.url), 'utf8');
    return parseManifests(text, file).objects.map(({ object }) => object);
  });
  const { release } = validateCanaryRelease(named(read, 'CanaryRelease', 'reviews'));
  if (release === undefined) throw new Error(`the release of ${form} is not valid`);
  const owned = ownedVirtualService(release);
  return { release, objects: [...read.filter(({ kind }) => kind !== 'CanaryRelease'), ...(owned === undefined ? [] : [owned])] };
}

function named(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

function tableOf(form: Form, plan: RoutePlan, release: CanaryRelease = objectsOf(form).release): RouteTable {
  const { objects } = objectsOf(form);
  const woven = weaveRelease({
    release,
    plan,
    former: [],
    routed: named(objects, 'VirtualService', routedName(release)),
    issuing: named(objects, 'VirtualService', 'bookinfo'),
    gateways: objects.filter((object) => object.kind === 'Gateway'),
    siblings: objects.filter((object) => object.kind === 'VirtualService'),
  });
  expect(woven.diagnostics).toEqual([]);
  const served = objects.map((object) => {
    const route = object.kind === 'VirtualService' ? woven.routes.find(({ name }) => name === object.metadata.name) : undefined;
    return route?.virtualService ?? object;
  });
  expect(served.flatMap((object) => validateRoutingObject(object)).filter(({ severity }) => severity === 'error')).toEqual([]);
  const { table, diagnostics } = compileRouting(served);
  expect(diagnostics).toEqual([]);
  return table;
}

function split(cutoff: number, offset: Offset): RoutePlan {
  return { kind: 'split', stable: { subset: 'v1' }, canary: { subset: 'v2' }, cutoff, offset };
}

function idOf(bucket: number, offset: Offset): string {
  return `3f2a9c1e-7b54-4d21-9e0a-${'7'.repeat(offset)}${bucket.toString(16).padStart(3, '0')}${'7'.repeat(9 - offset)}`;
}

/** A header as one of the messages of a selection carries it, after the edits. */
function headerOf(selection: Selection, message: 'request' | 'response', name: string, request: TestRequest): string | undefined {
  if (selection.kind !== 'forward') throw new Error(`nothing is forwarded: ${selection.kind}`);
  const head = headOf(request);
  const fields = applyHeaderEdits([], selection[message], {
    message,
    requestHeader: (header) => head.lines(header)[0],
    protocol: 'HTTP/1.1',
    responseCode: message === 'request' ? 0 : 200,
  });
  const at = fields.findIndex((field, index) => index % 2 === 0 && field.toLowerCase() === name);
  return at < 0 ? undefined : fields[at + 1];
}

const PAGE = 'GET http://localhost:8080/productpage?u=test';
const REVIEWS = 'GET http://reviews:9080/reviews/0';
const DOCUMENT = { accept: 'text/html,*/*' };

function reviewsVersion(table: RouteTable, headers: Record<string, string>): string | undefined {
  const selection = selectAt(table, 'mesh 9080', { line: REVIEWS, headers });
  return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
}

const PLANS: readonly (readonly [cutoff: number, offset: Offset])[] = [
  ...OFFSETS.map((offset): [number, Offset] => [0x19a, offset]),
  [1, 0],
  [0x800, 3],
  [0xfff, 6],
  [BUCKETS, 9],
];

const CASES = [
  ...PLANS.map(([cutoff, offset]) => ({ form: 'adopt' as const, cutoff, offset })),
  { form: 'delegate' as const, cutoff: 0x19a, offset: 0 as const },
  { form: 'managed' as const, cutoff: 0x19a, offset: 0 as const },
];

describe.each(CASES)('Bookinfo, $form, with cutoff $cutoff at offset $offset', ({ form, cutoff, offset }) => {
  const table = tableOf(form, split(cutoff, offset));

  it('a first page issues the id that decides it, and tells the hops inside, whatever of it they learn: all buckets', () => {
    let wrong = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const id = idOf(bucket, offset);
      const page = { line: PAGE, headers: { ...DOCUMENT, 'x-request-id': id } };
      const selection = selectAt(table, 'ingress 8080', page);
      const cohort = bucket < cutoff ? 'canary' : 'stable';
      const version = bucket < cutoff ? 'v2' : 'v1';
      const told = headerOf(selection, 'request', 'baggage', page) ?? '';
      const cookie = headerOf(selection, 'response', 'set-cookie', page) ?? '';
      const right =
        told === `perch.reviews=${cohort}` &&
        cookie.startsWith(`perch=${id}; Max-Age=34560000; Path=/; HttpOnly`) &&
        reviewsVersion(table, { baggage: `tenant=a,${told}` }) === version &&
        reviewsVersion(table, { 'x-request-id': id }) === version;
      if (!right) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it('a return, with a fresh request id, is told the same and gets no other id: all buckets', () => {
    let wrong = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const cookie = `theme=dark; perch=${idOf(bucket, offset)}; b=2`;
      const other = idOf(BUCKETS - 1 - bucket, offset);
      const page = { line: PAGE, headers: { ...DOCUMENT, cookie, 'x-request-id': other } };
      const selection = selectAt(table, 'ingress 8080', page);
      const version = bucket < cutoff ? 'v2' : 'v1';
      const right =
        headerOf(selection, 'response', 'set-cookie', page) === undefined &&
        headerOf(selection, 'request', 'baggage', page) === `perch.reviews=${bucket < cutoff ? 'canary' : 'stable'}` &&
        reviewsVersion(table, { cookie, 'x-request-id': other }) === version;
      if (!right) wrong++;
    }
    expect(wrong).toBe(0);
  });
});

describe.each(ALL_FORMS)('Bookinfo at 10 %%, %s', (form) => {
  const table = tableOf(form, split(0x19a, 0));

  it('what asks for no document gets no id and is told stable, even where its request id would draw the canary', () => {
    const image = { line: 'GET http://localhost:8080/static/a.png', headers: { accept: 'image/png', 'x-request-id': idOf(0, 0) } };
    const selection = selectAt(table, 'ingress 8080', image);
    expect(headerOf(selection, 'response', 'set-cookie', image)).toBeUndefined();
    expect(headerOf(selection, 'request', 'baggage', image)).toBe('perch.reviews=stable');
    expect(reviewsVersion(table, { baggage: 'perch.reviews=stable', 'x-request-id': idOf(0, 0) })).toBe('v1');
  });

  it('a request that says nothing is on stable inside', () => {
    expect(reviewsVersion(table, {})).toBe('v1');
  });

  it('rolled back everyone is on stable, whatever they carry', () => {
    const back = tableOf(form, split(0, 0));
    const low = idOf(0, 0);
    for (const headers of [{ baggage: 'perch.reviews=canary' }, { cookie: `perch=${low}` }, { 'x-request-id': low }]) {
      expect(reviewsVersion(back, headers)).toBe('v1');
    }
  });

  it('settled everyone is on the live version, and ids are still issued', () => {
    const settled = tableOf(form, { kind: 'settled', live: { subset: 'v2' } });
    const page = { line: PAGE, headers: { ...DOCUMENT, 'x-request-id': idOf(BUCKETS - 1, 0) } };
    expect(reviewsVersion(settled, { baggage: 'perch.reviews=stable' })).toBe('v2');
    const selection = selectAt(settled, 'ingress 8080', page);
    expect(headerOf(selection, 'response', 'set-cookie', page)).toContain(`perch=${idOf(BUCKETS - 1, 0)};`);
    expect(headerOf(selection, 'request', 'baggage', page)).toBeUndefined();
  });
});

describe.each(ALL_FORMS)('Bookinfo in canaryOnly at 25 %%, %s', (form) => {
  const example = objectsOf(form).release;
  const { visitorId, ...spec } = example.spec;
  const release: CanaryRelease = {
    ...example,
    spec: { ...spec, affinity: { mode: 'canaryOnly' }, visitorId: { ...visitorId, propagate: ['baggage', 'cookie'] } },
  };
  const pair = { stable: { subset: 'v1' }, canary: { subset: 'v2' } };
  const held = { name: 'perch-reviews', value: 'v2-5c1f0e9b', maxAge: 21_600 };
  const table = tableOf(form, { kind: 'draw', ...pair, weight: 25, cookie: held }, release);
  const cookie = 'theme=dark; perch-reviews=v2-5c1f0e9b';

  /** What one request at the gateway comes to: the cookie that it gets, and what the hop inside makes of what it is told. */
  function visit(routes: RouteTable, headers: Record<string, string>, random: number) {
    const page = { line: PAGE, headers, random };
    const selection = selectAt(routes, 'ingress 8080', page);
    const told = headerOf(selection, 'request', 'baggage', page);
    return {
      given: headerOf(selection, 'response', 'set-cookie', page),
      version: reviewsVersion(routes, { ...headers, ...(told === undefined ? {} : { baggage: told }) }),
    };
  }

  it('a page without the cookie is drawn; the hop inside obeys on the very same page, and only the canary gives the cookie', () => {
    const draws = Array.from({ length: 400 }, (_, index) => visit(table, DOCUMENT, (index + 0.5) / 400));
    const canary = draws.filter(({ version }) => version === 'v2');
    expect(canary).toHaveLength(100);
    expect(new Set(canary.map(({ given }) => given))).toEqual(new Set(['perch-reviews=v2-5c1f0e9b; Max-Age=21600; Path=/']));
    expect(draws.filter(({ given, version }) => version === 'v1' && given === undefined)).toHaveLength(300);
  });

  it('with the cookie it is never drawn again, on any path, document or not; inside the cookie alone is enough', () => {
    for (let draw = 0; draw < 100; draw++) {
      for (const headers of [
        { ...DOCUMENT, cookie },
        { accept: 'image/png', cookie },
      ]) {
        expect(visit(table, headers, (draw + 0.5) / 100)).toEqual({ given: undefined, version: 'v2' });
      }
    }
    expect(reviewsVersion(table, { cookie })).toBe('v2');
    expect(reviewsVersion(table, { cookie: 'perch-reviews=v2-00000000' })).toBe('v1');
  });

  it('what asks for no document is on stable and gets nothing, however the draw would end', () => {
    for (const random of [0, 0.5, 0.999]) {
      expect(visit(table, { accept: 'image/png' }, random)).toEqual({ given: undefined, version: 'v1' });
    }
  });

  it('rolled back, holders are on stable at once and lose the cookie', () => {
    const back = tableOf(form, { kind: 'settled', live: { subset: 'v1' }, expires: held }, release);
    expect(visit(back, { ...DOCUMENT, cookie }, 0)).toEqual({ given: 'perch-reviews=v2-5c1f0e9b; Max-Age=-1; Path=/', version: 'v1' });
    expect(visit(back, DOCUMENT, 0.999)).toEqual({ given: undefined, version: 'v1' });
  });
});
