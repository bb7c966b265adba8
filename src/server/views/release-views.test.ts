import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TimelineView, timelineView } from '../../core/view/timeline-view.ts';
import { wovenRoutesView } from '../../core/view/woven-routes-view.ts';
import { wovenRuleName } from '../../core/weave/rule-name.ts';
import { ApiScene, problemOf, RELEASE, RELEASE_REF, ROUTES } from '../api-scene.cases.ts';

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

test.each(['timeline', 'routes'])('%s of a release that does not exist', async (path) => {
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
  });
});
