import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreWriteError } from '../cluster/store-errors.ts';

import { ApiScene, problemOf, RELEASE_REF, ROUTES } from './api-scene.cases.ts';
import { MAX_BODY_BYTES } from './read-call.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await ApiScene.open();
});

afterEach(() => scene.close());

describe('who may ask', () => {
  test('loopback names with the port, and nothing else: a page that rebinds its DNS name is refused', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      expect((await scene.raw('GET', '/healthz', { host: `${host}:${scene.api.port}` })).status).toBe(200);
    }
    for (const host of [
      `evil.example:${scene.api.port}`,
      'localhost',
      `localhost:${scene.api.port + 1}`,
      `localhost.evil.example:${scene.api.port}`,
    ]) {
      const { status, body } = await scene.raw('GET', '/healthz', { host });
      expect([host, status]).toEqual([host, 403]);
      expect(JSON.parse(body)).toMatchObject({ code: 'PERCH4001' });
    }
  });

  test('two Host headers are refused, even if one is right', async () => {
    const socket = connect(scene.api.port, '127.0.0.1');
    socket.end(`GET /healthz HTTP/1.1\r\nHost: localhost:${scene.api.port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  test('pages of another origin are refused, its own are not', async () => {
    for (const foreign of ['http://evil.example', 'null', `https://127.0.0.1:${scene.api.port}`, `http://localhost:${scene.api.port}`]) {
      const response = await scene.send('DELETE', '/api/v1/releases/default/reviews', undefined, { origin: foreign });
      expect(response.status).toBe(403);
      expect(await problemOf(response)).toMatchObject({ code: 'PERCH4002' });
    }
    expect((await scene.send('GET', '/api/v1/releases', undefined, { origin: scene.origin })).status).toBe(200);
  });

  test('a browser that says another page asks is believed; a link that was followed is none of it', async () => {
    const asks = async (site: string, mode = 'cors', dest = 'empty', method = 'GET') => {
      const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, 'content-type': 'application/json' };
      const answer = await scene.raw(method, '/api/v1/releases', headers);
      return answer.status;
    };
    for (const site of ['cross-site', 'same-site']) {
      for (const mode of ['cors', 'no-cors', 'websocket']) expect([site, mode, await asks(site, mode)]).toEqual([site, mode, 403]);
      expect(await asks(site, 'navigate', 'iframe')).toBe(403);
      expect(await asks(site, 'navigate', 'document', 'POST')).toBe(403);
      expect(await asks(site, 'navigate', 'document')).toBe(200);
    }
    expect(await asks('same-origin')).toBe(200);
    expect(await asks('none', 'navigate', 'document')).toBe(200);
  });

  test('a preflight grants nothing', async () => {
    for (const origin of ['http://evil.example', scene.origin]) {
      const answer = await scene.raw('OPTIONS', '/api/v1/objects', {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'content-type, authorization',
        'access-control-request-private-network': 'true',
      });
      expect([403, 405]).toContain(answer.status);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });

  test('a body that a plain form could send is refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain; application/json', '']) {
      for (const [method, path] of [
        ['PUT', '/api/v1/objects'],
        ['POST', '/api/v1/releases/default/reviews/requests'],
      ] as const) {
        const response = await scene.send(method, path, '{"objects":[]}', { 'content-type': type });
        expect([type, response.status]).toEqual([type, 415]);
        expect(await problemOf(response)).toMatchObject({ code: 'PERCH4009' });
      }
    }
  });
});

describe('problems', () => {
  test('what does not exist, and what is not allowed', async () => {
    const nowhere = await scene.send('GET', '/api/v2/releases');
    expect(nowhere.status).toBe(404);
    expect(await problemOf(nowhere)).toMatchObject({ code: 'PERCH4004', type: 'tag:perch.dev,2026:PERCH4004', title: expect.any(String) });
    const wrong = await scene.send('DELETE', '/api/v1/objects');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(['GET', 'PUT']));
    expect((await scene.send('GET', '/api/v1/objects/VirtualService/default/none')).status).toBe(404);
    expect(await problemOf(await scene.send('GET', '/api/v1/releases/default/none'))).toMatchObject({
      code: 'PERCH4005',
      detail: 'there is no CanaryRelease default/none',
    });
  });

  test.each<[string, unknown]>([
    ['not JSON', '{"objects":['],
    ['an unknown field', { objects: [ROUTES], prune: true }],
    ['no objects', { objects: [] }],
    ['the source of the files', { objects: [ROUTES], source: 'files' }],
  ])('a body with %s', async (_, body) => {
    const response = await scene.send('PUT', '/api/v1/objects', body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4006' });
    expect(await scene.store.list()).toEqual([]);
  });

  test('bodies above 4 MiB are refused, also without a declared length', async () => {
    const large = JSON.stringify({ objects: ['x'.repeat(MAX_BODY_BYTES)] });
    const declared = await scene.send('PUT', '/api/v1/objects', large);
    expect(declared.status).toBe(413);
    expect(await problemOf(declared)).toMatchObject({ code: 'PERCH4003' });
    const streamed = await fetch(`${scene.origin}/api/v1/objects`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  test('a failure inside is logged and not shown', async () => {
    await scene.applyExample();
    scene.context.exposure = () => {
      throw new Error('secret detail');
    };
    const response = await scene.send('GET', '/api/v1/releases');
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain('secret');
    expect(scene.logged).toEqual(['GET /api/v1/releases failed']);
  });

  test('a store that cannot write says so, and that nothing was changed', async () => {
    const message = 'cannot write perch.db (disk full): nothing was changed; free some space';
    scene.store.apply = () => Promise.reject(new StoreWriteError('perch.db', 'disk full', undefined));
    const response = await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES] });
    expect(response.status).toBe(507);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4062', detail: expect.stringContaining(message) });
  });

  test('answers are not kept, sniffed or embedded elsewhere', async () => {
    for (const path of ['/api/v1/releases', '/api/v1/nothing', '/healthz']) {
      const { headers } = await scene.send('GET', path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  test('not ready says why', async () => {
    expect((await scene.send('GET', '/readyz')).status).toBe(200);
    scene.context.notReady = () => 'port 8080 is in use by another program';
    const response = await scene.send('GET', '/readyz');
    expect([response.status, await response.text()]).toEqual([503, 'port 8080 is in use by another program']);
    expect((await scene.send('GET', '/healthz')).status).toBe(200);
  });
});

describe('objects', () => {
  test('apply, list, get, delete', async () => {
    const applied = await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES], source: 'api' });
    expect(await applied.json()).toMatchObject({
      outcomes: [{ ref: { kind: 'VirtualService', namespace: 'default', name: 'reviews' }, result: 'created' }],
      warnings: [],
    });
    const listed = (await (await scene.send('GET', '/api/v1/objects?kind=VirtualService&namespace=default')).json()) as {
      items: unknown[];
    };
    expect(listed.items).toMatchObject([
      { kind: 'VirtualService', metadata: { name: 'reviews', namespace: 'default', generation: 1 }, spec: ROUTES.spec },
    ]);
    expect(((await (await scene.send('GET', '/api/v1/objects?kind=Gateway')).json()) as { items: unknown[] }).items).toEqual([]);
    expect((await scene.send('GET', '/api/v1/objects?knd=Gateway')).status).toBe(400);
    expect((await scene.send('DELETE', '/api/v1/objects/VirtualService/default/reviews')).status).toBe(200);
    expect((await scene.send('DELETE', '/api/v1/objects/VirtualService/default/reviews')).status).toBe(404);
  });

  test('all or nothing: one mistake refuses the whole apply, and every mistake is named', async () => {
    const bad = { ...ROUTES, metadata: { name: 'bad' }, spec: { hosts: ['bad'], htp: [] } };
    const nameless = { apiVersion: 'v1', kind: 'VirtualService', metadata: {} };
    const malformed = await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES, nameless] });
    expect(malformed.status).toBe(422);
    expect((await problemOf(malformed)).diagnostics).toMatchObject([{ code: 'PERCH1007' }]);
    const refused = await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES, bad] });
    expect(refused.status).toBe(422);
    const problem = await problemOf(refused);
    expect(problem.code).toBe('PERCH4007');
    expect(problem.diagnostics?.every(({ object }) => object === 'VirtualService default/bad')).toBe(true);
    expect(problem.diagnostics?.length).toBeGreaterThan(0);
    expect(await scene.store.list()).toEqual([]);
  });

  test('the base is what was applied, served what a release made of it', async () => {
    await scene.applyExample();
    const served = { ...ROUTES, spec: { ...ROUTES.spec, hosts: ['woven'] } };
    await scene.store.commit(
      RELEASE_REF,
      { routes: [{ ref: { kind: 'VirtualService', namespace: 'default', name: 'reviews' }, served }] },
      scene.store.revision(),
    );
    const hosts = async (query: string): Promise<unknown> => {
      const object = (await (await scene.send('GET', `/api/v1/objects/VirtualService/default/reviews${query}`)).json()) as typeof ROUTES;
      return object.spec.hosts;
    };
    expect(await hosts('')).toEqual(['woven']);
    expect(await hosts('?view=served')).toEqual(['woven']);
    expect(await hosts('?view=base')).toEqual(['reviews']);
    expect((await scene.send('GET', '/api/v1/objects/VirtualService/default/reviews?view=other')).status).toBe(400);
  });
});
