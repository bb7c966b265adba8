import { Validator } from '@seriousme/openapi-schema-validator';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CODES } from '../../core/diagnostics/codes.ts';
import { createApi } from '../api.ts';
import { ApiScene, RELEASE, ROUTES } from '../api-scene.cases.ts';
import { DescribedCalls, DOCUMENT } from './described-calls.cases.ts';
import { OPERATIONS } from './operations.ts';

/** For who resolves references in place. */
const copied = (): Record<string, unknown> => JSON.parse(JSON.stringify(DOCUMENT)) as Record<string, unknown>;

let scene: ApiScene;
beforeEach(async () => {
  scene = await ApiScene.open();
});
afterEach(() => scene.close());

describe('the document', () => {
  test('is one of OpenAPI 3.1, by the specification’s own schema', async () => {
    const { valid, errors } = await new Validator().validate(copied());
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    const broken = { ...copied(), paths: { '/x': { get: { responses: { 200: {} } } } } };
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  test('has every route that there is, and no other', () => {
    const routed = createApi(scene.context)
      .routes.filter(({ method, path }) => method !== 'ALL' && path !== '/' && !path.startsWith('/assets/'))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    const described = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.length).toBeGreaterThan(15);
    expect(routed.toSorted()).toEqual(described.toSorted());
  });

  test('every reference leads somewhere, every id is there once, every code exists', () => {
    const text = JSON.stringify(DOCUMENT);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) expect(DOCUMENT.components.schemas).toHaveProperty(name);
    expect(text).not.toContain('#/$defs/');
    const ids = OPERATIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [code] of text.matchAll(/PERCH\d{4}/g)) expect(Object.keys(CODES)).toContain(code);
  });

  test('what acts says so: nothing but looking is for those who may look', () => {
    const looking = OPERATIONS.filter(({ access }) => access !== 'act').map(({ method, id }) => [id, method]);
    for (const [id, method] of looking) expect([id, method === 'get' || id === 'tryRequest']).toEqual([id, true]);
    expect(OPERATIONS.filter(({ access }) => access === 'anyone').map(({ path }) => path)).toEqual(['/healthz', '/readyz']);
  });

  test('is served', async () => {
    expect(await (await scene.send('GET', '/api/v1/openapi.json')).json()).toEqual(JSON.parse(JSON.stringify(DOCUMENT)));
  });
});

describe('answers are as described', () => {
  const call = (method: string, path: string, body?: unknown) => new DescribedCalls(scene.origin).call(method, path, body);
  const AT = '/api/v1/releases/default/reviews';

  test('of a release through its life, and of objects', async () => {
    const applied = await call('PUT', '/api/v1/objects', { objects: [ROUTES, RELEASE] });
    expect(applied).toMatchObject({ outcomes: [{ result: 'created' }, { result: 'created' }] });
    await call('PUT', AT, RELEASE);
    await scene.writeStatus({
      phase: 'Paused',
      message: 'waits',
      step: 0,
      progress: '1 of 2',
      weight: 10,
      cutoff: 410,
      exposure: '10.01 %',
      offset: 0,
      started: 1,
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      liveVersion: { subset: 'v1' },
      revision: 'abc',
      startedAt: '2026-11-30T12:00:00.000Z',
      pausedBy: 'hold',
      endpoints: [{ version: { subset: 'v2' }, ready: 1, total: 1 }],
      observedGeneration: 1,
      history: [],
      conditions: [{ type: 'Ready', status: 'True', reason: 'Paused', message: 'waits', lastTransitionTime: '2026-11-30T12:00:00.000Z' }],
    });
    const figures = {
      visitors: { total: 10, canary: 1 },
      assigned: { total: 0, canary: 0 },
      share: 10,
      chance: [0, 30] as const,
      requests: { stable: 9, canary: 1 },
      errors: { stable: 0, canary: 0 },
      moved: { toCanary: 0, back: 0 },
    };
    scene.context.exposure = () => ({
      counts: 'visitors',
      since: '2026-11-30T12:00:00.000Z',
      weight: 10,
      ...figures,
      real: figures,
      synthetic: figures,
      sampled: false,
      sampleRate: 1,
      edge: { requests: 10, issued: 9, oddRequestIds: 0, oddOnCanary: 0, crossSite: 0 },
    });
    await call('GET', '/api/v1/releases');
    await call('GET', AT);
    await call('GET', `${AT}/history?limit=1`);
    await call('GET', `${AT}/findings`);
    await call('GET', `${AT}/visitors/6f1c1d3b-0f0e-4a7c-9a5b-8d2e4f607182`);
    await call('GET', `${AT}/timeline`);
    await call('GET', `${AT}/forecast?action=promote`);
    await call('GET', `${AT}/routes`);
    await call('POST', `${AT}/requests`, { action: 'promote', by: 'me' });
    await call('GET', '/api/v1/objects');
    await call('GET', '/api/v1/objects/VirtualService/default/reviews?view=base');
    await call('DELETE', AT);
    await call('DELETE', '/api/v1/objects/VirtualService/default/reviews');
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/openapi.json']) await call('GET', path);
  });

  test('of calls that are refused', async () => {
    await scene.applyExample();
    for (const path of ['', '/history', '/findings', '/timeline', '/routes', '/forecast?action=pause', '/visitors/x']) {
      await call('GET', `/api/v1/releases/default/none${path}`);
    }
    await call('GET', `${AT}/forecast?action=retry&full=true`);
    await call('GET', `${AT}/history?limit=0`);
    await call('PUT', '/api/v1/objects', { objects: [{ ...ROUTES, spec: { htp: [] } }] });
    await call('PUT', '/api/v1/objects', { objects: [] });
    await call('POST', '/api/v1/releases/default/none/requests', { action: 'pause', by: 'me' });
    scene.context.notReady = () => 'not yet';
    await call('GET', '/readyz');
  });

  test('an answer that has something else is noticed', async () => {
    await scene.applyExample();
    scene.context.exposure = () => ({ counts: 'people' }) as never;
    await expect(call('GET', AT)).rejects.toThrow();
  });
});
