import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { compileYaml, selectAt, summaryOf } from '../../../test/harness/routes.ts';
import { applyHeaderEdits } from '../routing/header-edits.ts';
import type { RouteTable } from '../routing/selection.ts';
import { parseManifests } from '../source/manifests.ts';
import { releaseOf, virtualService } from './fixtures.cases.ts';
import type { DrawPlan, RoutePlan } from './plan.ts';
import { weaveRelease } from './weave-virtual-service.ts';

/**
 * A release in `canaryOnly` beside the article's own files: the same decision for the same draw. The article's VirtualService names no
 * gateway, so it is asked in the mesh; the release needs browsers, so it is asked at the article's gateway.
 */

const read = (name: string) => readFileSync(new URL(`../../../examples/article/${name}`, import.meta.url), 'utf8');
const BESIDE = [read('1-gateway.yaml'), read('2-destination-rule.yaml'), read('endpoints.yaml')];
const STAGE_3 = read('3-ten-percent.yaml');
const STAGE_4 = read('4-widen.yaml');
const STAGE_5 = read('5-finish.yaml');

const COOKIE = { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: 21_600 };
const release = releaseOf(
  {
    service: { host: 'reviews', port: 9080 },
    route: { adopt: { virtualService: 'reviews' } },
    affinity: { mode: 'canaryOnly', cookie: { name: COOKIE.name, value: COOKIE.value } },
  },
  'reviews',
);
const base = virtualService(
  [{ route: [{ destination: { host: 'reviews' } }] }],
  { hosts: ['reviews'], gateways: ['reviews-gateway'] },
  'reviews',
);

function articles(virtualServiceFile: string): RouteTable {
  return compileYaml(...BESIDE, virtualServiceFile).table;
}

/** The article's file with the weights of its draw edited, as the article tells its reader to. */
function edited(file: string, canary: number): string {
  const lines = file.split('\n');
  const last = (text: string) => lines.findLastIndex((line) => line.trimStart().startsWith(text));
  const canaryLine = last('weight:');
  const stableLine = lines.slice(0, canaryLine).findLastIndex((line) => line.trimStart().startsWith('weight:'));
  const to = (line: string, weight: number) => line.replace(/weight: \d+/, `weight: ${weight}`);
  return lines
    .map((line, index) => (index === stableLine ? to(line, 100 - canary) : index === canaryLine ? to(line, canary) : line))
    .join('\n');
}

function woven(plan: RoutePlan): RouteTable {
  const gateways = BESIDE.flatMap((text) => parseManifests(text, '').objects).map(({ object }) => object);
  const { routes, diagnostics } = weaveRelease({
    release,
    plan,
    former: [],
    routed: base,
    issuing: undefined,
    gateways: gateways.filter(({ kind }) => kind === 'Gateway'),
    siblings: [],
  });
  expect(diagnostics).toEqual([]);
  return compileYaml(...BESIDE, stringify(routes[0]?.virtualService)).table;
}

function drawn(weight: number): DrawPlan {
  return { kind: 'draw', stable: { subset: 'v1' }, canary: { subset: 'v2' }, weight, cookie: COOKIE };
}

const FINISHED: RoutePlan = { kind: 'settled', live: { subset: 'v2' }, expires: COOKIE };

/** What browsers send: nothing, the cookie, the cookie among others, and others alone. */
const VISITORS: readonly (string | undefined)[] = [
  undefined,
  'reviews-cookie=REVIRES-V2',
  'theme=dark; reviews-cookie=REVIRES-V2',
  'reviews-cookie=REVIRES-V2; theme=dark',
  'theme=dark; reviews-cookie=REVIRES-V2; lang=en',
  'theme=dark; lang=en',
  'reviews-cookie=REVIRES-V1',
];
const DRAWS = 500;

/** Where every draw over the whole of [0, 1) leads, and the cookies that the answer sets; one line for each visitor and draw. */
function decisions(table: RouteTable, listener: string, visitors = VISITORS): readonly string[] {
  return visitors.flatMap((cookie) =>
    Array.from({ length: DRAWS }, (_, draw) => {
      const { to, headers } = answer(table, listener, cookie, (draw + 0.5) / DRAWS);
      const cookies = headers.flatMap(([name, value]) => (name === 'set-cookie' ? [value] : []));
      return `${cookie ?? 'no cookie'}, draw ${draw}: ${to} ${cookies.join(', ')}`;
    }),
  );
}

/** Where one request leads, and the headers that its answer gets. */
function answer(table: RouteTable, listener: string, cookie: string | undefined, random: number) {
  const authority = listener === MESH ? 'reviews:9080' : 'reviews.default.svc.cluster.local:8080';
  const headers = cookie === undefined ? {} : { cookie };
  const selection = selectAt(table, listener, { line: `GET http://${authority}/reviews/0`, headers, random });
  if (selection.kind !== 'forward') throw new Error(selection.kind);
  const context = { message: 'response', requestHeader: () => undefined, protocol: 'HTTP/1.1', responseCode: 200 } as const;
  const flat = applyHeaderEdits([], selection.response, context);
  const pairs = flat.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), flat[index + 1] ?? ''] as const] : []));
  return { to: summaryOf(selection), headers: pairs };
}

const INGRESS = 'ingress 8080';
const MESH = 'mesh 9080';

describe('the same decisions as the article’s files', () => {
  test('stage 3, 10 %: file 3 as it is', () => {
    const expected = decisions(articles(STAGE_3), MESH);
    expect(decisions(woven(drawn(10)), INGRESS)).toEqual(expected);
    expect(
      expected.filter((line) => line.startsWith('no cookie') && line.includes('/v2 reviews-cookie=REVIRES-V2; Max-Age=21600')),
    ).toHaveLength(DRAWS / 10);
  });

  test.each([20, 40, 60, 80])('stage 4, at %i: file 3 with that weight, and file 4 for everyone without the cookie', (weight) => {
    const expected = decisions(articles(edited(STAGE_3, weight)), MESH);
    expect(decisions(woven(drawn(weight)), INGRESS)).toEqual(expected);
    const holdsNone = [undefined, 'theme=dark; lang=en', 'reviews-cookie=REVIRES-V1'];
    expect(decisions(woven(drawn(weight)), INGRESS, holdsNone)).toEqual(decisions(articles(edited(STAGE_4, weight)), MESH, holdsNone));
  });

  test('stage 4, 100 %: file 4 as it is', () => {
    expect(decisions(woven(drawn(100)), INGRESS)).toEqual(decisions(articles(STAGE_4), MESH));
  });

  test('stage 5, the finish: file 5 as it is', () => {
    const expected = decisions(articles(STAGE_5), MESH);
    expect(decisions(woven(FINISHED), INGRESS)).toEqual(expected);
    expect(expected.filter((line) => line.endsWith('/v2 reviews-cookie=REVIRES-V2; Max-Age=-1'))).toHaveLength(4 * DRAWS);
  });
});

describe('other decisions than the article’s files', () => {
  const HOLDER = ['reviews-cookie=REVIRES-V2'];
  const toStable = (lines: readonly string[]) => lines.filter((line) => line.includes('reviews:9080/v1')).length;

  test('file 4 has lost the rule for the cookie: at 20 % it draws its holders anew, and most go back; a release keeps them', () => {
    expect(toStable(decisions(articles(edited(STAGE_4, 20)), MESH, HOLDER))).toBe(0.8 * DRAWS);
    expect(toStable(decisions(woven(drawn(20)), INGRESS, HOLDER))).toBe(0);
  });

  test('the article’s pattern takes lookalikes for the cookie, whom a release draws', () => {
    const lookalike = ['xreviews-cookie=1; other=REVIRES-V2'];
    expect(toStable(decisions(articles(STAGE_3), MESH, lookalike))).toBe(0);
    expect(toStable(decisions(woven(drawn(10)), INGRESS, lookalike))).toBe(0.9 * DRAWS);
  });

  test('answers that set a cookie are private, so that no shared cache hands it on', () => {
    const marked = (plan: RoutePlan) =>
      [undefined, 'reviews-cookie=REVIRES-V2'].map((cookie) => answer(woven(plan), INGRESS, cookie, 0.99).headers);
    const given = ['set-cookie', 'reviews-cookie=REVIRES-V2; Max-Age=21600'];
    const taken = ['set-cookie', 'reviews-cookie=REVIRES-V2; Max-Age=-1'];
    const isPrivate = ['cache-control', 'private'];
    expect(marked(drawn(10))).toEqual([[isPrivate, given], []]);
    expect(marked(FINISHED)).toEqual([[], [isPrivate, taken]]);
  });
});

test('rolled back, a holder is on stable with the next request, and loses the cookie', () => {
  const back = decisions(woven({ kind: 'settled', live: { subset: 'v1' }, expires: COOKIE }), INGRESS, ['reviews-cookie=REVIRES-V2']);
  expect(new Set(back.map((line) => line.replace(/draw \d+: /, '')))).toEqual(
    new Set(['reviews-cookie=REVIRES-V2, reviews:9080/v1 reviews-cookie=REVIRES-V2; Max-Age=-1']),
  );
});
