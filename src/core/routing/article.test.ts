import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileYaml, selectAt, summaryOf } from '../../../test/harness/routes.ts';
import { applyHeaderEdits } from './header-edits.ts';
import type { RouteTable } from './selection.ts';

/** The article's own files, unchanged; each later stage of the VirtualService replaces the one before. */
function stage(file: string): RouteTable {
  const read = (name: string) => readFileSync(new URL(`../../../examples/article/${name}`, import.meta.url), 'utf8');
  return compileYaml(read('1-gateway.yaml'), read('2-destination-rule.yaml'), read('endpoints.yaml'), read(file)).table;
}

const DRAWS = 1000;
const LINE = 'GET http://reviews:9080/reviews/0';

/** Where draws over the whole of [0, 1) lead, and the cookies that the responses add. */
function outcomes(table: RouteTable, headers: Record<string, string> = {}): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const selection = selectAt(table, 'mesh 9080', { line: LINE, headers, random: (draw + 0.5) / DRAWS });
    if (selection.kind !== 'forward') throw new Error(selection.kind);
    const context = { message: 'response', requestHeader: () => undefined, protocol: 'HTTP/1.1', responseCode: 200 } as const;
    const cookie = applyHeaderEdits([], selection.response, context)[1];
    const outcome = cookie === undefined ? summaryOf(selection) : `${summaryOf(selection)} sets ${cookie}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

const COOKIE = { cookie: 'a=1; reviews-cookie=REVIRES-V2; b=2' };

describe('stage 3: 10 % to v2, which sets the cookie', () => {
  const table = stage('3-ten-percent.yaml');

  test('without the cookie 90 to 10', () => {
    expect(outcomes(table)).toEqual({ 'reviews:9080/v1': 900, 'reviews:9080/v2 sets reviews-cookie=REVIRES-V2; Max-Age=21600': 100 });
  });

  test('with the cookie always v2; v1 has weight 0', () => {
    expect(outcomes(table, COOKIE)).toEqual({ 'reviews:9080/v2': DRAWS });
  });

  test('the pattern takes lookalikes, too, as on Istio', () => {
    expect(outcomes(table, { cookie: 'xreviews-cookie=1; other=REVIRES-V2' })).toEqual({ 'reviews:9080/v2': DRAWS });
  });

  test('nothing of it exists at the ingress: the VirtualService names no gateways', () => {
    for (const host of ['localhost:8080', 'reviews', 'reviews.default.svc.cluster.local']) {
      expect(selectAt(table, 'ingress 8080', `GET http://${host}/reviews/0`)).toEqual({ kind: 'none' });
    }
  });
});

test('stage 4: widened to 100 %', () => {
  expect(outcomes(stage('4-widen.yaml'))).toEqual({ 'reviews:9080/v2 sets reviews-cookie=REVIRES-V2; Max-Age=21600': DRAWS });
});

describe('stage 5: everyone on v2, and the cookie expires', () => {
  const table = stage('5-finish.yaml');

  test('for those who hold it', () => {
    expect(outcomes(table, COOKIE)).toEqual({ 'reviews:9080/v2 sets reviews-cookie=REVIRES-V2; Max-Age=-1': DRAWS });
  });

  test('not for the others', () => {
    expect(outcomes(table)).toEqual({ 'reviews:9080/v2': DRAWS });
  });
});
