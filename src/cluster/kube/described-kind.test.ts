import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DescribedKind, type DescribedSchema } from './described-kind.ts';
import { KubeClient } from './kube-client.ts';
import { Reflector } from './reflector.ts';

/** What an apiserver says while it begins; one that has begun is in test/real/tenants.test.ts. */

const GROUP = 'gateway.networking.k8s.io/v1';
const DISCOVERED = { resources: [{ kind: 'GRPCRoute' }, { kind: 'HTTPRoute' }] };
const described = (kind: string): object => ({
  components: { schemas: { one: { properties: { spec: {} }, 'x-kubernetes-group-version-kind': [{ kind }] } } },
});

let server: Server | undefined;
let found: DescribedKind | undefined;
afterEach(async () => {
  await found?.stop();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

/** Looks for HTTPRoutes at a server that answers each path in turn so; undefined is a 404, and the last one comes again and again. */
async function lookAt(answers: Readonly<Record<string, readonly (object | undefined)[]>>, isUsable = (_: DescribedSchema) => true) {
  const told = { asked: [] as string[], failures: [] as string[] };
  server = createServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    told.asked.push(path);
    const own = answers[path] ?? [];
    const body = own[Math.min(told.asked.filter((each) => each === path).length, own.length) - 1];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new KubeClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    authenticate: async () => undefined,
  });
  const handler = { replaced: () => undefined, applied: () => undefined, deleted: () => undefined, failed: () => undefined };
  found = new DescribedKind({
    client,
    apiVersion: GROUP,
    kind: 'HTTPRoute',
    isUsable,
    begin: () => [new Reflector({ client, path: '/routes', handler })],
    failed: (error) => told.failures.push(error.message),
  });
  await found.synced;
  return { ...told, isKnown: found.isKnown };
}

const ROUTES = { '/routes': [{ metadata: { resourceVersion: '1' }, items: [] }] };

test('a kind that the API serves and describes is reflected', async () => {
  const { asked, isKnown } = await lookAt({
    ...ROUTES,
    [`/apis/${GROUP}`]: [DISCOVERED],
    [`/openapi/v3/apis/${GROUP}`]: [described('HTTPRoute')],
  });
  expect([asked.slice(0, 3), isKnown]).toEqual([[`/apis/${GROUP}`, `/openapi/v3/apis/${GROUP}`, '/routes'], true]);
});

test.each([
  ['no such group', undefined],
  ['a group without the kind', { resources: [{ kind: 'GRPCRoute' }] }],
])('%s: it is not there, and not asked for again', async (_, discovered) => {
  const { asked, failures, isKnown } = await lookAt({ [`/apis/${GROUP}`]: [discovered] });
  expect([asked, failures, isKnown]).toEqual([[`/apis/${GROUP}`], [], false]);
});

test.each([
  ['nothing', undefined],
  ['other kinds', described('GRPCRoute')],
])('an apiserver that has just begun describes %s yet: it is asked again', async (_, early) => {
  const openapi = [early, described('HTTPRoute')];
  const { failures, isKnown } = await lookAt({ ...ROUTES, [`/apis/${GROUP}`]: [DISCOVERED], [`/openapi/v3/apis/${GROUP}`]: openapi });
  expect([failures, isKnown]).toEqual([['the API does not describe this kind yet'], true]);
});

test('one that cannot be used is as good as none', async () => {
  const isUsable = ({ properties }: DescribedSchema) => properties?.['status'] !== undefined;
  const { isKnown } = await lookAt({ [`/apis/${GROUP}`]: [DISCOVERED], [`/openapi/v3/apis/${GROUP}`]: [described('HTTPRoute')] }, isUsable);
  expect(isKnown).toBe(false);
});
