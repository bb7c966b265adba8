import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, selectAt, service, summaryOf, virtualService } from '../../../test/harness/routes.ts';

const to = (host: string, extra = '') => `  http: [{route: [{destination: {host: ${host}}}]${extra}}]`;
const at = (table: ReturnType<typeof compileYaml>['table'], listener: string, line: string) => summaryOf(selectAt(table, listener, line));

describe('binding to gateways (istio-semantics 1.2)', () => {
  const { table } = compileYaml(
    gateway(),
    service('web', 80),
    service('reviews', 9080, ['v1'], 21000),
    virtualService('mesh-only', `  hosts: [reviews]\n${to('web')}`),
    virtualService('edge-only', `  hosts: [shop.test]\n  gateways: [edge]\n${to('web')}`),
    virtualService('both', `  hosts: [both.test, web]\n  gateways: [edge, mesh]\n${to('reviews')}`),
  );

  test.each([
    ['a VirtualService without gateways is of the mesh only', 'ingress 8080', 'GET http://reviews/', 'none'],
    ['not even by its full name', 'ingress 8080', 'GET http://reviews.default.svc.cluster.local/', 'none'],
    ['in the mesh it counts', 'mesh 9080', 'GET http://reviews:9080/', 'web:80'],
    ['one bound to a gateway counts there', 'ingress 8080', 'GET http://shop.test/', 'web:80'],
    ['and not in the mesh', 'mesh 80', 'GET http://shop.test/', 'blocked'],
    ['both', 'ingress 8080', 'GET http://both.test/', 'reviews:9080'],
    ['both', 'mesh 80', 'GET http://web/', 'reviews:9080'],
  ])('%s: %s %s -> %s', (_, listener, line, expected) => {
    expect(at(table, listener, line)).toBe(expected);
  });

  test('at a gateway a host has no short name', () => {
    const { table: edge } = compileYaml(
      gateway(),
      service('web', 80),
      virtualService('vs', `  hosts: [web]\n  gateways: [edge]\n${to('web')}`),
    );
    expect(at(edge, 'ingress 8080', 'GET http://web/')).toBe('none');
    expect(at(edge, 'ingress 8080', 'GET http://web.default.svc.cluster.local/')).toBe('web:80');
  });

  test('a gateway in another namespace is named with it', () => {
    const elsewhere = gateway().replace('name: edge', 'name: edge, namespace: infra');
    const bound = (name: string) => virtualService('vs', `  hosts: ["*"]\n  gateways: [${name}]\n${to('web')}`);
    expect(at(compileYaml(elsewhere, service('web', 80), bound('infra/edge')).table, 'ingress 8080', 'GET http://a/')).toBe('web:80');
    expect(at(compileYaml(elsewhere, service('web', 80), bound('edge')).table, 'ingress 8080', 'GET http://a/')).toBe('none');
  });

  test('a gateway that does not exist is told, and the name that was meant', () => {
    const { diagnostics } = compileYaml(
      gateway(),
      service('web', 80),
      virtualService('vs', `  hosts: ["*"]\n  gateways: [edgee]\n${to('web')}`),
    );
    expect(diagnostics).toMatchObject([
      {
        code: 'PERCH1131',
        severity: 'warning',
        object: 'VirtualService default/vs',
        path: 'spec.gateways[0]',
        hint: 'did you mean default/edge?',
      },
    ]);
  });
});

describe('which virtual host a request gets at a gateway (istio-semantics 1.3, 1.5)', () => {
  const { table } = compileYaml(
    gateway(),
    service('any', 80),
    service('wide', 80),
    service('narrow', 80),
    service('one', 80),
    virtualService('any', `  hosts: ["*"]\n  gateways: [edge]\n${to('any')}`),
    virtualService('wide', `  hosts: ["*.shop.test"]\n  gateways: [edge]\n${to('wide')}`),
    virtualService('narrow', `  hosts: ["*.eu.shop.test"]\n  gateways: [edge]\n${to('narrow')}`),
    virtualService(
      'one',
      `  hosts: [A.shop.test]
  gateways: [edge]
  http: [{match: [{uri: {exact: /one}}], route: [{destination: {host: one}}]}]`,
    ),
  );

  test.each([
    ['exact', 'a.shop.test/one', 'one:80'],
    ['case does not count', 'A.SHOP.test/one', 'one:80'],
    ['nor does the port', 'a.shop.test:8443/one', 'one:80'],
    ['even if it is no number', 'a.shop.test:x/one', 'one:80'],
    ['no fall-through: the chosen host has no such route', 'a.shop.test/other', 'none'],
    ['longest wildcard', 'x.eu.shop.test/', 'narrow:80'],
    ['shorter wildcard', 'x.shop.test/', 'wide:80'],
    ['a wildcard stands for at least one character', 'shop.test/', 'any:80'],
    ['any', 'else.test/', 'any:80'],
    ['an IPv6 address', '[::1]:8080/', 'any:80'],
    ['no host at all', '/', 'any:80'],
  ])('%s: %s -> %s', (_, target, expected) => {
    expect(at(table, 'ingress 8080', `GET http://${target}`)).toBe(expected);
  });

  test('only hosts that the server and the VirtualService share', () => {
    const shared = (server: string, host: string) =>
      compileYaml(gateway([server]), service('web', 80), virtualService('vs', `  hosts: ["${host}"]\n  gateways: [edge]\n${to('web')}`))
        .table;
    expect(at(shared('*.shop.test', '*'), 'ingress 8080', 'GET http://a.shop.test/')).toBe('web:80');
    expect(at(shared('*.shop.test', '*'), 'ingress 8080', 'GET http://a.else.test/')).toBe('none');
    expect(at(shared('shop.test', '*.test'), 'ingress 8080', 'GET http://other.test/')).toBe('none');
    expect(at(shared('elsewhere/shop.test', '*'), 'ingress 8080', 'GET http://shop.test/')).toBe('none');
    expect(at(shared('./shop.test', '*'), 'ingress 8080', 'GET http://shop.test/')).toBe('web:80');
  });

  test('an IPv6 address as host', () => {
    const { table: six } = compileYaml(
      gateway(),
      service('web', 80),
      virtualService('vs', `  hosts: ["::1"]\n  gateways: [edge]\n${to('web')}`),
    );
    expect(at(six, 'ingress 8080', 'GET http://[::1]/')).toBe('web:80');
    expect(at(six, 'ingress 8080', 'GET http://[::1]:8080/')).toBe('web:80');
    expect(at(six, 'ingress 8080', 'GET http://[::2]:8080/')).toBe('none');
  });

  test('rules that are all for another port leave the host to a less specific one', () => {
    const { table: wide } = compileYaml(
      gateway(),
      service('web', 80),
      virtualService(
        'one',
        '  hosts: [shop.test]\n  gateways: [edge]\n  http: [{match: [{port: 1}], route: [{destination: {host: web}}]}]',
      ),
      virtualService('any', `  hosts: ["*"]\n  gateways: [edge]\n${to('web')}`),
    );
    expect(at(wide, 'ingress 8080', 'GET http://shop.test/')).toBe('web:80');
  });

  test('an unknown listener answers nothing', () => {
    expect(at(table, 'ingress 81', 'GET http://else.test/')).toBe('none');
    expect(at(table, 'ingress 8080 127.0.0.9', 'GET http://else.test/')).toBe('none');
  });
});

describe('several VirtualServices for one host', () => {
  const rules = (host: string, path: string) => `  http:
  - {match: [{uri: {prefix: ${path}}}], route: [{destination: {host: ${host}}}]}`;

  test('at a gateway they are merged in order of creation, those that take everything last', () => {
    const { table } = compileYaml(
      gateway(),
      service('first', 80),
      service('second', 80),
      virtualService('a', `  hosts: ["*"]\n  gateways: [edge]\n${rules('first', '/a')}\n  - route: [{destination: {host: first}}]`),
      virtualService(
        'b',
        `  hosts: ["*"]\n  gateways: [edge]\n${rules('second', '/a/b')}\n${rules('second', '/b').replace('  http:\n', '')}`,
      ),
    );
    expect(at(table, 'ingress 8080', 'GET http://h/a/b')).toBe('first:80');
    expect(at(table, 'ingress 8080', 'GET http://h/b')).toBe('second:80');
    expect(at(table, 'ingress 8080', 'GET http://h/c')).toBe('first:80');
  });

  test.each([
    ['the prefix /', '{uri: {prefix: /}}', true],
    ['the regex .*', "{uri: {regex: '.*'}}", true],
    ['an empty match', '{}', true],
    ['a method beside', '{uri: {prefix: /}, method: {exact: GET}}', false],
    ['a header beside', '{headers: {x: {}}}', false],
    ['a query beside', '{queryParams: {q: {}}}', false],
  ])('what counts as taking everything: %s: %s', (_, match, isSortedLast) => {
    const { table } = compileYaml(
      gateway(),
      service('first', 80),
      service('second', 80),
      virtualService('a', `  hosts: ["*"]\n  gateways: [edge]\n  http: [{match: [${match}], route: [{destination: {host: first}}]}]`),
      virtualService('b', `  hosts: ["*"]\n  gateways: [edge]\n${rules('second', '/a')}`),
    );
    const request = { line: 'GET http://h/a?q=1', headers: { x: '' } };
    expect(summaryOf(selectAt(table, 'ingress 8080', request))).toBe(isSortedLast ? 'second:80' : 'first:80');
  });

  test('in the mesh the older one wins whole, and the other is told', () => {
    const { table, diagnostics } = compileYaml(
      service('web', 80),
      service('first', 80),
      service('second', 80),
      virtualService('a', `  hosts: [web]\n${rules('first', '/a')}`),
      virtualService('b', `  hosts: [web, second]\n${rules('second', '/b')}`),
    );
    expect(at(table, 'mesh 80', 'GET http://web/a')).toBe('first:80');
    expect(at(table, 'mesh 80', 'GET http://web/b')).toBe('none');
    expect(at(table, 'mesh 80', 'GET http://second/b')).toBe('second:80');
    expect(diagnostics).toMatchObject([{ code: 'PERCH1132', object: 'VirtualService default/b' }]);
    expect(diagnostics[0]?.message).toContain('default/a is older and routes web.default.svc.cluster.local');
  });

  test('gateways that share a port and address share a listener; another address is another one', () => {
    const { table } = compileYaml(
      gateway(['a.test'], 'one'),
      gateway(['b.test'], 'two'),
      gateway(['*'], 'three', 8080, ', bind: 127.0.0.2'),
      service('web', 80),
      virtualService('vs', `  hosts: ["*"]\n  gateways: [one, two, three]\n${to('web')}`),
    );
    expect(table.listeners.filter(({ kind }) => kind === 'ingress')).toEqual([
      { kind: 'ingress', port: 8080, bind: undefined },
      { kind: 'ingress', port: 8080, bind: '127.0.0.2' },
    ]);
    expect(at(table, 'ingress 8080', 'GET http://b.test/')).toBe('web:80');
    expect(at(table, 'ingress 8080', 'GET http://c.test/')).toBe('none');
    expect(at(table, 'ingress 8080 127.0.0.2', 'GET http://c.test/')).toBe('web:80');
  });
});

describe('the mesh (istio-semantics 1.4)', () => {
  const shop = service('reviews', 9080)
    .replace('name: reviews}', 'name: reviews-shop, namespace: shop}')
    .replace('reviews.default', 'cart.shop');
  const { table } = compileYaml(service('reviews', 9080), shop, service('api.example.com', 8443));

  test('one listener for each service port', () => {
    expect(table.listeners).toEqual([
      { kind: 'mesh', port: 9080, bind: undefined },
      { kind: 'mesh', port: 8443, bind: undefined },
    ]);
  });

  test.each([
    ['reviews', 'reviews:9080'],
    ['reviews:9080', 'reviews:9080'],
    ['Reviews:1', 'reviews:9080'],
    ['reviews.default', 'reviews:9080'],
    ['reviews.default.svc', 'reviews:9080'],
    ['reviews.default.svc.cluster.local', 'reviews:9080'],
    ['reviews.default.svc.cluster.local.', 'reviews:9080'],
    ['cart.shop', 'cart.shop.svc.cluster.local:9080'],
    // the client is of namespace default
    ['cart', 'blocked'],
    ['reviews.other', 'blocked'],
    ['nothing.test', 'blocked'],
    // it has another port
    ['api.example.com', 'blocked'],
  ])('Host %s -> %s', (host, expected) => {
    expect(at(table, 'mesh 9080', `GET http://${host}/`)).toBe(expected);
  });

  test('a host outside the cluster', () => {
    expect(at(table, 'mesh 8443', 'GET http://api.example.com:8443/')).toBe('api.example.com:8443');
    expect(at(table, 'mesh 8443', 'GET http://api.example.com./')).toBe('api.example.com:8443');
    expect(at(table, 'mesh 8443', 'GET http://api/')).toBe('blocked');
  });

  test('a port without services blocks everything', () => {
    expect(at(table, 'mesh 1234', 'GET http://reviews/')).toBe('blocked');
  });

  test('hosts of a VirtualService that are no services come along with one that is (istio-semantics 9, correction 4)', () => {
    const { table: mesh } = compileYaml(service('echo', 9080), virtualService('vs', `  hosts: [echo, nothing.test]\n${to('echo')}`));
    expect(at(mesh, 'mesh 9080', 'GET http://nothing.test/')).toBe('echo:9080');
  });

  test('a VirtualService none of whose hosts is a service counts on port 80 only', () => {
    const only = virtualService('vs', `  hosts: [nothing.test]\n${to('echo')}`);
    expect(at(compileYaml(service('echo', 9080), only).table, 'mesh 9080', 'GET http://nothing.test/')).toBe('blocked');
    expect(at(compileYaml(service('echo', 80), only).table, 'mesh 80', 'GET http://nothing.test/')).toBe('echo:80');
  });

  test('a wildcard is about each service that no VirtualService names', () => {
    const { table: mesh } = compileYaml(
      service('a', 80),
      service('b', 80),
      service('c', 80),
      virtualService('wide', `  hosts: ["*.default.svc.cluster.local"]\n${to('c')}`),
      virtualService('exact', `  hosts: [b]\n${to('b')}`),
    );
    expect(at(mesh, 'mesh 80', 'GET http://a/')).toBe('c:80');
    expect(at(mesh, 'mesh 80', 'GET http://b/')).toBe('b:80');
  });

  test('rules that are all for another port leave a service its default route; at a gateway nothing is left (istio-semantics 9)', () => {
    const spec = '  http: [{match: [{port: 1}], route: [{destination: {host: other}}]}]';
    const { table: mesh } = compileYaml(
      gateway(),
      service('web', 80),
      service('other', 80),
      virtualService('mesh', `  hosts: [web]\n${spec}`),
      virtualService('edge', `  hosts: ["*"]\n  gateways: [edge]\n${spec}`),
    );
    expect(at(mesh, 'mesh 80', 'GET http://web/')).toBe('web:80');
    expect(at(mesh, 'ingress 8080', 'GET http://web/')).toBe('none');
  });

  test('without a match a VirtualService of the mesh answers 404, not the default route', () => {
    const spec = '  http: [{match: [{uri: {exact: /a}}], route: [{destination: {host: web}}]}]';
    expect(at(compileYaml(service('web', 80), virtualService('vs', `  hosts: [web]\n${spec}`)).table, 'mesh 80', 'GET http://web/b')).toBe(
      'none',
    );
  });
});
