import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gateway, manifestsOf, service, subsets, virtualService } from '../../../test/harness/routes.ts';
import type { StoredObject } from '../../cluster/store.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import { type RouteTrialView, routeTrialView } from '../../core/view/route-trial-view.ts';
import { ApiScene, problemOf, RELEASE } from '../api-scene.cases.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await ApiScene.open();
});

afterEach(() => scene.close());

const SHOP = virtualService(
  'shop',
  `  hosts: [shop.test]
  gateways: [edge, mesh]
  http:
  - {name: member, match: [{headers: {cookie: {regex: ".*perch=.*"}}}], route: [{destination: {host: web, subset: v2}}]}
  - {name: slow, match: [{uri: {prefix: /slow}}], route: [{destination: {host: web, subset: v1}}]}
  - {name: all, route: [{destination: {host: web, subset: v1}, weight: 75}, {destination: {host: web, subset: v2}, weight: 25}]}`,
);
const OBJECTS = manifestsOf(gateway(), service('web', 80, ['v1', 'v2']), subsets('web', ['v1', 'v2']), SHOP);
const ANNA = '3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a';

async function send(trial: object): Promise<Response> {
  return await scene.send('POST', '/api/v1/route-trials', { listener: 'ingress', method: 'GET', ...trial });
}

async function tried(trial: object): Promise<RouteTrialView> {
  const response = await send(trial);
  expect(response.status).toBe(200);
  return routeTrialView.parse(await response.json());
}

/** Plays a gateway that serves the objects, and has moved its listener. */
function serve(): void {
  const { table } = compileRouting(OBJECTS);
  scene.context.served = () => ({
    table,
    addresses: [{ kind: 'ingress', port: 8080, address: '127.0.0.1', actualPort: 41234, tls: false }],
  });
}

describe('a request is tried on the routes that are served', () => {
  beforeEach(serve);

  test('the trail leads to where it would go', async () => {
    const { trail, outcome, sentence } = await tried({ url: 'http://shop.test:8080/slow/%2e%2e/slow?x=1', headers: [['cookie', 'a=b']] });
    expect(trail.map(({ kind, matched }) => [kind, matched])).toEqual([
      ['request', true],
      ['listener', true],
      ['host', true],
      ['rule', false],
      ['rule', true],
      ['destination', true],
    ]);
    expect(trail[3]?.text).toBe('header cookie is "a=b", and does not match ".*perch=.*"');
    const v1 = { host: 'web.default.svc.cluster.local', port: 80, subset: 'v1', percent: 100, endpoints: 1 };
    // The path is normalized as the gateway does it.
    expect(outcome).toEqual({ kind: 'forward', destinations: [v1], path: '/slow?x=1', authority: 'shop.test:8080' });
    expect(sentence).toBe('Goes to web.default.svc.cluster.local:80, subset v1, by rule “slow” of VirtualService default/shop.');
  });

  test('a visitor’s id goes where releases have it', async () => {
    expect((await tried({ url: 'http://shop.test:8080/', visitorId: ANNA })).sentence).toContain('subset v2, by rule “member”');
    const spec = { ...RELEASE.spec, visitorId: { from: { header: 'x-tenant' } } };
    await scene.send('PUT', '/api/v1/objects', { objects: [{ ...RELEASE, spec }] });
    expect((await tried({ url: 'http://shop.test:8080/', visitorId: ANNA })).trail[2]?.text).toContain('there is no header cookie');
    expect((await tried({ url: 'http://shop.test:8080/', visitorId: ANNA })).sentence).toMatch(
      /^Drawn: 75 % to .*v1; 25 % to .*v2, by rule “all”/,
    );
  });

  test('a port is a declared one, or where the listener is; elsewhere nobody answers', async () => {
    for (const port of [8080, 41234]) expect((await tried({ url: `http://shop.test:${port}/` })).outcome.kind).toBe('forward');
    expect(await tried({ url: 'http://shop.test/' })).toMatchObject({
      trail: [{ kind: 'listener', matched: false, text: 'nothing listens on port 80: Gateways have 8080' }],
      outcome: { kind: 'none', status: 0 },
      sentence: 'Nobody answers.',
    });
    expect((await tried({ url: 'http://elsewhere:8080/' })).outcome).toEqual({ kind: 'none', status: 404 });
    expect((await tried({ listener: 'mesh', url: 'http://nobody/' })).outcome).toEqual({ kind: 'blocked', status: 502 });
    expect((await tried({ listener: 'mesh', url: 'http://web/' })).outcome).toMatchObject({ kind: 'forward', authority: 'web' });
    // A Host of the caller's own counts, as with curl.
    expect((await tried({ url: 'http://127.0.0.1:8080/', headers: [['Host', 'shop.test']] })).outcome.kind).toBe('forward');
  });

  test('what the gateway does not route is refused as it refuses it', async () => {
    const refused = await tried({ url: 'http://shop.test:8080/%00' });
    expect(refused).toEqual({
      trail: [{ kind: 'request', matched: false, text: 'invalid path' }],
      outcome: { kind: 'refused', status: 400 },
      sentence: 'Refused with 400: the gateway does not route it.',
      notes: [],
    });
    const twice = [
      ['host', 'a'],
      ['host', 'b'],
    ];
    expect((await tried({ url: 'http://shop.test:8080/', headers: twice })).trail[0]?.text).toBe('several Host headers');
    expect((await tried({ url: 'http://shop.test:8080/', method: 'BREW' })).outcome.kind).toBe('refused');
  });

  test('with TLS the server is chosen by name, and each port has its scheme', async () => {
    const secure = (name: string, host: string): string => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}}
spec: {servers: [{port: {number: 8443, name: https, protocol: HTTPS}, hosts: [${host}], tls: {mode: SIMPLE, credentialName: ${name}}}]}
`;
    const admin = virtualService('admin', '  hosts: [admin.test]\n  gateways: [inner]\n  http: [{directResponse: {status: 204}}]');
    const { table } = compileRouting([...OBJECTS, ...manifestsOf(secure('inner', 'admin.test'), admin)]);
    scene.context.served = () => ({ table, addresses: [] });
    expect((await tried({ url: 'https://admin.test:8443/' })).outcome).toEqual({ kind: 'direct', status: 204 });
    const failures = ['https://shop.test:8443/', 'https://127.0.0.1:8443/', 'http://admin.test:8443/', 'https://shop.test:8080/'];
    const found = await Promise.all(failures.map((url) => tried({ url })));
    expect(found.map(({ outcome, trail }) => [outcome, trail[0]?.text])).toEqual(
      [
        'no server of port 8443 has shop.test: the connection is refused',
        'no server of port 8443 has 127.0.0.1: the connection is refused',
        'port 8443 speaks TLS: use https',
        'port 8080 speaks plain HTTP',
      ].map((text) => [{ kind: 'none', status: 0 }, text]),
    );
  });

  test.each<[string, object]>([
    ['another listener', { listener: 'proxy', url: 'http://a/' }],
    ['no URL', {}],
    ['a URL of something else', { url: 'ftp://a/' }],
    ['a fragment', { url: 'http://a/#b' }],
    ['too many headers', { url: 'http://a/', headers: Array.from({ length: 101 }, () => ['a', 'b']) }],
    ['a header that is none', { url: 'http://a/', headers: [['a b', 'c']] }],
    ['what is no visitor id', { url: 'http://a/', visitorId: 'anna' }],
    ['something unknown', { url: 'http://a/', body: 'x' }],
  ])('%s is a bad request', async (_, trial) => {
    const response = await send(trial);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4006' });
  });
});

test('where there is no gateway, as in a cluster, the objects of the store decide; Services are taken as there', async () => {
  const [edge, , rules, shop] = OBJECTS;
  expect((await scene.send('PUT', '/api/v1/objects', { objects: [edge, rules, shop] })).status).toBe(200);
  const before = scene.store.revision();
  expect((await tried({ url: 'http://shop.test:8080/slow' })).outcome).toEqual({
    kind: 'forward',
    destinations: [{ percent: 100, host: 'web.default.svc.cluster.local', subset: 'v1', port: 8080 }],
    ...{ path: '/slow', authority: 'shop.test:8080' },
  });
  expect((await tried({ listener: 'mesh', url: 'http://ratings:9080/' })).trail.at(-2)).toEqual({
    ...{ kind: 'rule', rule: 'straight to the service: no VirtualService is about it here', matched: true, text: 'takes everything' },
  });
  expect(scene.store.revision()).toBe(before);
});

test('in the mesh a request id that the request does not bring is drawn, and said; one that it brings is kept', async () => {
  serve();
  const asked = { listener: 'mesh', url: 'http://web/' };
  expect((await tried(asked)).trail[0]?.text).toMatch(/^x-request-id [0-9a-f-]{36}, drawn for this trial, as the request brings none$/);
  expect((await tried({ ...asked, headers: [['X-Request-Id', 'mine']] })).trail[0]?.kind).toBe('listener');
});

test('in a cluster the answer says what it takes for granted, and which objects it leaves out', async () => {
  const stored = await scene.store.list();
  const other = (kind: string, name: string, spec: object): StoredObject => {
    const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'shop' }, spec };
    return { ref: { kind, namespace: 'shop', name }, base: object, served: object, revision: 1, generation: 1, createdAt: '' };
  };
  const routes = ['a', 'b', 'c', 'd', 'e'].map((name) => other('HTTPRoute', name, { rules: [] }));
  const unknown = other('VirtualService', 'newer', { hosts: ['a.test'], mirrors: 1 });
  scene.store.list = async (kind) => [...stored, ...routes, unknown].filter(({ ref }) => kind === undefined || ref.kind === kind);
  const { notes, outcome } = await tried({ url: 'http://shop.test:8080/slow' });
  expect(outcome.kind).toBe('none');
  expect(notes).toEqual([
    expect.stringMatching(/^Services of the cluster were not looked at/),
    'Left out: HTTPRoute shop/a, HTTPRoute shop/b, HTTPRoute shop/c and 2 more, because trials know Istio’s own kinds only.',
    'Left out: VirtualService shop/newer, because Perch’s own gateway does not know all of their fields.',
  ]);
});
