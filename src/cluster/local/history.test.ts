import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_EVENTS, type ReleaseEvent } from '../../core/release/release-event.ts';
import { PROGRESSING } from '../../core/release/status.cases.ts';
import { canaryRelease } from '../store.cases.ts';
import type { Store } from '../store.ts';
import { RELEASE, StoreScene } from './store-scene.cases.ts';

/** One of several writers that read, wait a little, and commit what rests on what they read. */
interface Writer {
  /** How many turns of the event loop's queue pass between reading and committing. */
  readonly waits: number;
  readonly events: number;
  /** It asks for something instead. */
  readonly asks: boolean;
}

const writer: fc.Arbitrary<Writer> = fc.record({ waits: fc.nat(4), events: fc.nat(3), asks: fc.boolean() });

test('of writers at the same time, the history has what was written, in its order, once; nothing of what was refused', async () => {
  const scene = new StoreScene();
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(writer, { minLength: 1, maxLength: 5 }), { maxLength: 8 }),
        fc.boolean(),
        async (rounds, reopens) => {
          let store = scene.open(reopens ? undefined : ':memory:');
          await store.apply('files', [canaryRelease()]);
          const before = await store.history(RELEASE, { limit: MAX_EVENTS });
          const written: string[] = [];
          for (const [round, writers] of rounds.entries()) {
            await Promise.all(writers.map((each, index) => write(store, each, `${round}.${index}`, written)));
            if (!reopens) continue;
            await store.close();
            store = scene.open();
          }
          const history = await store.history(RELEASE, { limit: MAX_EVENTS });
          const told = history.slice(0, history.length - before.length).map(({ by, message }) => by ?? message);
          expect(told.reverse()).toEqual(written);
          await store.commit(RELEASE, { remove: true }, store.revision());
          await store.close();
        },
      ),
      { numRuns: 40, seed: 20261129 },
    );
  } finally {
    await scene.close();
  }
});

async function write(store: Store, { waits, events, asks }: Writer, name: string, written: string[]): Promise<void> {
  const revision = store.revision();
  for (let turn = 0; turn < waits; turn += 1) await Promise.resolve();
  if (asks) {
    if (await store.postRequest(RELEASE, { id: name, action: 'pause', by: name })) written.push(name);
    return;
  }
  const happened = Array.from({ length: events }, (_, index): ReleaseEvent => {
    return { at: '2026-01-01T00:00:00.000Z', type: 'Normal', reason: 'StepStarted', message: `${name}.${index}` };
  });
  const status = { ...PROGRESSING, message: name };
  if (await store.commit(RELEASE, { status, events: happened }, revision)) written.push(...happened.map(({ message }) => message));
}
