import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreWriteError } from '../cluster/store-errors.ts';
import { OWNER_ANNOTATION } from '../core/release/route-form.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import { ApiScene, problemOf, RELEASE, RELEASE_REF, ROUTES } from './api-scene.cases.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await ApiScene.open();
});

afterEach(() => scene.close());

describe('releases', () => {
  test('a release is shown as it was applied, with its status', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const view = await (await scene.send('GET', '/api/v1/releases/default/reviews')).json();
    expect(view).toMatchObject({
      kind: 'CanaryRelease',
      metadata: { name: 'reviews', namespace: 'default', generation: 1 },
      spec: RELEASE.spec,
      status: PROGRESSING,
    });
    const list = (await (await scene.send('GET', '/api/v1/releases')).json()) as { items: unknown[] };
    expect(list.items).toEqual([view]);
  });

  test('PUT applies the release that its address names', async () => {
    expect((await scene.send('PUT', '/api/v1/releases/default/reviews', RELEASE)).status).toBe(200);
    const other = await scene.send('PUT', '/api/v1/releases/default/other', RELEASE);
    expect([other.status, (await problemOf(other)).detail]).toEqual([400, 'the body is default/reviews, the address is default/other']);
    expect((await scene.send('PUT', '/api/v1/releases/shop/reviews', RELEASE)).status).toBe(200);
    expect((await scene.store.list('CanaryRelease')).map(({ ref }) => ref.namespace).sort()).toEqual(['default', 'shop']);
  });

  test('DELETE marks it: the controller takes its rules out first', async () => {
    await scene.applyExample();
    expect((await scene.send('DELETE', '/api/v1/releases/default/reviews')).status).toBe(202);
    const view = (await (await scene.send('GET', '/api/v1/releases/default/reviews')).json()) as {
      metadata: { deletionTimestamp?: string };
    };
    expect(view.metadata.deletionTimestamp).toBeDefined();
    expect((await scene.send('DELETE', '/api/v1/releases/default/none')).status).toBe(404);
  });

  test('DELETE with restoreBase asks for the bases as they were', async () => {
    await scene.applyExample();
    expect((await scene.send('DELETE', '/api/v1/releases/default/reviews?restoreBase=yes')).status).toBe(400);
    expect(await scene.store.get(RELEASE_REF)).not.toHaveProperty('deletionRequestedAt');
    expect((await scene.send('DELETE', '/api/v1/releases/default/reviews?restoreBase=true')).status).toBe(202);
    expect(await scene.store.get(RELEASE_REF)).toHaveProperty('deletionRestoresBase', true);
    expect((await scene.send('DELETE', '/api/v1/releases/default/reviews')).status).toBe(202);
    expect(await scene.store.get(RELEASE_REF)).not.toHaveProperty('deletionRestoresBase');
  });

  test('what a release owns is refused to others, and stays when the release goes', async () => {
    const { http, hosts } = ROUTES.spec;
    const owning = { ...RELEASE, spec: { ...RELEASE.spec, route: { managed: { hosts, http } } } };
    expect((await scene.send('PUT', '/api/v1/objects', { objects: [owning] })).status).toBe(200);
    const base = { ...ROUTES, metadata: { ...ROUTES.metadata, annotations: { [OWNER_ANNOTATION]: 'default/reviews' } } };
    const ref = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };
    await scene.store.commit(RELEASE_REF, { routes: [{ ref, served: undefined, base, isNew: true }] }, scene.store.revision());

    const deleted = await scene.send('DELETE', '/api/v1/objects/VirtualService/default/reviews');
    expect(deleted.status).toBe(409);
    expect(await problemOf(deleted)).toMatchObject({ code: 'PERCH4011', diagnostics: [{ code: 'PERCH3053' }] });
    const written = await problemOf(await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES] }));
    expect(written).toMatchObject({
      status: 422,
      diagnostics: [{ code: 'PERCH3053', hint: expect.stringContaining('spec.route.managed') }],
    });

    const answer = await scene.send('DELETE', '/api/v1/releases/default/reviews');
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({
      ...RELEASE_REF,
      message: 'VirtualService default/reviews, which it owns, stays as an ordinary one',
    });
  });

  test('a visitor learns where they stand', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const id = '00000000-0000-4000-8000-fff000000000';
    const described = await (await scene.send('GET', `/api/v1/releases/default/reviews/visitors/${id}`)).json();
    expect(described).toMatchObject({
      bucket: 4095,
      cohort: 'stable',
      version: 'v1',
      movesAt: 100,
      sentence: expect.stringContaining('bucket 4095 of 4096'),
    });
    expect((await scene.send('GET', '/api/v1/releases/default/reviews/visitors/nobody')).status).toBe(404);
  });
});

describe('requests', () => {
  const post = (body: unknown, query = ''): Promise<Response> =>
    scene.send('POST', `/api/v1/releases/default/reviews/requests${query}`, body);
  const handled = (id: string, outcome: 'done' | 'refused', message: string): Partial<ReleaseStatus> => ({
    lastRequest: { id, action: 'promote', by: 'me', at: '2026-11-22T12:00:00.000Z', outcome, message },
  });

  test('are taken down, with an id, for the controller', async () => {
    await scene.applyExample();
    const response = await post({ action: 'pause', by: 'me' });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect((await scene.store.get(RELEASE_REF))?.request).toEqual({ id, action: 'pause', by: 'me' });
  });

  test.each([
    { action: 'explode', by: 'me' },
    { action: 'pause' },
    { action: 'pause', by: 'me', id: 'a b' },
    { action: 'pause', by: 'me', full: true },
    {},
  ])('%o is malformed', async (body) => {
    await scene.applyExample();
    expect((await post(body)).status).toBe(400);
    expect((await scene.store.get(RELEASE_REF))?.request).toBeUndefined();
  });

  test('a promotion may be one to the end', async () => {
    await scene.applyExample();
    expect((await post({ action: 'promote', by: 'me', id: 'r0', full: true })).status).toBe(202);
    expect((await scene.store.get(RELEASE_REF))?.request).toEqual({ id: 'r0', action: 'promote', full: true, by: 'me' });
  });

  test('one that was handled before others gets the answer that it had, and is not handled again', async () => {
    await scene.applyExample();
    const { lastRequest: done } = handled('r1', 'done', 'promoted');
    const { lastRequest: refused } = handled('r2', 'refused', 'not widened: v2 is not ready');
    const earlierRequests = [done, refused].filter((each) => each !== undefined);
    await scene.writeStatus({ ...PROGRESSING, ...handled('r3', 'done', 'paused'), earlierRequests });
    const again = await post({ action: 'promote', by: 'me', id: 'r1' });
    expect([again.status, await again.json()]).toMatchObject([200, { id: 'r1', outcome: 'done', message: 'promoted' }]);
    expect(await problemOf(await post({ action: 'promote', by: 'me', id: 'r2' }))).toMatchObject({
      status: 409,
      detail: 'not widened: v2 is not ready',
    });
    expect((await scene.store.get(RELEASE_REF))?.request).toBeUndefined();
  });

  test('nothing takes the place of a pending rollback', async () => {
    await scene.applyExample();
    expect((await post({ action: 'rollback', by: 'me' })).status).toBe(202);
    const late = await post({ action: 'promote', by: 'pipeline' });
    expect(late.status).toBe(409);
    expect(await problemOf(late)).toMatchObject({ code: 'PERCH4008' });
    expect((await scene.store.get(RELEASE_REF))?.request?.action).toBe('rollback');
    expect((await scene.send('POST', '/api/v1/releases/default/none/requests', { action: 'pause', by: 'me' })).status).toBe(404);
  });

  test('a promotion that is waited for answers when its routes are confirmed, not when it is handled', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    let answered = false;
    const answer = post({ action: 'promote', by: 'me', id: 'r1' }, '?wait=20000').then((response) => {
      answered = true;
      return response;
    });
    await expect.poll(async () => (await scene.store.get(RELEASE_REF))?.request?.id).toBe('r1');
    await scene.writeStatus({ ...PROGRESSING, ...handled('r1', 'done', 'promoted'), step: 1, weight: 100 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    await scene.writeStatus({
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
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const answer = post({ action: 'rollback', by: 'me', id: 'r2' }, '?wait=20000');
    await expect.poll(async () => (await scene.store.get(RELEASE_REF))?.request?.id).toBe('r2');
    await scene.writeStatus({ ...PROGRESSING, ...handled('r2', 'done', 'rolling back'), phase: 'RollingBack', cutoff: 0 });
    const pending = await Promise.race([answer.then(() => 'answered'), new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))]);
    expect(pending).toBe('waiting');
    await scene.writeStatus({ ...PROGRESSING, ...handled('r2', 'done', 'rolling back'), phase: 'RolledBack', cutoff: 0 });
    expect((await answer).status).toBe(200);
  });

  test('a refusal is 409 with the reason; no outcome in time is 202', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const answer = post({ action: 'promote', by: 'me', id: 'r3' }, '?wait=20000');
    await expect.poll(async () => (await scene.store.get(RELEASE_REF))?.request?.id).toBe('r3');
    await scene.writeStatus({ ...PROGRESSING, ...handled('r3', 'refused', 'not widened: v2 is not ready') });
    expect(await problemOf(await answer)).toMatchObject({ status: 409, detail: 'not widened: v2 is not ready' });
    expect((await post({ action: 'pause', by: 'me' }, '?wait=50')).status).toBe(202);
    expect((await post({ action: 'pause', by: 'me' }, '?wait=soon')).status).toBe(400);
  });

  test('one whose place another took is told so', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const answer = post({ action: 'pause', by: 'me', id: 'r4' }, '?wait=20000');
    await expect.poll(async () => (await scene.store.get(RELEASE_REF))?.request?.id).toBe('r4');
    await post({ action: 'rollback', by: 'someone', id: 'r5' });
    expect(await problemOf(await answer)).toMatchObject({ status: 409, detail: expect.stringContaining('another request') });
  });

  test('one whose outcome cannot be stored is told so at once, with the remedy; it stays asked for', async () => {
    await scene.applyExample();
    await scene.writeStatus(PROGRESSING);
    const answer = post({ action: 'promote', by: 'me', id: 'r6' }, '?wait=20000');
    await expect.poll(async () => (await scene.store.get(RELEASE_REF))?.request?.id).toBe('r6');
    scene.notStored.notify({ ...RELEASE_REF, name: 'another' }, new StoreWriteError('perch.db', 'read-only', undefined));
    scene.notStored.notify(RELEASE_REF, new StoreWriteError('perch.db', 'disk full', undefined));
    expect(await problemOf(await answer)).toMatchObject({
      status: 507,
      code: 'PERCH4062',
      detail: 'promote is asked for and happens as soon as it can: cannot write perch.db (disk full): nothing was changed; free some space',
    });
    expect((await scene.store.get(RELEASE_REF))?.request?.id).toBe('r6');
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
    await scene.applyExample();
    const response = await scene.send('GET', '/api/v1/events');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(await until(reader, /\n\n/)).toMatch(/^event: release\ndata: \{.*"name":"reviews".*\}\n\n$/);
    await scene.writeStatus({ ...PROGRESSING, message: 'a change' });
    expect(await until(reader, /\n\n/)).toContain('"message":"a change"');
    await scene.store.commit(RELEASE_REF, { remove: true }, scene.store.revision());
    expect(await until(reader, /deleted.*\n\n/s)).toContain('event: deleted\ndata: {"namespace":"default","name":"reviews"}');
    await reader.cancel();
  });

  test('figures are sent while they change, without any change of the release', async () => {
    await scene.applyExample();
    const counts = { stable: 0, canary: 0 };
    const figures = {
      visitors: { total: 0, canary: 0 },
      assigned: { total: 0, canary: 0 },
      moved: { toCanary: 0, back: 0 },
      requests: counts,
      errors: counts,
    };
    let total = 1;
    scene.context.exposure = () => ({
      counts: 'visitors',
      ...figures,
      visitors: { total, canary: 0 },
      since: '',
      sampled: false,
      sampleRate: 1,
      real: figures,
      synthetic: figures,
    });
    const reader = ((await scene.send('GET', '/api/v1/events')).body as ReadableStream<Uint8Array>).getReader();
    await until(reader, /"total":1,/);
    total = 2;
    await until(reader, /"total":2,/);
    await reader.cancel();
  });

  test('a runtime that ends cuts the streams', async () => {
    const reader = ((await scene.send('GET', '/api/v1/events')).body as ReadableStream<Uint8Array>).getReader();
    const ended = reader.read().then(
      ({ done }) => done,
      () => true,
    );
    await scene.api.close();
    expect(await ended).toBe(true);
  });
});
