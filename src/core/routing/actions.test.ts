import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, selectAt, service, subsets, summaryOf, virtualService } from '../../../test/harness/routes.ts';
import { applyHeaderEdits, type HeaderEdits } from './header-edits.ts';
import type { Selection } from './selection.ts';

type Forward = Extract<Selection, { kind: 'forward' }>;

/** Routes with the rules given as YAML list items, at port 8080; services: web (80, v1 and v2), two (8000 and 8001). */
function edge(rules: string): ReturnType<typeof compileYaml> {
  return compileYaml(
    gateway(),
    service('web', 80, ['v1', 'v2']),
    subsets('web', ['v1', 'v2']),
    service('two', 8000).replace('ports: [', 'ports: [{number: 8001, name: other, protocol: HTTP}, '),
    virtualService('vs', `  hosts: ["*"]\n  gateways: [edge]\n  http:\n${rules}`),
  );
}

function forward(rules: string, line: string, random = 0): Forward {
  const selection = selectAt(edge(rules).table, 'ingress 8080', { line, random });
  if (selection.kind !== 'forward') throw new Error(`not forwarded: ${selection.kind}`);
  return selection;
}

const answer = (rules: string, line: string) => summaryOf(selectAt(edge(rules).table, 'ingress 8080', line));

describe('destinations (istio-semantics 1.8)', () => {
  test.each([
    ['the only port of a service', '{host: web}', 'web:80'],
    ['a short name is of the namespace of the object', '{host: web.default.svc.cluster.local}', 'web:80'],
    ['a port', '{host: two, port: {number: 8000}}', 'two:8000'],
    ['of several ports none: that of the listener, which is no port of it', '{host: two}', 'two:8080 (no cluster)'],
    ['a subset', '{host: web, subset: v2}', 'web:80/v2'],
    ['an undefined subset', '{host: web, subset: v9}', 'web:80/v9 (no cluster)'],
    ['an unknown port', '{host: web, port: {number: 81}}', 'web:81 (no cluster)'],
    ['an unknown host', '{host: nowhere}', 'nowhere:8080 (no cluster)'],
    ['a name with a dot is complete', '{host: web.default}', 'web.default:8080 (no cluster)'],
  ])('%s: %s -> %s', (_, destination, expected) => {
    expect(answer(`  - {route: [{destination: ${destination}}]}`, 'GET http://h/')).toBe(expected);
  });

  test('what does not exist is told', () => {
    const { diagnostics } = edge('  - {route: [{destination: {host: web, subset: v9}, weight: 1}, {destination: {host: wev}, weight: 1}]}');
    expect(diagnostics.map(({ code, severity, message }) => [code, severity, message])).toEqual([
      [
        'PERCH1130',
        'warning',
        'no DestinationRule defines the subset v9 of web.default.svc.cluster.local: requests to it are answered 503',
      ],
      ['PERCH1130', 'warning', 'no ServiceEntry declares the host wev.default.svc.cluster.local: requests to it are answered 503'],
    ]);
    expect(diagnostics[1]?.hint).toContain('did you mean web.default.svc.cluster.local?');
  });
});

describe('weights (istio-semantics 1.9)', () => {
  const split = (...weights: (number | undefined)[]) =>
    `  - {route: [${weights.map((weight, index) => `{destination: {host: web, subset: v${index + 1}}${weight === undefined ? '' : `, weight: ${weight}`}}`).join(', ')}]}`;

  test('a single destination gets everything, whatever its weight', () => {
    expect(answer(split(0), 'GET http://h/')).toBe('web:80/v1');
    expect(answer(split(7), 'GET http://h/')).toBe('web:80/v1');
  });

  test('shares are weight by sum, in the order of the list', () => {
    expect([0, 0.2499, 0.25, 0.9999].map((random) => forward(split(1, 3), 'GET http://h/', random).destination.subset)).toEqual([
      'v1',
      'v1',
      'v2',
      'v2',
    ]);
  });

  test('without a weight one of several gets nothing', () => {
    expect([0, 0.5, 0.9999].map((random) => forward(split(undefined, 5), 'GET http://h/', random).destination.subset)).toEqual([
      'v2',
      'v2',
      'v2',
    ]);
  });

  test('over a grid of draws each destination gets its share, to one draw', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 }), { minLength: 2, maxLength: 6 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        fc.pre(total > 0);
        const { table } = edge(split(...weights));
        const draws = 1000;
        const counts = weights.map(() => 0);
        for (let draw = 0; draw < draws; draw += 1) {
          const selection = selectAt(table, 'ingress 8080', { line: 'GET http://h/', random: (draw + 0.5) / draws });
          const subset = selection.kind === 'forward' ? selection.destination.subset : undefined;
          const index = Number(subset?.slice(1)) - 1;
          counts[index] = (counts[index] ?? 0) + 1;
        }
        for (const [index, weight] of weights.entries()) {
          const expected = (weight / total) * draws;
          // the two ends of its interval may fall between draws
          expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThanOrEqual(1);
          if (weight === 0) expect(counts[index]).toBe(0);
        }
      }),
      { seed: 9, numRuns: 60 },
    );
  });
});

describe('header operations (istio-semantics 1.10)', () => {
  const apply = (edits: HeaderEdits, fields: string[]) =>
    applyHeaderEdits(fields, edits, { message: 'response', requestHeader: () => undefined, protocol: 'HTTP/1.1', responseCode: 200 });
  const cookies = `headers: {response: {add: {Set-Cookie: route=1}}}, route: [{destination: {host: web}, headers: {response: {add: {Set-Cookie: destination=1}}}}`;

  test('a single destination: cookies of upstream, route, destination', () => {
    expect(apply(forward(`  - {${cookies}]}`, 'GET http://h/').response, ['set-cookie', 'up=1'])).toEqual([
      ...['set-cookie', 'up=1', 'set-cookie', 'route=1', 'set-cookie', 'destination=1'],
    ]);
  });

  test('weighted: upstream, destination, route (section 9)', () => {
    const rules = `  - {${cookies.replace('{host: web}', '{host: web}, weight: 1')}, {destination: {host: two, port: {number: 8000}}, weight: 1}]}`;
    expect(apply(forward(rules, 'GET http://h/').response, ['set-cookie', 'up=1'])).toEqual([
      ...['set-cookie', 'up=1', 'set-cookie', 'destination=1', 'set-cookie', 'route=1'],
    ]);
    // the other destination has none of its own
    expect(apply(forward(rules, 'GET http://h/', 0.9).response, [])).toEqual(['set-cookie', 'route=1']);
  });

  test('a remove of the route: with one destination it comes first, weighted it takes away what the destination added', () => {
    const rule = (weight: string, second: string) =>
      `  - {headers: {response: {remove: [X]}}, route: [{destination: {host: web}${weight}, headers: {response: {add: {x: '1'}}}}${second}]}`;
    expect(apply(forward(rule('', ''), 'GET http://h/').response, ['x', 'up'])).toEqual(['x', '1']);
    const weighted = rule(', weight: 1', ', {destination: {host: two}, weight: 1}');
    expect(apply(forward(weighted, 'GET http://h/').response, ['x', 'up'])).toEqual([]);
  });

  test('destinations of weight 0 are dropped, their headers too; the others stay weighted', () => {
    const rules = `  - headers: {response: {set: {x: route}}}
    route:
    - {destination: {host: two}, weight: 0, headers: {response: {add: {y: dropped}}}}
    - {destination: {host: web}, weight: 100, headers: {response: {set: {x: destination}}}}`;
    const { response, destination } = forward(rules, 'GET http://h/');
    expect(destination.host).toBe('web.default.svc.cluster.local');
    expect(apply(response, [])).toEqual(['x', 'route']);
  });

  test('names are sorted as written: of two spellings the last wins', () => {
    const { response } = forward(
      `  - {headers: {response: {set: {x-a: small, X-A: large}}}, route: [{destination: {host: web}}]}`,
      'GET http://h/',
    );
    expect(apply(response, [])).toEqual(['x-a', 'small']);
  });

  test('without operations there is nothing to apply', () => {
    expect(forward('  - {route: [{destination: {host: web}}]}', 'GET http://h/')).toMatchObject({ request: [], response: [] });
  });

  test.each([
    ['as sent', '', '', '', 'h:81'],
    ['by the destination', '', '', 'set: {Host: d}', 'd'],
    ['the route comes before it', '', 'add: {":authority": r}', 'set: {Host: d}', 'r'],
    ['set before add', '', '', 'add: {host: added}, set: {":authority": d}', 'd'],
    ['a rewrite before all', 'rewrite: {authority: w}, ', '', 'set: {Host: d}', 'w'],
    ['operators are literal', '', 'set: {Host: "%REQ(x)%"}', '', '%REQ(x)%'],
  ])('the Host sent upstream: %s', (_, rewrite, route, destination, expected) => {
    const rules = (weight: string, second: string) =>
      `  - {${rewrite}headers: {request: {${route}}}, route: [{destination: {host: web}${weight}, headers: {request: {${destination}}}}${second}]}`;
    for (const each of [rules('', ''), rules(', weight: 1', ', {destination: {host: two}, weight: 0}')]) {
      const selection = forward(each, 'GET http://h:81/');
      expect(selection.authority).toBe(expected);
      expect(selection.request).toEqual([]);
    }
  });
});

describe('rewrite (istio-semantics 1.11 and 9)', () => {
  test.each([
    ['a prefix', '{uri: {prefix: /api}}', '{uri: /v1}', '/api/x?q=1', '/v1/x?q=1'],
    ['a prefix, whatever its case', '{uri: {prefix: /API}, ignoreUriCase: true}', '{uri: /v1}', '/api/x', '/v1/x'],
    ['exact: all of the path', '{uri: {exact: /a}}', '{uri: /b}', '/a?q=1', '/b?q=1'],
    ['even where a query is added', '{uri: {exact: /a}}', '{uri: "/e?added=1"}', '/a?k=v', '/e?added=1?k=v'],
    ['regex: all of the path', '{uri: {regex: "/a.*"}}', '{uri: /b}', '/abc?q', '/b?q'],
    ['without a uri match: the prefix /', '{headers: {x: {}}}', '{uri: /x}', '/foo', '/xfoo'],
    [
      'a regex',
      '{uri: {prefix: /}}',
      '{uriRegexRewrite: {match: "/(\\\\w+)/(\\\\w+)", rewrite: "/\\\\2/\\\\1"}}',
      '/a/b?q=/c/d',
      '/b/a?q=/c/d',
    ],
    ['the whole match is \\0', '{uri: {prefix: /}}', '{uriRegexRewrite: {match: "b", rewrite: "<\\\\0>"}}', '/abcb', '/a<b>c<b>'],
    [
      'an empty match right after a match does not count',
      '{uri: {prefix: /}}',
      '{uriRegexRewrite: {match: "a*", rewrite: "-"}}',
      '/baac',
      '-/-b-c-',
    ],
    ['a regex that does not occur', '{uri: {prefix: /}}', '{uriRegexRewrite: {match: "^b", rewrite: "-"}}', '/b', '/b'],
  ])('%s', (_, match, rewrite, target, expected) => {
    const rules = `  - {match: [${match}], rewrite: ${rewrite}, route: [{destination: {host: web}}]}`;
    const selection = selectAt(edge(rules).table, 'ingress 8080', { line: `GET http://h${target}`, headers: { x: '' } });
    expect(selection).toMatchObject({ kind: 'forward', path: expected });
  });
});

describe('redirect (istio-semantics 1.11 and 9)', () => {
  test.each([
    ['{authority: b}', 'h:81/p?q=1', '301 http://b/p?q=1'],
    ['{uri: /new}', 'h:81/p?q=1', '301 http://h:81/new?q=1'],
    ['{uri: "/new?own"}', 'h/p?q=1', '301 http://h/new?own'],
    ['{uri: /new, redirectCode: 307}', 'h/', '307 http://h/new'],
    ['{scheme: https}', 'h/p', '301 https://h/p'],
    // the old scheme's default port goes, any other stays
    ['{scheme: https}', 'h:80/p', '301 https://h/p'],
    ['{scheme: https}', 'h:8080/p', '301 https://h:8080/p'],
    ['{scheme: http}', 'h:80/p', '301 http://h:80/p'],
    ['{port: 9000}', 'h:81/p', '301 http://h:9000/p'],
    // a default port is not written, so the one of the Host stays
    ['{port: 80}', 'h:81/p', '301 http://h:81/p'],
    ['{scheme: https, port: 443}', 'h:81/p', '301 https://h:81/p'],
    ['{scheme: https, port: 80}', 'h/p', '301 https://h:80/p'],
    ['{scheme: https, derivePort: FROM_REQUEST_PORT}', 'h/p', '301 https://h:8080/p'],
    ['{scheme: https, derivePort: FROM_PROTOCOL_DEFAULT}', 'h/p', '301 https://h/p'],
    ['{authority: "b:80"}', 'h/p', '301 http://b:80/p'],
    ['{port: 9000}', '[::1]:81/p', '301 http://[::1]:9000/p'],
    ['{scheme: https}', '[::1]/p', '301 https://[::1]/p'],
  ])('%s of http://%s: %s', (redirect, target, expected) => {
    expect(answer(`  - {redirect: ${redirect}}`, `GET http://${target}`)).toBe(expected);
  });

  test('a prefix is replaced', () => {
    const rules = '  - {match: [{uri: {prefix: /old}}], redirect: {prefixRewrite: /new}}';
    expect(answer(rules, 'GET http://h/old/x?q')).toBe('301 http://h/new/x?q');
  });

  test('response headers of the rule are added', () => {
    const selection = selectAt(
      edge('  - {name: r, redirect: {uri: /n}, headers: {response: {add: {x: "1"}}}}').table,
      'ingress 8080',
      'GET http://h/',
    );
    expect(selection).toMatchObject({ rule: 'r', response: [{ add: [{ name: 'x', value: ['1'] }] }] });
  });
});

describe('direct response', () => {
  test.each([
    ['{status: 200, body: {string: hello}}', '200 hello'],
    ['{status: 204}', '204 '],
    ['{status: 200, body: {bytes: AAEC/w==}}', '200 0 1 2 255'],
  ])('%s', (direct, expected) => {
    expect(answer(`  - {directResponse: ${direct}}`, 'GET http://h/')).toBe(expected);
  });
});

describe('timeout', () => {
  test.each([
    ['', 0],
    ['timeout: 3s, ', 3000],
    ['timeout: 1.5s, ', 1500],
    ['timeout: 1h2m3s4ms, ', 3_723_004],
  ])('%j is %d ms', (timeout, expected) => {
    expect(forward(`  - {${timeout}route: [{destination: {host: web}}]}`, 'GET http://h/').timeoutMs).toBe(expected);
  });
});

test('the name of the rule is told', () => {
  expect(forward('  - {name: "perch:default/reviews:new:canary:-:", route: [{destination: {host: web}}]}', 'GET http://h/').rule).toBe(
    'perch:default/reviews:new:canary:-:',
  );
  expect(forward('  - {route: [{destination: {host: web}}]}', 'GET http://h/').rule).toBeUndefined();
});
