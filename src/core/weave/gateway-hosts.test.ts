import { describe, expect, it, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { findSharing, hostsAtGateways, isInMesh, isLedToInMesh, isServedOverTls, ownGateways } from './gateway-hosts.ts';
import { type RouteObject, routeObject } from './route-object.ts';

interface ServerOptions {
  readonly protocol?: string;
  readonly port?: number;
  readonly redirects?: boolean;
}

function server(hosts: readonly string[] = ['*'], { protocol = 'HTTP', port = 80, redirects = false }: ServerOptions = {}): object {
  return { port: { number: port, name: 'web', protocol }, hosts, ...(redirects ? { tls: { httpsRedirect: true } } : {}) };
}

function gateway(servers: readonly object[], name = 'edge', selector?: object, namespace = 'default'): KubeObject {
  const spec = { servers, ...(selector === undefined ? {} : { selector }) };
  return { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name, namespace }, spec };
}

function object(name: string, spec: object, namespace = 'default'): KubeObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace }, spec };
}

const ROUTE = { route: [{ destination: { host: 'web' } }] };

function route(name: string, spec: object = {}, namespace = 'default'): RouteObject {
  return routeObject(object(name, { hosts: ['shop.test'], gateways: ['edge'], http: [ROUTE], ...spec }, namespace), 'default');
}

/** A delegate, and the root that leads there by these rules. */
function delegated(rules: readonly object[], spec: object = {}, namespace = 'default'): { delegate: RouteObject; root: RouteObject } {
  const http = rules.map((rule) => ({ ...rule, delegate: { name: 'part', namespace: 'default' } }));
  const root = route('root', { http, ...spec }, namespace);
  return { root, delegate: routeObject(object('part', { http: [ROUTE] }), 'default', [root]) };
}

const at = (...gateways: string[]) => ({ match: [{ gateways }] });

describe('the gateways of an object', () => {
  it.each([
    ['as it writes them, each once', ['edge', 'b/other', 'edge'], ['edge', 'b/other'], false],
    ['without the mesh', ['mesh', 'edge'], ['edge'], true],
    ['only the mesh', ['mesh'], [], true],
    ['none, which is the mesh', undefined, [], true],
    ['an empty list, which is the mesh, too', [], [], true],
  ])('%s', (_, gateways, own, mesh) => {
    expect([ownGateways(route('web', { gateways })), isInMesh(route('web', { gateways }))]).toEqual([own, mesh]);
  });

  const both = { gateways: ['edge', 'mesh'] };
  it.each<[string, object[], object, string[], boolean]>([
    ['those of the root', [{}], both, ['default/edge'], true],
    ['each once, whatever the count of rules and matches', [{}, { match: [{}, {}] }], { gateways: ['edge'] }, ['default/edge'], false],
    ['but for what the match leaves out', [at('edge')], both, ['default/edge'], false],
    ['by another spelling', [at('default/edge')], both, ['default/edge'], false],
    ['of the mesh only', [at('mesh')], both, [], true],
    ['of a gateway that the root is not bound to: nowhere', [at('b/far')], both, [], false],
    ['of two matches, one for any', [{ match: [{ gateways: ['edge'] }, { gateways: [] }] }], both, ['default/edge'], true],
    ['a root in the mesh', [{}], { gateways: undefined }, [], true],
  ])('of a delegate: %s', (_, rules, spec, own, mesh) => {
    const { delegate } = delegated(rules, spec);
    expect([ownGateways(delegate), isInMesh(delegate)]).toEqual([own, mesh]);
    expect(delegate.delegations.some(isLedToInMesh)).toBe(mesh);
  });
});

describe('the hosts at the gateways', () => {
  const seen = (found: ReturnType<typeof hostsAtGateways>) => found.map((each) => `${each.gateway} ${each.host} ${each.server?.index}`);
  const hosts = (spec: object, gateways: readonly KubeObject[], namespace?: string) =>
    seen(hostsAtGateways(route('web', spec, namespace), gateways));

  it('are those that both the server and the object have, server by server', () => {
    const edge = gateway([server(['a.test']), server(['*.test']), server(['other.org'])]);
    expect(hosts({ hosts: ['A.test', 'b.test', '*'] }, [edge])).toEqual([
      'default/edge a.test 0',
      'default/edge a.test 1',
      'default/edge b.test 1',
      'default/edge *.test 1',
      'default/edge other.org 2',
    ]);
  });

  it('short names are those of the object’s namespace; a gateway that is not known has all of them, in lower case', () => {
    expect(hosts({ hosts: ['web', 'Shop.test'], gateways: ['far/edge'] }, [])).toEqual([
      'far/edge web.default.svc.cluster.local undefined',
      'far/edge shop.test undefined',
    ]);
    expect(hosts({ hosts: ['web'] }, [gateway([server(['web.default.svc.cluster.local'])])])).toEqual([
      'default/edge web.default.svc.cluster.local 0',
    ]);
  });

  it('the mesh is no gateway, and one that is named twice is one', () => {
    expect(hosts({ gateways: ['edge', 'mesh', 'default/edge'] }, [gateway([server()])])).toEqual(['default/edge shop.test 0']);
    expect(hosts({ gateways: undefined }, [gateway([server()])])).toEqual([]);
    expect(hosts({ hosts: undefined, gateways: ['edge'] }, [gateway([server()])])).toEqual([]);
  });

  it('a gateway is the one of its name and namespace; one without a namespace is of the object’s', () => {
    const [near, far] = [gateway([server(['near.test'])]), gateway([server(['far.test'])], 'edge', {}, 'b')];
    const any = { hosts: ['*'] };
    expect(hosts(any, [far, near])).toEqual(['default/edge near.test 0']);
    expect(hosts({ ...any, gateways: ['b/edge'] }, [near, far])).toEqual(['b/edge far.test 0']);
    const { namespace: _, ...metadata } = near.metadata;
    expect(hosts(any, [{ ...near, metadata }], 'c')).toEqual(['c/edge near.test 0']);
  });

  it('a server admits namespaces: any, its own, or one by name', () => {
    const edge = gateway([server(['*/a.test', './b.test', 'c/c.test', 'default/d.test'])]);
    expect(hosts({ hosts: ['*'] }, [edge])).toEqual(['a.test', 'b.test', 'd.test'].map((host) => `default/edge ${host} 0`));
    expect(hosts({ hosts: ['*'], gateways: ['default/edge'] }, [edge], 'c')).toEqual(
      ['a.test', 'c.test'].map((host) => `default/edge ${host} 0`),
    );
  });

  it('a gateway without servers has none', () => {
    expect(hosts({}, [{ ...gateway([]), spec: {} }])).toEqual([]);
  });

  it('of a delegate are those of its roots, through their matches', () => {
    const { delegate } = delegated([at('edge'), at('mesh')], { gateways: ['edge', 'mesh'], hosts: ['a.test'] });
    expect(seen(hostsAtGateways(delegate, [gateway([server()])]))).toEqual(['default/edge a.test 0']);
  });

  it('are read anew for other gateways, or another namespace', () => {
    const web = route('web');
    expect(seen(hostsAtGateways(web, [gateway([server(['pay.test'])])]))).toEqual([]);
    const edge = [gateway([server()])];
    const found = hostsAtGateways(web, edge);
    expect(seen(found)).toEqual(['default/edge shop.test 0']);
    expect(hostsAtGateways(web, [...edge])).toBe(found);
    const { namespace: _, ...metadata } = web.object.metadata;
    const nowhere = { ...web.object, metadata };
    expect(seen(hostsAtGateways(routeObject(nowhere, 'default'), edge))).toEqual(['default/edge shop.test 0']);
    expect(seen(hostsAtGateways(routeObject(nowhere, 'b'), edge))).toEqual(['b/edge shop.test undefined']);
  });
});

describe('served over TLS', () => {
  it.each<[string, object[], boolean]>([
    ['HTTPS', [server(['*'], { protocol: 'HTTPS' })], true],
    ['https, whatever its case', [server(['*'], { protocol: 'https' })], true],
    ['TLS that is ended there', [server(['*'], { protocol: 'TLS' })], true],
    ['HTTP', [server()], false],
    ['HTTPS and HTTP', [server(['*'], { protocol: 'HTTPS' }), server()], false],
    ['HTTP that redirects only', [server(['*'], { redirects: true })], false],
    ['HTTPS, and HTTP that redirects', [server(['*'], { redirects: true }), server(['*'], { protocol: 'HTTPS' })], true],
    ['HTTPS of another host', [server(['other.test'], { protocol: 'HTTPS' })], false],
  ])('%s', (_, servers, expected) => {
    expect(isServedOverTls(route('web'), [gateway(servers)])).toBe(expected);
  });

  it('not where the gateway is not known, or there is none', () => {
    expect(isServedOverTls(route('web'), [])).toBe(false);
    expect(isServedOverTls(route('web', { gateways: ['edge', 'unknown'] }), [gateway([server(['*'], { protocol: 'HTTPS' })])])).toBe(false);
  });
});

describe('objects that share a virtual host', () => {
  const names = (web: RouteObject, others: readonly RouteObject[], gateways: readonly KubeObject[]) =>
    findSharing(web, others, gateways).map(({ other, through }) => `${other.name}${through === undefined ? '' : ` via ${through.index}`}`);

  it.each<[string, object, KubeObject[], boolean]>([
    ['the same gateway', {}, [gateway([server()])], true],
    ['the same gateway, not known', {}, [], true],
    ['another host', { hosts: ['other.test'] }, [gateway([server()])], false],
    ['no HTTP rules', { http: [] }, [gateway([server()])], false],
    ['no rules at all', { http: undefined }, [gateway([server()])], false],
    ['another gateway, not known', { gateways: ['b'] }, [gateway([server()])], false],
    ['another gateway of the same port and proxies', { gateways: ['b'] }, [gateway([server()]), gateway([server()], 'b')], true],
    ['another port', { gateways: ['b'] }, [gateway([server()]), gateway([server(['*'], { port: 81 })], 'b')], false],
    ['two servers of one gateway', { hosts: ['*.test'] }, [gateway([server(['shop.test']), server(['shop.test'], { port: 81 })])], true],
    [
      'TLS, which each gateway has for itself',
      { gateways: ['b'] },
      [gateway([server(['*'], { protocol: 'HTTPS' })]), gateway([server()], 'b')],
      false,
    ],
    ['TLS at the other', { gateways: ['b'] }, [gateway([server()]), gateway([server(['*'], { protocol: 'HTTPS' })], 'b')], false],
    [
      'proxies that differ in a label',
      { gateways: ['b'] },
      [gateway([server()], 'edge', { istio: 'in' }), gateway([server()], 'b', { istio: 'out' })],
      false,
    ],
    [
      'proxies that may be the same: of other labels',
      { gateways: ['b'] },
      [gateway([server()], 'edge', { istio: 'in' }), gateway([server()], 'b', { app: 'x' })],
      true,
    ],
    [
      'proxies that agree in one label and differ in another',
      { gateways: ['b'] },
      [gateway([server()], 'edge', { istio: 'in', app: 'a' }), gateway([server()], 'b', { istio: 'in', app: 'b' })],
      false,
    ],
  ])('%s', (_, spec, gateways, shared) => {
    const [web, other] = [route('web'), route('other', spec)];
    expect(names(web, [web, other], gateways)).toEqual(shared ? ['other'] : []);
  });

  it('come in their order, each once, and never the object itself', () => {
    const hosts = ['a.test', 'b.test'];
    const [web, second, first] = [
      route('web', { hosts }),
      route('second', { hosts: hosts.toReversed() }),
      route('first', { hosts: ['b.test'] }),
    ];
    expect(names(web, [first, web, second], [gateway([server()])])).toEqual(['first', 'second']);
  });

  it('with a delegate shares whoever shares its root’s host, through that rule, and the root itself does not', () => {
    const { root, delegate } = delegated([{}, {}]);
    const other = route('other');
    expect(names(delegate, [root, delegate, other], [gateway([server()])])).toEqual(['other via 0', 'other via 1']);
    // Nor does a delegate of the others: it is what its root serves.
    expect(names(other, [root, delegate, other], [gateway([server()])])).toEqual(['root']);
  });

  test('what was found with some gateways is not taken for what others say', () => {
    const [web, other] = [route('web'), route('other')];
    const others = [web, other];
    expect(names(web, others, [gateway([server(['pay.test'])])])).toEqual([]);
    expect(names(web, others, [gateway([server()])])).toEqual(['other']);
  });
});
