import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, headOf, selectAt, service, subsets, virtualService } from '../../../test/harness/routes.ts';
import { atLeast, runs } from '../property-runs.cases.ts';
import { routingObjects } from './arbitrary-objects.cases.ts';
import { compileRouting } from './compile.ts';
import type { ExplainedTable } from './explanation.ts';
import { explanationLines } from './explanation-lines.ts';
import type { ListenerSpec, RequestHead } from './selection.ts';

const requests = fc.record({
  line: fc
    .tuple(
      fc.constantFrom('web', 'page', 'web.shop', 'web.default.svc.cluster.local', 'a.test', 'b.test', 'nobody'),
      fc.constantFrom('/', '/a', '/a/b'),
    )
    .map(([host, path]) => `GET http://${host}${path}`),
  headers: fc.constantFrom({}, { team: 'x' }, { team: 'y' }),
});

/** Counts of what came up. */
const seen = { forward: 0, drawn: 0, none: 0, blocked: 0, passed: 0 };

/** That the explanation at one listener is of what `select` does there. */
function expectExplained(table: ExplainedTable, { kind, port, bind }: ListenerSpec, head: RequestHead): void {
  const { outcomes, passed, taken, host, isListening, omitted } = table.explain(kind, port, bind, head, 100);
  expect(outcomes.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  // The part of each outcome in all that may be drawn is its share.
  let begin = 0;
  for (const { share, selection } of outcomes) {
    for (const at of [begin + share * 1e-6, begin + share * 0.999_999]) expect(table.select(kind, port, bind, head, at)).toEqual(selection);
    begin += share;
  }
  const [{ selection } = expect.fail('no outcome')] = outcomes;
  expect(taken === undefined).toBe(selection.kind === 'none' || selection.kind === 'blocked');
  if ('rule' in selection) expect(taken?.rule.name).toBe(selection.rule);
  expect([host === undefined && passed.length > 0, !isListening && host !== undefined, omitted]).toEqual([false, false, 0]);
  for (const { failed } of passed) expect(failed).toBeDefined();
  seen.passed += passed.length;
  seen.drawn += Number(outcomes.length > 1);
  if (selection.kind in seen) seen[selection.kind as keyof typeof seen] += 1;
}

describe('an explanation', () => {
  test('ends where select ends, for any objects and request; what was passed does not match', () => {
    const lists = fc.array(routingObjects, { maxLength: 14, size: 'max' });
    fc.assert(
      fc.property(lists, fc.array(requests, { minLength: 1, maxLength: 8 }), (objects, asked) => {
        const { table } = compileRouting(objects);
        const nowhere = (['ingress', 'mesh'] as const).map((kind) => ({ kind, port: 9, bind: undefined }));
        for (const listener of [...table.listeners, ...nowhere]) {
          for (const request of asked) expectExplained(table, listener, headOf(request));
        }
      }),
      { seed: 5, numRuns: runs(400) },
    );
    for (const [kind, count] of Object.entries(seen)) expect(count, kind).toBeGreaterThan(atLeast(20));
  });

  const ROUTES = `  hosts: ["shop.test", "*.shop"]
  gateways: [edge]
  http:
  - name: team
    match: [{uri: {prefix: /cart}, headers: {x-team: {exact: blue}}}, {queryParams: {team: {exact: blue}}}]
    route: [{destination: {host: web, subset: v2}}]
  - {name: beta, match: [{uri: {exact: /cart}, withoutHeaders: {cookie: {regex: ".*no-beta.*"}}, method: {exact: POST}}], directResponse: {status: 200}}
  - {name: drawn, match: [{uri: {prefix: /cart}}], route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]}
  - {redirect: {uri: /cart}}`;
  const table = (): ExplainedTable =>
    compileYaml(gateway(), service('web', 80, ['v1', 'v2']), subsets('web', ['v1', 'v2']), virtualService('shop', ROUTES)).table;
  const explain = (line: string, headers: Readonly<Record<string, string>> = {}, most = 100) => {
    const head = headOf({ line, headers });
    return explanationLines(table().explain('ingress', 8080, undefined, head, most), head);
  };

  test('tells host, rules and destination in words', () => {
    expect(explain('GET http://shop.test/cart', { 'x-team': 'red' })).toEqual([
      { kind: 'host', matched: true, text: 'shop.test' },
      { kind: 'rule', object: 'default/shop', rule: 'team, match 1', matched: false, text: 'header x-team is "red", not "blue"' },
      {
        kind: 'rule',
        object: 'default/shop',
        rule: 'team, match 2',
        matched: false,
        text: 'there is no query parameter team; it has to be "blue"',
      },
      { kind: 'rule', object: 'default/shop', rule: 'beta', matched: false, text: 'method is "GET", not "POST"' },
      { kind: 'rule', object: 'default/shop', rule: 'drawn', matched: true, text: 'path begins with "/cart"' },
      { kind: 'destination', matched: true, text: '90 %: web.default.svc.cluster.local, port 80, subset v1: 1 endpoint' },
      { kind: 'destination', matched: true, text: '10 %: web.default.svc.cluster.local, port 80, subset v2: 1 endpoint' },
    ]);
    expect(
      explain('POST http://a.shop/cart', { cookie: 'no-beta=1' })
        .slice(0, 4)
        .map(({ text }) => text),
    ).toEqual([
      '*.shop',
      'there is no header x-team; it has to be "blue"',
      'there is no query parameter team; it has to be "blue"',
      'header cookie is "no-beta=1", which matches ".*no-beta.*": it must not',
    ]);
    expect(explain('GET http://a.shop/x').slice(-2)).toEqual([
      { kind: 'rule', object: 'default/shop', rule: 'rule 4', matched: true, text: 'takes everything' },
      { kind: 'destination', matched: true, text: 'redirect 301 to http://a.shop/cart' },
    ]);
    expect(explain('GET http://shop.test/')[1]?.text).toBe('path is "/", and does not begin with "/cart"');
  });

  test('tells what is not there, and how much it leaves out', () => {
    expect(explain('GET http://elsewhere/')).toEqual([
      { kind: 'host', matched: false, text: 'no virtual host has elsewhere' },
      { kind: 'destination', matched: false, text: 'answered 404: no route (NR)' },
    ]);
    expect(explain('GET http://a.shop/x', {}, 1).map(({ text }) => text)[2]).toBe('3 further rules before the next do not match');
    const head = headOf({ line: 'GET http://a.shop/' });
    expect(explanationLines(table().explain('ingress', 1, undefined, head, 9), head)[0]).toEqual({
      ...{ kind: 'listener', matched: false, text: 'nothing listens there' },
    });
    expect(
      explanationLines(
        table().explain('mesh', 80, undefined, headOf({ line: 'GET http://nobody/' }), 9),
        headOf({ line: 'GET http://nobody/' }),
      ).at(-1),
    ).toEqual({
      ...{ kind: 'destination', matched: false, text: 'answered 502: nothing declares this host (BlackHoleCluster)' },
    });
    expect(selectAt(table(), 'mesh 80', 'GET http://nobody/').kind).toBe('blocked');
  });
});
