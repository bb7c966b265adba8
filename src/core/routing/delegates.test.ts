import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, selectAt, service, summaryOf, virtualService } from '../../../test/harness/routes.ts';
import type { HTTPMatchRequest, HTTPRoute, VirtualService } from '../istio/resources.ts';
import { type DelegateProblem, delegatesOf, effectiveRules } from './delegates.ts';

function object(name: string, http: readonly HTTPRoute[], namespace = 'default'): VirtualService {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace }, spec: { http } };
}

/** The rules that come of one root rule and the rules of its delegate, and what was said about it. */
function merge(root: HTTPRoute, inner: readonly HTTPRoute[]): { rules: readonly HTTPRoute[]; problems: DelegateProblem[] } {
  const problems: DelegateProblem[] = [];
  const delegate = object('inner', inner);
  const rules = effectiveRules(
    object('root', [{ ...root, delegate: { name: 'inner' } }]),
    (name) => delegatesOf([delegate]).get(name),
    (problem) => problems.push(problem),
  );
  return { rules, problems };
}

const route = [{ destination: { host: 'web' } }];
const mergeMatch = (root: readonly HTTPMatchRequest[] | undefined, inner: readonly HTTPMatchRequest[] | undefined) =>
  merge({ ...(root && { match: root }) }, [{ ...(inner && { match: inner }), route }]).rules[0]?.match;

test('the rules of a delegate stand where the root delegates, each within the root’s match', () => {
  const { table } = compileYaml(
    gateway(),
    service('web', 80),
    service('api', 80),
    virtualService(
      'root',
      `  hosts: ["*"]
  gateways: [edge]
  http:
  - {match: [{uri: {prefix: /api}}], delegate: {name: api, namespace: shop}}
  - {route: [{destination: {host: web}}]}`,
    ),
    virtualService(
      'api',
      `  http:
  - {match: [{uri: {prefix: /api/v2}}], route: [{destination: {host: api.default.svc.cluster.local}}]}
  - {route: [{destination: {host: local}}]}`,
      'shop',
    ),
  );
  const at = (path: string) => summaryOf(selectAt(table, 'ingress 8080', `GET http://h${path}`));
  expect(at('/api/v2/x')).toBe('api:80');
  // short names are of the namespace of the delegate
  expect(at('/api/v1')).toBe('local.shop.svc.cluster.local:8080 (no cluster)');
  expect(at('/else')).toBe('web:80');
});

describe('matches (istio-semantics 1.11)', () => {
  test('one side without a match takes the other’s', () => {
    expect(mergeMatch(undefined, [{ uri: { exact: '/a' } }])).toEqual([{ uri: { exact: '/a' } }]);
    expect(mergeMatch([{ uri: { exact: '/a' } }], undefined)).toEqual([{ uri: { exact: '/a' } }]);
    expect(mergeMatch(undefined, undefined)).toBeUndefined();
  });

  test('each block of the delegate with each block of the root that it fits', () => {
    const root = [{ uri: { prefix: '/a' } }, { uri: { prefix: '/b' }, headers: { x: { exact: '1' } } }];
    const inner = [{ uri: { exact: '/a/1' } }, { headers: { y: {} } }];
    expect(mergeMatch(root, inner)).toEqual([
      { uri: { exact: '/a/1' } },
      { uri: { prefix: '/a' }, headers: { y: {} } },
      { uri: { prefix: '/b' }, headers: { x: { exact: '1' }, y: {} } },
    ]);
  });

  test('names are joined, the delegate’s gateways count', () => {
    expect(mergeMatch([{ name: 'r', gateways: ['a', 'b'] }], [{ name: 'i', gateways: ['a'] }])).toEqual([
      { name: 'r-i', gateways: ['default/a'] },
    ]);
  });

  test.each<[HTTPMatchRequest, HTTPMatchRequest, boolean]>([
    [{ uri: { prefix: '/a' } }, { uri: { prefix: '/a/b' } }, true],
    [{ uri: { prefix: '/a' } }, { uri: { exact: '/a/b' } }, true],
    [{ uri: { prefix: '/a/b' } }, { uri: { prefix: '/a' } }, false],
    [{ uri: { prefix: '/a' } }, { uri: { exact: '/b' } }, false],
    [{ uri: { exact: '/a' } }, { uri: { exact: '/a' } }, true],
    [{ uri: { exact: '/a' } }, { uri: { exact: '/b' } }, false],
    [{ uri: { exact: '/a' } }, { uri: { prefix: '/a' } }, false],
    [{ uri: { regex: '/a' } }, { uri: { regex: '/a' } }, false],
    [{ uri: { prefix: '/a' } }, { uri: { regex: '/a.*' } }, false],
    [{ uri: { regex: '/a' } }, {}, true],
    [{}, { uri: { regex: '/a' } }, true],
    [{ method: { exact: 'GET' } }, { method: { exact: 'PUT' } }, false],
    [{ headers: { x: { exact: '1' } } }, { headers: { x: { exact: '2' } } }, false],
    [{ headers: { x: {} } }, { headers: { x: { exact: '2' } } }, false],
    [{ headers: { x: { exact: '1' } } }, { headers: { x: {} } }, false],
    [{ headers: { x: { exact: '1' } } }, { headers: { y: {} } }, true],
    [{ queryParams: { q: { prefix: 'a' } } }, { queryParams: { q: { exact: 'ab' } } }, true],
    [{ withoutHeaders: { x: { exact: '1' } } }, { withoutHeaders: { x: { exact: '2' } } }, false],
    [{ ignoreUriCase: true }, {}, false],
    [{ port: 80 }, { port: 81 }, false],
    [{ port: 80 }, {}, true],
    [{ uri: { prefix: '' } }, { uri: { prefix: '/a' } }, false],
    [{ uri: { prefix: '' } }, {}, true],
    [{ queryParams: { q: { exact: '' } } }, { queryParams: { q: { exact: '' } } }, false],
    [{ sourceNamespace: 'a' }, {}, false],
    [{ sourceNamespace: 'a' }, { sourceNamespace: 'a' }, true],
    [{}, { sourceNamespace: 'a' }, true],
    [{ sourceLabels: { app: 'x' } }, { sourceLabels: { app: 'y' } }, false],
    [{ sourceLabels: { app: 'x' } }, { sourceLabels: { tier: 'y' } }, true],
    [{ gateways: ['a'] }, { gateways: ['a', 'b'] }, false],
    [{}, { gateways: ['a'] }, true],
  ])('root %j, delegate %j: %s', (root, inner, fits) => {
    const { rules, problems } = merge({ match: [root] }, [{ match: [inner], route }]);
    expect(rules.length).toBe(fits ? 1 : 0);
    expect(problems.map(({ reason }) => reason)).toEqual(fits ? [] : ['conflict']);
  });

  test('one block of a delegate that fits nowhere drops its whole rule', () => {
    const inner = [
      { match: [{ uri: { exact: '/a/1' } }, { uri: { exact: '/b' } }], route },
      { name: 'kept', route },
    ];
    const { rules, problems } = merge({ match: [{ uri: { prefix: '/a' } }] }, inner);
    expect(rules.map(({ name }) => name)).toEqual(['kept']);
    expect(problems).toMatchObject([{ reason: 'conflict', delegate: 'default/inner', dropped: '0' }]);
  });
});

test('what the delegate does not set comes from the root; header operations as a whole', () => {
  const root: HTTPRoute = { name: 'r', timeout: '1s', rewrite: { uri: '/x' }, headers: { request: { add: { a: '1' } } } };
  const inner: HTTPRoute = { name: 'i', timeout: '2s', headers: { response: { add: { b: '1' } } }, route };
  const full = [{ destination: { host: 'web.default.svc.cluster.local' } }];
  expect(merge(root, [inner, { route }]).rules).toEqual([
    { name: 'r-i', timeout: '2s', rewrite: { uri: '/x' }, headers: { response: { add: { b: '1' } } }, route: full },
    { name: 'r', timeout: '1s', rewrite: { uri: '/x' }, headers: { request: { add: { a: '1' } } }, route: full },
  ]);
});

test('a delegate that is not there, or is none, leaves the rule out, and says so', () => {
  const root = virtualService(
    'root',
    `  hosts: ["*"]\n  gateways: [edge]\n  http: [{delegate: {name: gone}}, {route: [{destination: {host: web}}]}]`,
  );
  const withHosts = virtualService('gone', `  hosts: [web]\n  http: [{route: [{destination: {host: web}}]}]`);
  for (const others of [[], [withHosts]]) {
    const { table, diagnostics } = compileYaml(gateway(), service('web', 80), root, ...others);
    expect(summaryOf(selectAt(table, 'ingress 8080', 'GET http://h/'))).toBe('web:80');
    expect(diagnostics).toMatchObject([{ code: 'PERCH1133', object: 'VirtualService default/root', path: 'spec.http[0].delegate' }]);
  }
});

test('a delegate serves nothing by itself', () => {
  const alone = virtualService('alone', '  http: [{route: [{destination: {host: web}}]}]');
  expect(summaryOf(selectAt(compileYaml(gateway(), service('web', 80), alone).table, 'ingress 8080', 'GET http://h/'))).toBe('none');
});
