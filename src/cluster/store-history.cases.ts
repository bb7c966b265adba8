import assert from 'node:assert/strict';
import { MAX_DELETIONS, MAX_EVENTS, MAX_EVENTS_AFTER_DELETION, type ReleaseEvent } from '../core/release/release-event.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import { canaryRelease, type StoreCase, virtualService } from './store.cases.ts';
import type { ObjectRef, Store } from './store.ts';

const RELEASE: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const ROUTES: ObjectRef = { kind: 'VirtualService', namespace: 'default', name: 'reviews' };

/** The part of the shared suite about what happened to releases. */
export const HISTORY_CASES: readonly StoreCase[] = [
  {
    name: 'history: an apply of a release is told with what changed and who asked; one that changes nothing of it is not',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease([10, 50, 100])]);
      await store.apply('files', [virtualService('v2'), canaryRelease([10, 50, 100])]);
      await store.apply('api', [{ ...canaryRelease([10, 50, 100]), metadata: { name: 'reviews', labels: { team: 'books' } } }]);
      const spec = { ...(canaryRelease([20, 100]).spec as object), canary: { subset: 'v3' }, affinity: { mode: 'canaryOnly' } };
      assert.equal((await store.apply('api', [{ ...canaryRelease(), spec }], { by: 'ann' })).ok, true);
      assert.equal((await store.apply('api', [{ ...canaryRelease(), spec: {} }])).ok, false);
      assert.deepEqual(await told(store), [
        'SpecChanged by ann: canary v2 → v3, steps 10/50/100 → 20/100, affinity added',
        'Created by files: canary v2, stable v1, steps 10/50/100',
      ]);
    },
  },
  {
    name: 'history: requests are told with who asked, what they took the place of, and when they were not taken; each once',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      await store.postRequest(RELEASE, { id: 'p1', action: 'pause', by: 'ann' });
      const rollback = { id: 'r1', action: 'rollback', by: 'bob' } as const;
      await store.postRequest(RELEASE, rollback);
      await store.postRequest(RELEASE, rollback);
      const revision = store.revision();
      assert.equal(await store.postRequest(RELEASE, { id: 'p2', action: 'promote', by: 'eve' }), false);
      assert.equal(store.revision(), revision);
      const handled = { ...rollback, at: '2026-01-01T00:00:00.000Z', outcome: 'done', message: 'rolled back' } as const;
      await store.commit(RELEASE, { status: { ...PROGRESSING, phase: 'RolledBack', lastRequest: handled } }, store.revision());
      assert.equal(await store.postRequest(RELEASE, rollback), true);
      await store.postRequest(RELEASE, { id: 't1', action: 'retry', by: 'bob' });
      assert.deepEqual((await told(store)).slice(0, -1), [
        'Requested by bob: retry asked for',
        'RequestRefused by eve: promote refused: a rollback was asked for and is not done yet',
        'Requested by bob: rollback asked for, in place of pause by ann, which was not handled yet',
        'Requested by ann: pause asked for',
      ]);
    },
  },
  {
    name: 'history: deletions are told with who asked, whether bases come back, and when they were withdrawn',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      await store.requestDeletion(RELEASE, { by: 'ann' });
      await store.requestDeletion(RELEASE, { by: 'ann' });
      await store.requestDeletion(RELEASE, { by: 'bob', restoreBase: true });
      await store.apply('files', [canaryRelease()]);
      await store.apply('files', [virtualService('v1')], { prune: true });
      assert.deepEqual((await told(store)).slice(0, -1), [
        'DeletionRequested by files: no longer among what files named: its routes go to the live version first',
        'DeletionWithdrawn by files: applied again, so it stays',
        'DeletionRequested by bob: deletion asked for: its routes go back to where their owner sent them first',
        'DeletionRequested by ann: deletion asked for: its routes go to the live version first',
      ]);
    },
  },
  {
    name: 'history: the events of a commit are recorded with it, or none where it is not written',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease()]);
      const read = store.revision();
      const events = [event('step 1 of 2: 10 %', { step: 0, weight: 10 }), event('10 % is served', { step: 0, weight: 10, by: 'ann' })];
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, events }, read), true);
      assert.equal(await store.commit(RELEASE, { status: PROGRESSING, events }, read), false);
      const [second, first, ...earlier] = await store.history(RELEASE, { limit: 10 });
      assert.deepEqual([first, second].map(withoutId), events);
      assert.equal(earlier.length, 1);
      assert.ok(first !== undefined && second !== undefined && first.id < second.id);
    },
  },
  {
    name: 'history: read by pages, newest first; of nothing else than this release',
    run: async (store) => {
      await store.apply('files', [virtualService('v1'), canaryRelease(), canaryRelease([10, 100], 'ratings')]);
      await store.commit(RELEASE, { events: ['a', 'b', 'c', 'd'].map((message) => event(message)) }, store.revision());
      await store.commit({ ...RELEASE, name: 'ratings' }, { events: [event('other')] }, store.revision());
      const newest = await store.history(RELEASE, { limit: 3 });
      assert.deepEqual(
        newest.map(({ message }) => message),
        ['d', 'c', 'b'],
      );
      const next = await store.history(RELEASE, { limit: 3, before: newest.at(-1)?.id ?? 0 });
      assert.deepEqual(
        next.map(({ reason }) => reason),
        ['StepStarted', 'Created'],
      );
      assert.deepEqual(await store.history(RELEASE, { limit: 3, before: next.at(-1)?.id ?? 0 }), []);
      assert.deepEqual(await store.history(ROUTES, { limit: 3 }), []);
      assert.deepEqual(await store.history({ ...RELEASE, namespace: 'shop' }, { limit: 3 }), []);
    },
  },
  {
    name: 'history: the newest events of a release are kept, with texts cut that are too long',
    run: async (store) => {
      await store.apply('files', [canaryRelease(), canaryRelease([10, 100], 'ratings')]);
      for (let part = 0; part < 3; part += 1) {
        const events = Array.from({ length: MAX_EVENTS / 2 }, (_, index) => event(`${part * (MAX_EVENTS / 2) + index}`));
        await store.commit(RELEASE, { events }, store.revision());
      }
      const kept = await store.history(RELEASE, { limit: MAX_EVENTS * 2 });
      assert.equal(kept.length, MAX_EVENTS);
      assert.deepEqual([kept.at(-1)?.message, kept[0]?.message], [`${MAX_EVENTS / 2}`, `${1.5 * MAX_EVENTS - 1}`]);
      assert.equal((await store.history({ ...RELEASE, name: 'ratings' }, { limit: 5 })).length, 1);
      await store.commit(RELEASE, { events: [event('x'.repeat(100_000), { by: 'y'.repeat(100_000) })] }, store.revision());
      const [long] = await store.history(RELEASE, { limit: 1 });
      assert.deepEqual([long?.message.length, long?.by?.length], [1000, 200]);
      assert.ok(long?.message.endsWith('x…'));
    },
  },
  {
    name: 'history: outlives its release, and goes on when one of its name is created again',
    run: async (store) => {
      await store.apply('files', [canaryRelease()]);
      const events = Array.from({ length: MAX_EVENTS_AFTER_DELETION }, (_, index) => event(`${index}`));
      await store.commit(RELEASE, { events }, store.revision());
      await store.requestDeletion(RELEASE);
      const last = { ...event('its routes lead to v1'), reason: 'Deleted' } as const;
      assert.equal(await store.commit(RELEASE, { events: [last], remove: true }, store.revision()), true);
      const kept = await store.history(RELEASE, { limit: MAX_EVENTS });
      assert.deepEqual([kept.length, withoutId(kept[0])], [MAX_EVENTS_AFTER_DELETION, last]);
      await store.apply('api', [canaryRelease()]);
      assert.deepEqual((await told(store)).slice(0, 2), [
        'Created by api: canary v2, stable v1, steps 10/100',
        'Deleted: its routes lead to v1',
      ]);
      // Whoever removes it need not say so.
      await store.commit(RELEASE, { remove: true }, store.revision());
      assert.equal((await told(store))[0], 'Deleted: the release was deleted');
    },
  },
  {
    name: 'history: the last deletions are remembered; what was before an older one is forgotten, not what is after it',
    run: async (store) => {
      const names = ['reviews', ...Array.from({ length: MAX_DELETIONS }, (_, index) => `other-${index}`)];
      await store.apply(
        'files',
        names.map((name) => canaryRelease([10, 100], name)),
      );
      await store.commit(RELEASE, { remove: true }, store.revision());
      await store.apply('api', [canaryRelease()]);
      for (const name of names.slice(1, -1)) await store.commit({ ...RELEASE, name }, { remove: true }, store.revision());
      assert.deepEqual(await reasons(store, 'reviews'), ['Created', 'Deleted', 'Created']);
      await store.commit({ ...RELEASE, name: names.at(-1) ?? '' }, { remove: true }, store.revision());
      assert.deepEqual(await reasons(store, 'reviews'), ['Created']);
      assert.deepEqual(await reasons(store, 'other-0'), ['Deleted', 'Created']);
    },
  },
];

function event(message: string, extra: Partial<ReleaseEvent> = {}): ReleaseEvent {
  return { at: '2026-01-01T00:00:00.000Z', type: 'Normal', reason: 'StepStarted', message, ...extra };
}

function withoutId(recorded: (ReleaseEvent & { readonly id?: number }) | undefined): ReleaseEvent | undefined {
  if (recorded === undefined) return undefined;
  const { id: _, ...rest } = recorded;
  return rest;
}

/** The history of `reviews` in words, newest first. */
async function told(store: Store): Promise<readonly string[]> {
  const events = await store.history(RELEASE, { limit: 20 });
  for (const { at } of events) assert.match(at, /^20\d\d-\d\d-\d\dT.*Z$/);
  return events.map(({ reason, by, message }) => `${reason}${by === undefined ? '' : ` by ${by}`}: ${message}`);
}

async function reasons(store: Store, name: string): Promise<readonly string[]> {
  return (await store.history({ ...RELEASE, name }, { limit: 20 })).map(({ reason }) => reason);
}
