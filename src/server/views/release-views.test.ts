import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Exposure } from '../../core/evidence/exposure.ts';
import { sipKey } from '../../core/evidence/sip-hash.ts';
import { PROGRESSING } from '../../core/release/status.cases.ts';
import { comparisonView } from '../../core/view/comparison-view.ts';
import { forecastView } from '../../core/view/forecast-view.ts';
import { type TimelineView, timelineView } from '../../core/view/timeline-view.ts';
import { wovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { wovenRuleName } from '../../core/weave/rule-name.ts';
import { ApiScene, problemOf, RELEASE, RELEASE_REF, ROUTES } from '../api-scene.cases.ts';
import { wovenRoutes } from './woven-routes.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await ApiScene.open();
});

afterEach(() => scene.close());

const BASE = '/api/v1/releases/default/reviews';

async function read(path: string): Promise<unknown> {
  const response = await scene.send('GET', `${BASE}/${path}`);
  expect(response.status).toBe(200);
  return await response.json();
}

test.each(['timeline', 'routes', 'forecast?action=pause', 'comparison'])('%s of a release that does not exist', async (path) => {
  const response = await scene.send('GET', `${BASE}/${path}`);
  expect(response.status).toBe(404);
  expect(await problemOf(response)).toMatchObject({ code: 'PERCH4005' });
});

describe('timeline', () => {
  const sample = {
    ...{ at: '2026-11-30T12:00:00.000Z', weight: 10, share: 9.5, chance: [8, 12], visitors: 1000 },
    requests: { stable: 905, canary: 95 },
    errors: { stable: 0, canary: 1 },
  } satisfies TimelineView['items'][number] | { chance: number[] };

  test('is what was measured, and empty where nothing was', async () => {
    await scene.applyExample();
    expect(timelineView.parse(await read('timeline'))).toEqual({ counts: 'visitors', intervalMs: 1000, items: [] });
    const view = timelineView.parse({ counts: 'visitors', since: '2026-11-30T11:00:00.000Z', intervalMs: 2000, items: [sample] });
    scene.context.timeline = ({ name }) => (name === 'reviews' ? view : undefined);
    expect(await read('timeline')).toEqual(view);
  });

  test('samples come as events', async () => {
    await scene.applyExample();
    const reader = ((await scene.send('GET', '/api/v1/events')).body as ReadableStream<Uint8Array>)
      .pipeThrough(new TextDecoderStream() as never)
      .getReader() as ReadableStreamDefaultReader<string>;
    let seen = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(seen)) seen += (await reader.read()).value ?? '';
    };
    await until(/event: release\n/);
    const added = timelineView.shape.items.parse([sample, { ...sample, visitors: 1001 }]);
    scene.samples.notify(RELEASE_REF, added);
    await until(/1001.*\n\n/);
    const events = added.map(
      (each) => `event: sample\ndata: ${JSON.stringify({ namespace: 'default', name: 'reviews', sample: each })}\n\n`,
    );
    expect(seen).toContain(events.join(''));
    await reader.cancel();
  });
});

describe('routes', () => {
  test('are those that the release is woven into: base, woven, and how they differ', async () => {
    const other = { ...ROUTES, metadata: { name: 'ratings' }, spec: { ...ROUTES.spec, hosts: ['ratings'] } };
    expect((await scene.send('PUT', '/api/v1/objects', { objects: [ROUTES, other, RELEASE] })).status).toBe(200);
    expect(await read('routes')).toEqual({ items: [] });
    const base = { kind: 'moved', subset: 'v1', address: undefined } as const;
    const name = wovenRuleName({
      ...{ namespace: 'default', release: 'reviews', role: 'rest' },
      cohort: 'stable',
      base,
      baseName: undefined,
    });
    const served = { ...ROUTES, spec: { ...ROUTES.spec, http: [{ name, ...ROUTES.spec.http[0] }] } };
    const routes = [{ ref: { ...RELEASE_REF, kind: 'VirtualService' }, served }];
    expect(await scene.store.commit(RELEASE_REF, { routes }, scene.store.revision())).toBe(true);
    const { items } = wovenRoutesView.parse(await read('routes'));
    expect(items.map((item) => [item.kind, item.namespace, item.name])).toEqual([['VirtualService', 'default', 'reviews']]);
    const [item] = items;
    expect(item?.base).not.toContain('perch:');
    expect(item?.woven).toContain(`name: ${name}`);
    expect(item?.lines.filter(({ sign }) => sign !== '-').map(({ text }) => text)).toEqual(item?.woven.split('\n'));
    expect(item?.lines.filter(({ sign }) => sign !== ' ')).toEqual([
      { sign: '-', text: '    - route:' },
      { sign: '+', text: `    - name: ${name}` },
      { sign: '+', text: '      route:' },
    ]);
    // Made once for each change: every page asks.
    const [once, again] = [await wovenRoutes(scene.store, RELEASE_REF), await wovenRoutes(scene.store, RELEASE_REF)];
    expect(again.items[0]).toBe(once.items[0]);
  });
});

describe('forecast', () => {
  test('says what a request would do to the release as it is', async () => {
    await scene.applyExample();
    const waiting = forecastView.parse(await read('forecast?action=promote'));
    expect(waiting).toMatchObject({ action: 'promote', allowed: false, sentence: expect.stringContaining('not started') });
    await scene.writeStatus({ ...PROGRESSING, phase: 'Paused', pausedBy: 'hold', stepStartedAt: '2026-11-30T12:00:00.000Z' });
    expect(forecastView.parse(await read('forecast?action=rollback'))).toEqual({
      ...{ action: 'rollback', allowed: true },
      sentence: 'Roll back to v1: everyone on v2 moves from v2 back to v1 with their next request',
    });
    const exposure = new Exposure(sipKey(new Uint8Array(16))).summary('', 10, 410);
    scene.context.exposure = () => ({ ...exposure, visitors: { total: 40, canary: 4 } });
    expect(forecastView.parse(await read('forecast?action=promote&full=true'))).toMatchObject({
      ...{ action: 'promote', full: true, allowed: true },
      moves: { visitors: 36, of: 40, to: 'canary', isEstimate: false },
    });
    // Nothing was asked for.
    expect((await scene.store.get(RELEASE_REF))?.request).toBeUndefined();
  });

  test.each(['', '?action=restart', '?action=pause&full=true', '?action=promote&full=yes', '?action=pause&by=me'])(
    'of %j is refused',
    async (query) => {
      await scene.applyExample();
      const response = await scene.send('GET', `${BASE}/forecast${query}`);
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({ code: 'PERCH4006' });
    },
  );
});

test('comparison: what each scheme would have exposed, at the times of the steps', async () => {
  await scene.applyExample();
  const startedAt = '2026-11-30T12:00:00.000Z';
  await scene.writeStatus({ ...PROGRESSING, phase: 'RolledBack', startedAt, stepStartedAt: startedAt });
  const first = comparisonView.parse(await read('comparison'));
  expect(first.schemes.map(({ scheme }) => scheme)).toEqual(['article', 'flagger', 'flagger-primary', 'perch']);
  for (const { points } of first.schemes) {
    expect(points.length).toBeGreaterThan(10);
    expect(points.length).toBeLessThanOrEqual(240);
    expect(points.map(({ at }) => at)).toEqual(points.map(({ at }) => at).toSorted());
    expect(points[0]?.at.slice(0, 10)).toBe('2026-11-30');
  }
  const end = (name: string) => first.schemes.find(({ scheme }) => scheme === name)?.points.at(-1)?.share ?? Number.NaN;
  // Whoever pins the outcome exposes more than 10 %.
  expect(end('article')).toBeGreaterThan(20);
  expect(Math.abs(end('perch') - 10)).toBeLessThan(3);
});
