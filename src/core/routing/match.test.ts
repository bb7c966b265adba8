import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, selectAt, service, summaryOf, virtualService } from '../../../test/harness/routes.ts';
import type { HTTPMatchRequest } from '../istio/resources.ts';
import { ConditionPool } from './conditions.ts';
import { RoutedRequest } from './routed-request.ts';

/** Whether a request matches a block, written as in YAML: `hit` goes there, everything else to `miss`. */
function isHit(match: string, line: string, headers: Record<string, string | string[]> = {}): boolean {
  const { table } = compileYaml(
    gateway(),
    service('hit', 80),
    service('miss', 80),
    virtualService(
      'vs',
      `  hosts: ["*"]\n  gateways: [edge]\n  http: [{match: [${match}], route: [{destination: {host: hit}}]}, {route: [{destination: {host: miss}}]}]`,
    ),
  );
  return summaryOf(selectAt(table, 'ingress 8080', { line, headers })) === 'hit:80';
}

describe('uri (istio-semantics 1.7)', () => {
  test.each([
    ['{uri: {exact: /a}}', '/a', true],
    ['{uri: {exact: /a}}', '/a?x=1', true],
    ['{uri: {exact: /a}}', '/a/', false],
    ['{uri: {exact: /a}}', '/A', false],
    ['{uri: {prefix: /foo}}', '/foobar', true],
    ['{uri: {prefix: /foo}}', '/fo', false],
    ['{uri: {prefix: /foo}}', '/?/foo', false],
    ['{uri: {prefix: ""}}', '/any', true],
    ['{uri: {regex: "/v[12]/.*"}}', '/v1/x', true],
    ['{uri: {regex: "/v[12]"}}', '/v1/x', false],
    ['{uri: {regex: "/v[12]"}}', '/v1?x', true],
    ['{uri: {exact: /Login}, ignoreUriCase: true}', '/lOGIN', true],
    ['{uri: {prefix: /API}, ignoreUriCase: true}', '/api/v1', true],
    ['{uri: {regex: /API}, ignoreUriCase: true}', '/api', false],
    // the path is matched as it is sent on: normalized
    ['{uri: {exact: /a/b}}', '/x/../%61/b', true],
  ])('%s on %s: %s', (match, target, expected) => {
    expect(isHit(match, `GET http://h${target}`)).toBe(expected);
  });
});

describe('method, authority, scheme', () => {
  test.each([
    ['{method: {exact: GET}}', 'GET http://h/', true],
    ['{method: {exact: get}}', 'GET http://h/', false],
    ['{method: {regex: "GET|HEAD"}}', 'HEAD http://h/', true],
    // the authority is compared as sent: with its port, and by case
    ['{authority: {exact: shop}}', 'GET http://shop:8080/', false],
    ['{authority: {exact: "shop:8080"}}', 'GET http://shop:8080/', true],
    ['{authority: {prefix: shop}}', 'GET http://SHOP/', false],
    ['{scheme: {exact: http}}', 'GET http://h/', true],
    ['{scheme: {exact: https}}', 'GET http://h/', false],
  ])('%s on %s: %s', (match, line, expected) => {
    expect(isHit(match, line)).toBe(expected);
  });
});

describe('headers', () => {
  test.each([
    ['{x: {exact: v1}}', { x: 'v1' }, true],
    ['{x: {exact: v1}}', { x: 'V1' }, false],
    ['{X: {exact: v1}}', { x: 'v1' }, true],
    ['{x: {prefix: v}}', { x: 'v1' }, true],
    ['{x: {regex: "v[12]"}}', { x: 'v12' }, false],
    ['{x: {regex: "v[12]+"}}', { x: 'v12' }, true],
    // presence: any value, the empty one included
    ['{x: {}}', { x: '' }, true],
    ['{x: {}}', {}, false],
    // a header that is absent matches nothing
    ['{x: {exact: ""}}', { x: '' }, true],
    ['{x: {exact: ""}}', {}, false],
    ['{x: {regex: ".*"}}', {}, false],
    // all conditions have to hold
    ['{x: {exact: a}, y: {exact: b}}', { x: 'a' }, false],
    ['{x: {exact: a}, y: {exact: b}}', { x: 'a', y: 'b' }, true],
    // lines are matched one by one, not joined (section 9, correction 1)
    ['{x: {exact: b}}', { x: ['a', 'b'] }, true],
    ['{x: {exact: "a,b"}}', { x: ['a', 'b'] }, false],
    ['{cookie: {regex: ".*a=1.*b=2.*"}}', { cookie: ['a=1', 'b=2'] }, false],
    // pseudo headers; the path has its query
    ['{":path": {prefix: /p}}', {}, true],
    ['{":path": {exact: "/p?q=1"}}', {}, true],
    ['{":path": {exact: /p}}', {}, false],
    ['{":method": {exact: GET}}', {}, true],
    ['{":authority": {exact: "h:81"}}', {}, true],
    ['{host: {exact: "h:81"}}', {}, true],
    ['{":scheme": {exact: http}}', {}, true],
    ['{":path": {}}', {}, true],
    ['{":status": {regex: ".*"}}', {}, false],
  ])('%s on %j: %s', (matchers, headers: Record<string, string | string[]>, expected) => {
    expect(isHit(`{headers: ${matchers}}`, 'GET http://h:81/p?q=1', headers)).toBe(expected);
  });
});

describe('withoutHeaders: a header that is absent counts as empty', () => {
  test.each([
    ['{user: {exact: jason}}', {}, true],
    ['{user: {exact: jason}}', { user: 'jason' }, false],
    ['{user: {exact: jason}}', { user: 'eva' }, true],
    ['{user: {exact: jason}}', { user: ['eva', 'jason'] }, false],
    ['{user: {exact: ""}}', {}, false],
    ['{user: {regex: ".*"}}', {}, false],
    ['{user: {regex: "j.*"}}', {}, true],
    ['{user: {}}', {}, true],
    ['{user: {}}', { user: '' }, false],
    ['{":method": {exact: GET}}', {}, false],
  ])('%s on %j: %s', (matchers, headers: Record<string, string | string[]>, expected) => {
    expect(isHit(`{withoutHeaders: ${matchers}}`, 'GET http://h/', headers)).toBe(expected);
  });

  test('the regex * asks for presence', () => {
    const [condition] = new ConditionPool().conditionsOf({ withoutHeaders: { user: { regex: '*' } } });
    const request = (lines: string[]) =>
      new RoutedRequest({ method: 'GET', scheme: 'http', authority: 'h', path: '/', lines: () => lines });
    expect(condition?.holds(request([]))).toBe(true);
    expect(condition?.holds(request(['']))).toBe(false);
  });
});

describe('queryParams: the first value of the key, not decoded', () => {
  test.each([
    ['{q: {exact: a}}', '?q=a', true],
    ['{q: {exact: a}}', '?x=1&q=a&q=b', true],
    ['{q: {exact: b}}', '?q=a&q=b', false],
    ['{q: {exact: a}}', '?qq=a', false],
    ['{q: {exact: a}}', '', false],
    ['{q: {exact: ""}}', '?q', true],
    ['{q: {exact: ""}}', '?q=&x', true],
    ['{q: {exact: ""}}', '?x', false],
    ['{q: {}}', '?q', true],
    ['{q: {}}', '?p', false],
    ['{q: {}}', '?qq', false],
    ['{q: {prefix: a}}', '?q=ab', true],
    ['{q: {regex: "a+"}}', '?q=aaa', true],
    ['{q: {regex: "a+"}}', '?q=aab', false],
    ['{q: {exact: "x y"}}', '?q=x%20y', false],
    ['{q: {exact: "x%20y"}}', '?q=x%20y', true],
    ['{q: {exact: "a=b"}}', '?q=a=b', true],
  ])('%s on %j: %s', (matchers, query, expected) => {
    expect(isHit(`{queryParams: ${matchers}}`, `GET http://h/${query}`)).toBe(expected);
  });
});

describe('lists of blocks and rules (istio-semantics 1.6)', () => {
  const { table } = compileYaml(
    gateway(),
    gateway(['*'], 'inner', 8081),
    service('web', 80, ['v1']),
    virtualService(
      'vs',
      `  hosts: ["*"]
  gateways: [edge, inner]
  http:
  - {name: either, match: [{uri: {exact: /a}}, {uri: {exact: /b}, headers: {x: {}}}], route: [{destination: {host: web}}]}
  - {name: port, match: [{uri: {exact: /p}, port: 8081}], route: [{destination: {host: web}}]}
  - {name: gateway, match: [{uri: {exact: /g}, gateways: [inner]}], route: [{destination: {host: web}}]}
  - {name: never, match: [{uri: {exact: /n}, gateways: [elsewhere]}], route: [{destination: {host: web}}]}
  - {name: rest, route: [{destination: {host: web}}]}
  - {name: unreachable, match: [{uri: {exact: /u}}], route: [{destination: {host: web}}]}`,
    ),
  );

  test.each([
    ['the first block', 8080, '/a', {}, 'either'],
    ['or the second, whole', 8080, '/b', { x: '1' }, 'either'],
    ['not half of it', 8080, '/b', {}, 'rest'],
    ['a port of another listener', 8080, '/p', {}, 'rest'],
    ['the port of this one', 8081, '/p', {}, 'port'],
    ['another gateway', 8080, '/g', {}, 'rest'],
    ['this gateway', 8081, '/g', {}, 'gateway'],
    ['a gateway that the object is not bound to', 8081, '/n', {}, 'rest'],
    ['whatever follows a rule without match is not reached', 8080, '/u', {}, 'rest'],
  ])('%s: %s %s', (_, port, path, headers: Record<string, string>, rule) => {
    expect(selectAt(table, `ingress ${port}`, { line: `GET http://h${path}`, headers })).toMatchObject({ kind: 'forward', rule });
  });
});

test('a condition that rules share is decided once per request, and anew for the next one', () => {
  let asked = 0;
  const pool = new ConditionPool();
  const block: HTTPMatchRequest = { headers: { cookie: { regex: '.*a=1.*' } } };
  const [first] = pool.conditionsOf(block);
  const [second] = pool.conditionsOf({ headers: { cookie: { regex: '.*a=1.*' } } });
  const request = (cookie: string) =>
    new RoutedRequest({
      method: 'GET',
      scheme: 'http',
      authority: 'h',
      path: '/',
      lines: () => {
        asked += 1;
        return [cookie];
      },
    });
  const one = request('a=1');
  expect([first?.holds(one), second?.holds(one)]).toEqual([true, true]);
  expect(asked).toBe(1);
  expect(second?.holds(request('b=1'))).toBe(false);
  expect(asked).toBe(2);
});

test('a header matches when one of its lines fully matches, whatever the regex', () => {
  const text = fc.array(fc.constantFrom('a', 'b', '=', ';', ' ', '1'), { maxLength: 8 }).map((parts) => parts.join(''));
  const regex = fc.constantFrom('a', 'a|b', '.*a.*b.*', '(.*; ?)?a=1(;.*)?', '[ab]+', 'a*', '(?i)A=1', '.', '', '(a|b)=(1)?');
  fc.assert(
    fc.property(regex, fc.array(text, { maxLength: 3 }), (pattern, lines) => {
      const [condition] = new ConditionPool().conditionsOf({ headers: { cookie: { regex: pattern } } });
      const request = new RoutedRequest({ method: 'GET', scheme: 'http', authority: 'h', path: '/', lines: () => lines });
      expect(condition?.holds(request)).toBe(lines.some((line) => RE2JS.compile(pattern).matches(line)));
    }),
    { seed: 5, numRuns: 2000 },
  );
});
