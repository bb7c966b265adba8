import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { Listeners } from '../cluster/listeners.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { ObjectRef, Store } from '../cluster/store.ts';
import { type StoreError, StoreWriteError } from '../cluster/store-errors.ts';
import { OWNER_ANNOTATION } from '../core/release/route-form.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import { createApi } from './api.ts';
import { type ApiContext, MAX_BODY_BYTES } from './api-context.ts';
import { type ApiListener, listenOnLoopback } from './api-listener.ts';
import type { Problem } from './problem.ts';

const RELEASE_REF = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' } as const;

const ROUTES = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews' },
  spec: { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews', subset: 'v1' } }] }] },
};

const RELEASE = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews' },
  spec: {
    service: { host: 'reviews', port: 9080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'reviews' } },
    steps: [
      { weight: 10, hold: 'manual' },
      { weight: 100, hold: '1m' },
    ],
  },
};

let store: Store;
let api: ApiListener;
let origin: string;
let context: { -readonly [Key in keyof ApiContext]: ApiContext[Key] };
let notStored: Listeners<[ObjectRef, StoreError]>;
let logged: string[];

beforeEach(async () => {
  logged = [];
  store = openSqliteStore({
    dataDir: ':memory:',
    now: Date.now,
    admission: runtimeAdmission,
    onListenerError: (error) => {
      throw error;
    },
  });
  notStored = new Listeners((error) => {
    throw error;
  });
  context = {
    store,
    exposure: () => undefined,
    onNotStored: (listener) => notStored.add(listener),
    notReady: () => undefined,
    logError: (message) => logged.push(message),
  };
  api = await listenOnLoopback(createApi(context), 0);
  origin = `http://127.0.0.1:${api.port}`;
});

afterEach(async () => {
  await api.close();
  await store.close();
});

function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  return fetch(`${origin}${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, ...sent });
}

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  return problem;
}

async function applyExample(): Promise<void> {
  const response = await send('PUT', '/api/v1/objects', { objects: [ROUTES, RELEASE] });
  expect(response.status).toBe(200);
}

/** Plays the controller: writes a status, as of the release as it is now. */
async function writeStatus(status: ReleaseStatus): Promise<void> {
  expect(await store.commit(RELEASE_REF, { status }, store.revision())).toBe(true);
  store.markServed(store.revision());
}

/** A GET with headers that fetch would not send. */
function rawGet(path: string, headers: Record<string, string>): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: api.port, path, headers }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    })
      .on('error', reject)
      .end();
  });
}

describe('who may ask', () => {
  test('loopback names with the port, and nothing else: a page that rebinds its DNS name is refused', async () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
      expect((await rawGet('/healthz', { host: `${host}:${api.port}` })).status).toBe(200);
    }
    for (const host of [`evil.example:${api.port}`, 'localhost', `localhost:${api.port + 1}`, `localhost.evil.example:${api.port}`]) {
      const { status, body } = await rawGet('/healthz', { host });
      expect([host, status]).toEqual([host, 403]);
      expect(JSON.parse(body)).toMatchObject({ code: 'PERCH4001' });
    }
  });

  test('two Host headers are refused, even if one is right', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.end(`GET /healthz HTTP/1.1\r\nHost: localhost:${api.port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[03] /);
  });

  test('pages of another origin are refused, its own are not', async () => {
    for (const foreign of ['http://evil.example', 'null', `https://127.0.0.1:${api.port}`, `http://localhost:${api.port}`]) {
      const response = await send('DELETE', '/api/v1/releases/default/reviews', undefined, { origin: foreign });
      expect(response.status).toBe(403);
      expect(await problemOf(response)).toMatchObject({ code: 'PERCH4002' });
    }
    expect((await send('GET', '/api/v1/releases', undefined, { origin })).status).toBe(200);
  });

  test('a body that a plain form could send is refused', async () => {
    const response = await send('PUT', '/api/v1/objects', '{"objects":[]}', { 'content-type': 'text/plain' });
    expect(response.status).toBe(415);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4009' });
  });
});

describe('problems', () => {
  test('what does not exist, and what is not allowed', async () => {
    const nowhere = await send('GET', '/api/v2/releases');
    expect(nowhere.status).toBe(404);
    expect(await problemOf(nowhere)).toMatchObject({ code: 'PERCH4004', type: 'tag:perch.dev,2026:PERCH4004', title: expect.any(String) });
    const wrong = await send('DELETE', '/api/v1/objects');
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')?.split(', ')).toEqual(expect.arrayContaining(['GET', 'PUT']));
    expect((await send('GET', '/api/v1/objects/VirtualService/default/none')).status).toBe(404);
    expect(await problemOf(await send('GET', '/api/v1/releases/default/none'))).toMatchObject({
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
    const response = await send('PUT', '/api/v1/objects', body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4006' });
    expect(await store.list()).toEqual([]);
  });

  test('bodies above 4 MiB are refused, also without a declared length', async () => {
    const large = JSON.stringify({ objects: ['x'.repeat(MAX_BODY_BYTES)] });
    const declared = await send('PUT', '/api/v1/objects', large);
    expect(declared.status).toBe(413);
    expect(await problemOf(declared)).toMatchObject({ code: 'PERCH4003' });
    const streamed = await fetch(`${origin}/api/v1/objects`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  test('a failure inside is logged and not shown', async () => {
    await applyExample();
    context.exposure = () => {
      throw new Error('secret detail');
    };
    const response = await send('GET', '/api/v1/releases');
    expect(response.status).toBe(500);
    expect(JSON.stringify(await problemOf(response))).not.toContain('secret');
    expect(logged).toEqual(['GET /api/v1/releases failed']);
  });

  test('a store that cannot write says so, and that nothing was changed', async () => {
    const message = 'cannot write perch.db (disk full): nothing was changed; free some space';
    store.apply = () => Promise.reject(new StoreWriteError('perch.db', 'disk full', undefined));
    const response = await send('PUT', '/api/v1/objects', { objects: [ROUTES] });
    expect(response.status).toBe(507);
    expect(await problemOf(response)).toMatchObject({ code: 'PERCH4062', detail: expect.stringContaining(message) });
  });

  test('answers are not kept, sniffed or embedded elsewhere', async () => {
    for (const path of ['/api/v1/releases', '/api/v1/nothing', '/healthz']) {
      const { headers } = await send('GET', path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  test('not ready says why', async () => {
    expect((await send('GET', '/readyz')).status).toBe(200);
    context.notReady = () => 'port 8080 is in use by another program';
    const response = await send('GET', '/readyz');
    expect([response.status, await response.text()]).toEqual([503, 'port 8080 is in use by another program']);
    expect((await send('GET', '/healthz')).status).toBe(200);
  });
});

describe('objects', () => {
  test('apply, list, get, delete', async () => {
    const applied = await send('PUT', '/api/v1/objects', { objects: [ROUTES], source: 'api' });
    expect(await applied.json()).toMatchObject({
      outcomes: [{ ref: { kind: 'VirtualService', namespace: 'default', name: 'reviews' }, result: 'created' }],
      warnings: [],
    });
    const listed = (await (await send('GET', '/api/v1/objects?kind=VirtualService&namespace=default')).json()) as { items: unknown[] };
    expect(listed.items).toMatchObject([
      { kind: 'VirtualService', metadata: { name: 'reviews', namespace: 'default', generation: 1 }, spec: ROUTES.spec },
    ]);
    expect(((await (await send('GET', '/api/v1/objects?kind=Gateway')).json()) as { items: unknown[] }).items).toEqual([]);
    expect((await send('GET', '/api/v1/objects?knd=Gateway')).status).toBe(400);
    expect((await send('DELETE', '/api/v1/objects/VirtualService/default/reviews')).status).toBe(200);
    expect((await send('DELETE', '/api/v1/objects/VirtualService/default/reviews')).status).toBe(404);
  });

  test('all or nothing: one mistake refuses the whole apply, and every mistake is named', async () => {
    const bad = { ...ROUTES, metadata: { name: 'bad' }, spec: { hosts: ['bad'], htp: [] } };
    const nameless = { apiVersion: 'v1', kind: 'VirtualService', metadata: {} };
    const malformed = await send('PUT', '/api/v1/objects', { objects: [ROUTES, nameless] });
    expect(malformed.status).toBe(422);
    expect((await problemOf(malformed)).diagnostics).toMatchObject([{ code: 'PERCH1007' }]);
    const refused = await send('PUT', '/api/v1/objects', { objects: [ROUTES, bad] });
    expect(refused.status).toBe(422);
    const problem = await problemOf(refused);
    expect(problem.code).toBe('PERCH4007');
    expect(problem.diagnostics?.every(({ object }) => object === 'VirtualService default/bad')).toBe(true);
    expect(problem.diagnostics?.length).toBeGreaterThan(0);
    expect(await store.list()).toEqual([]);
  });

  test('the base is what was applied, served what a release made of it', async () => {
    await applyExample();
    const served = { ...ROUTES, spec: { ...ROUTES.spec, hosts: ['woven'] } };
    await store.commit(
      RELEASE_REF,
      { routes: [{ ref: { kind: 'VirtualService', namespace: 'default', name: 'reviews' }, served }] },
      store.revision(),
    );
    const hosts = async (query: string): Promise<unknown> => {
      const object = (await (await send('GET', `/api/v1/objects/VirtualService/default/reviews${query}`)).json()) as typeof ROUTES;
      return object.spec.hosts;
    };
    expect(await hosts('')).toEqual(['woven']);
    expect(await hosts('?view=served')).toEqual(['woven']);
    expect(await hosts('?view=base')).toEqual(['reviews']);
    expect((await send('GET', '/api/v1/objects/VirtualService/default/reviews?view=other')).status).toBe(400);
  });
});

describe('releases', () => {
  test('a release is shown as it was applied, with its status', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const view = await (await send('GET', '/api/v1/releases/default/reviews')).json();
    expect(view).toMatchObject({
      kind: 'CanaryRelease',
      metadata: { name: 'reviews', namespace: 'default', generation: 1 },
      spec: RELEASE.spec,
      status: PROGRESSING,
    });
    const list = (await (await send('GET', '/api/v1/releases')).json()) as { items: unknown[] };
    expect(list.items).toEqual([view]);
  });

  test('PUT applies the release that its address names', async () => {
    expect((await send('PUT', '/api/v1/releases/default/reviews', RELEASE)).status).toBe(200);
    const other = await send('PUT', '/api/v1/releases/default/other', RELEASE);
    expect([other.status, (await problemOf(other)).detail]).toEqual([400, 'the body is default/reviews, the address is default/other']);
    expect((await send('PUT', '/api/v1/releases/shop/reviews', RELEASE)).status).toBe(200);
    expect((await store.list('CanaryRelease')).map(({ ref }) => ref.namespace).sort()).toEqual(['default', 'shop']);
  });

  test('DELETE marks it: the controller takes its rules out first', async () => {
    await applyExample();
    expect((await send('DELETE', '/api/v1/releases/default/reviews')).status).toBe(202);
    const view = (await (await send('GET', '/api/v1/releases/default/reviews')).json()) as { metadata: { deletionTimestamp?: string } };
    expect(view.metadata.deletionTimestamp).toBeDefined();
    expect((await send('DELETE', '/api/v1/releases/default/none')).status).toBe(404);
  });

  test('DELETE with restoreBase asks for the bases as they were', async () => {
    await applyExample();
    expect((await send('DELETE', '/api/v1/releases/default/reviews?restoreBase=yes')).status).toBe(400);
    expect(await store.get(RELEASE_REF)).not.toHaveProperty('deletionRequestedAt');
    expect((await send('DELETE', '/api/v1/releases/default/reviews?restoreBase=true')).status).toBe(202);
    expect(await store.get(RELEASE_REF)).toHaveProperty('deletionRestoresBase', true);
    expect((await send('DELETE', '/api/v1/releases/default/reviews')).status).toBe(202);
    expect(await store.get(RELEASE_REF)).not.toHaveProperty('deletionRestoresBase');
  });

  test('what a release owns is refused to others, and stays when the release goes', async () => {
    const { http, hosts } = ROUTES.spec;
    const owning = { ...RELEASE, spec: { ...RELEASE.spec, route: { managed: { hosts, http } } } };
    expect((await send('PUT', '/api/v1/objects', { objects: [owning] })).status).toBe(200);
    const base = { ...ROUTES, metadata: { ...ROUTES.metadata, annotations: { [OWNER_ANNOTATION]: 'default/reviews' } } };
    const ref = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };
    await store.commit(RELEASE_REF, { routes: [{ ref, served: undefined, base, isNew: true }] }, store.revision());

    const deleted = await send('DELETE', '/api/v1/objects/VirtualService/default/reviews');
    expect(deleted.status).toBe(409);
    expect(await problemOf(deleted)).toMatchObject({ code: 'PERCH4011', diagnostics: [{ code: 'PERCH3053' }] });
    const written = await problemOf(await send('PUT', '/api/v1/objects', { objects: [ROUTES] }));
    expect(written).toMatchObject({
      status: 422,
      diagnostics: [{ code: 'PERCH3053', hint: expect.stringContaining('spec.route.managed') }],
    });

    const answer = await send('DELETE', '/api/v1/releases/default/reviews');
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({
      ...RELEASE_REF,
      message: 'VirtualService default/reviews, which it owns, stays as an ordinary one',
    });
  });

  test('a visitor learns where they stand', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const id = '00000000-0000-4000-8000-fff000000000';
    const described = await (await send('GET', `/api/v1/releases/default/reviews/visitors/${id}`)).json();
    expect(described).toMatchObject({
      bucket: 4095,
      cohort: 'stable',
      version: 'v1',
      movesAt: 100,
      sentence: expect.stringContaining('bucket 4095 of 4096'),
    });
    expect((await send('GET', '/api/v1/releases/default/reviews/visitors/nobody')).status).toBe(404);
  });
});

describe('requests', () => {
  const post = (body: unknown, query = ''): Promise<Response> => send('POST', `/api/v1/releases/default/reviews/requests${query}`, body);
  const handled = (id: string, outcome: 'done' | 'refused', message: string): Partial<ReleaseStatus> => ({
    lastRequest: { id, action: 'promote', by: 'me', at: '2026-11-22T12:00:00.000Z', outcome, message },
  });

  test('are taken down, with an id, for the controller', async () => {
    await applyExample();
    const response = await post({ action: 'pause', by: 'me' });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect((await store.get(RELEASE_REF))?.request).toEqual({ id, action: 'pause', by: 'me' });
  });

  test.each([{ action: 'explode', by: 'me' }, { action: 'pause' }, { action: 'pause', by: 'me', id: 'a b' }, {}])(
    '%o is malformed',
    async (body) => {
      await applyExample();
      expect((await post(body)).status).toBe(400);
      expect((await store.get(RELEASE_REF))?.request).toBeUndefined();
    },
  );

  test('nothing takes the place of a pending rollback', async () => {
    await applyExample();
    expect((await post({ action: 'rollback', by: 'me' })).status).toBe(202);
    const late = await post({ action: 'promote', by: 'pipeline' });
    expect(late.status).toBe(409);
    expect(await problemOf(late)).toMatchObject({ code: 'PERCH4008' });
    expect((await store.get(RELEASE_REF))?.request?.action).toBe('rollback');
    expect((await send('POST', '/api/v1/releases/default/none/requests', { action: 'pause', by: 'me' })).status).toBe(404);
  });

  test('a promotion that is waited for answers when its routes are confirmed, not when it is handled', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    let answered = false;
    const answer = post({ action: 'promote', by: 'me', id: 'r1' }, '?wait=20000').then((response) => {
      answered = true;
      return response;
    });
    await expect.poll(async () => (await store.get(RELEASE_REF))?.request?.id).toBe('r1');
    await writeStatus({ ...PROGRESSING, ...handled('r1', 'done', 'promoted'), step: 1, weight: 100 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    await writeStatus({
      ...PROGRESSING,
      ...handled('r1', 'done', 'promoted'),
      step: 1,
      weight: 100,
      stepStartedAt: '2026-11-22T12:00:00.000Z',
    });
    const response = await answer;
    expect([response.status, await response.json()]).toEqual([
      200,
      { id: 'r1', action: 'promote', by: 'me', outcome: 'done', message: 'promoted' },
    ]);
  });

  test('a rollback that is waited for answers once everyone is routed back', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const answer = post({ action: 'rollback', by: 'me', id: 'r2' }, '?wait=20000');
    await expect.poll(async () => (await store.get(RELEASE_REF))?.request?.id).toBe('r2');
    await writeStatus({ ...PROGRESSING, ...handled('r2', 'done', 'rolling back'), phase: 'RollingBack', cutoff: 0 });
    const pending = await Promise.race([answer.then(() => 'answered'), new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))]);
    expect(pending).toBe('waiting');
    await writeStatus({ ...PROGRESSING, ...handled('r2', 'done', 'rolling back'), phase: 'RolledBack', cutoff: 0 });
    expect((await answer).status).toBe(200);
  });

  test('a refusal is 409 with the reason; no outcome in time is 202', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const answer = post({ action: 'promote', by: 'me', id: 'r3' }, '?wait=20000');
    await expect.poll(async () => (await store.get(RELEASE_REF))?.request?.id).toBe('r3');
    await writeStatus({ ...PROGRESSING, ...handled('r3', 'refused', 'not widened: v2 is not ready') });
    expect(await problemOf(await answer)).toMatchObject({ status: 409, detail: 'not widened: v2 is not ready' });
    expect((await post({ action: 'pause', by: 'me' }, '?wait=50')).status).toBe(202);
    expect((await post({ action: 'pause', by: 'me' }, '?wait=soon')).status).toBe(400);
  });

  test('one whose place another took is told so', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const answer = post({ action: 'pause', by: 'me', id: 'r4' }, '?wait=20000');
    await expect.poll(async () => (await store.get(RELEASE_REF))?.request?.id).toBe('r4');
    await post({ action: 'rollback', by: 'someone', id: 'r5' });
    expect(await problemOf(await answer)).toMatchObject({ status: 409, detail: expect.stringContaining('another request') });
  });

  test('one whose outcome cannot be stored is told so at once, with the remedy; it stays asked for', async () => {
    await applyExample();
    await writeStatus(PROGRESSING);
    const answer = post({ action: 'promote', by: 'me', id: 'r6' }, '?wait=20000');
    await expect.poll(async () => (await store.get(RELEASE_REF))?.request?.id).toBe('r6');
    notStored.notify({ ...RELEASE_REF, name: 'another' }, new StoreWriteError('perch.db', 'read-only', undefined));
    notStored.notify(RELEASE_REF, new StoreWriteError('perch.db', 'disk full', undefined));
    expect(await problemOf(await answer)).toMatchObject({
      status: 507,
      code: 'PERCH4062',
      detail: 'promote is asked for and happens as soon as it can: cannot write perch.db (disk full): nothing was changed; free some space',
    });
    expect((await store.get(RELEASE_REF))?.request?.id).toBe('r6');
  });
});

describe('events', () => {
  /** Reads the stream until it matches. */
  async function until(reader: ReadableStreamDefaultReader<Uint8Array>, pattern: RegExp): Promise<string> {
    const decoder = new TextDecoder();
    let seen = '';
    while (!pattern.test(seen)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended after ${seen}`);
      seen += decoder.decode(value, { stream: true });
    }
    return seen;
  }

  test('every release at the start, then each change, then its end', async () => {
    await applyExample();
    const response = await send('GET', '/api/v1/events');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(await until(reader, /\n\n/)).toMatch(/^event: release\ndata: \{.*"name":"reviews".*\}\n\n$/);
    await writeStatus({ ...PROGRESSING, message: 'a change' });
    expect(await until(reader, /\n\n/)).toContain('"message":"a change"');
    await store.commit(RELEASE_REF, { remove: true }, store.revision());
    expect(await until(reader, /deleted.*\n\n/s)).toContain('event: deleted\ndata: {"namespace":"default","name":"reviews"}');
    await reader.cancel();
  });

  test('figures are sent while they change, without any change of the release', async () => {
    await applyExample();
    const counts = { stable: 0, canary: 0 };
    const figures = {
      visitors: { total: 0, canary: 0 },
      assigned: { total: 0, canary: 0 },
      moved: { toCanary: 0, back: 0 },
      requests: counts,
      errors: counts,
    };
    let total = 1;
    context.exposure = () => ({
      counts: 'visitors',
      ...figures,
      visitors: { total, canary: 0 },
      since: '',
      sampled: false,
      sampleRate: 1,
      real: figures,
      synthetic: figures,
    });
    const reader = ((await send('GET', '/api/v1/events')).body as ReadableStream<Uint8Array>).getReader();
    await until(reader, /"total":1,/);
    total = 2;
    await until(reader, /"total":2,/);
    await reader.cancel();
  });

  test('a runtime that ends cuts the streams', async () => {
    const reader = ((await send('GET', '/api/v1/events')).body as ReadableStream<Uint8Array>).getReader();
    const ended = reader.read().then(
      ({ done }) => done,
      () => true,
    );
    await api.close();
    expect(await ended).toBe(true);
  });
});
