import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RecordedEvent, ReleaseEvent } from '../core/release/release-event.ts';
import { ApiScene, problemOf, RELEASE, RELEASE_REF } from './api-scene.cases.ts';
import type { HistoryView } from './release-resource.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await ApiScene.open();
});

afterEach(() => scene.close());

const HISTORY = '/api/v1/releases/default/reviews/history';

async function page(query = ''): Promise<HistoryView> {
  const response = await scene.send('GET', `${HISTORY}${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as HistoryView;
}

const reasons = ({ items }: HistoryView): readonly string[] => items.map(({ reason }) => reason);

/** Plays the controller. */
async function happen(count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index): ReleaseEvent => {
    return { at: '2026-01-01T00:00:00.000Z', type: 'Normal', reason: 'StepStarted', message: `step ${index}`, step: index, weight: 10 };
  });
  expect(await scene.store.commit(RELEASE_REF, { events }, scene.store.revision())).toBe(true);
}

test('the history of a release, newest first, with who asked', async () => {
  await scene.send('PUT', '/api/v1/releases/default/reviews?by=ann', RELEASE);
  await happen(1);
  await scene.send('POST', '/api/v1/releases/default/reviews/requests', { action: 'pause', by: 'bob' });
  await scene.send('DELETE', '/api/v1/releases/default/reviews?by=eve');
  expect(await page()).toEqual({
    items: [
      expect.objectContaining({ reason: 'DeletionRequested', by: 'eve' }),
      expect.objectContaining({ reason: 'Requested', by: 'bob', message: 'pause asked for' }),
      {
        id: expect.any(Number),
        at: '2026-01-01T00:00:00.000Z',
        type: 'Normal',
        reason: 'StepStarted',
        message: 'step 0',
        step: 0,
        weight: 10,
      },
      expect.objectContaining({ reason: 'Created', by: 'ann' }),
    ],
  });
});

test('pages meet without a gap and without an overlap', async () => {
  await scene.applyExample();
  await happen(6);
  const all = (await page()).items;
  const read: RecordedEvent[] = [];
  let before = '';
  let pages = 0;
  for (let next: number | undefined = 0; next !== undefined; pages += 1) {
    const view: HistoryView = await page(`?limit=3${before}`);
    read.push(...view.items);
    next = view.next;
    before = `&before=${next}`;
  }
  expect([read, pages]).toEqual([all, 3]);
  expect(await page('?limit=7')).toEqual({ items: all });
  expect(await page('?before=1')).toEqual({ items: [] });
});

test('it can be read after the release was deleted; of one that never was there is none', async () => {
  await scene.applyExample();
  await scene.store.commit(RELEASE_REF, { remove: true }, scene.store.revision());
  expect((await scene.send('GET', '/api/v1/releases/default/reviews')).status).toBe(404);
  expect(reasons(await page())).toEqual(['Deleted', 'Created']);
  const none = await scene.send('GET', '/api/v1/releases/default/other/history');
  expect(await problemOf(none)).toMatchObject({ status: 404, code: 'PERCH4005', detail: 'there is no CanaryRelease default/other' });
});

test.each([
  ['limit=0', 'limit: 1 to 200'],
  ['limit=201', 'limit: at most 200'],
  ['limit=1e2', 'limit: 1 to 200'],
  ['limit=', 'limit: 1 to 200'],
  ['before=-1', 'before: the id of an event'],
  ['before=1.5', 'before: the id of an event'],
  ['since=1', 'Unrecognized key: "since"'],
])('%s is refused, with what would be right', async (query, what) => {
  await scene.applyExample();
  const { status, code, detail } = await problemOf(await scene.send('GET', `${HISTORY}?${query}`));
  expect([status, code, detail]).toEqual([400, 'PERCH4006', `query: ${what}`]);
});

test.each([
  ['PUT', '/api/v1/objects?by='],
  ['PUT', `/api/v1/releases/default/reviews?by=${'x'.repeat(201)}`],
  ['DELETE', '/api/v1/releases/default/reviews?who=ann'],
  ['DELETE', '/api/v1/objects/CanaryRelease/default/reviews?by='],
])('%s %s: who asks has a name, not too long; nothing is changed', async (method, address) => {
  await scene.applyExample();
  const revision = scene.store.revision();
  const body = method === 'PUT' ? RELEASE : undefined;
  expect(await problemOf(await scene.send(method, address, body))).toMatchObject({ status: 400, code: 'PERCH4006' });
  expect(scene.store.revision()).toBe(revision);
});
