import { randomBytes } from 'node:crypto';
import { runtimeAdmission } from '../../src/cluster/admission.ts';
import { openSqliteStore } from '../../src/cluster/local/sqlite-store.ts';
import { type ExposureObserver, startExposureObserver } from '../../src/observers/exposure-observer.ts';
import { CUTOFF, OFFSET, shopRelease } from './shop.ts';

/** Follows the bench's release at its first step, from a store in `dataDir` (`:memory:`: in no file), as `perch serve` does. */
export async function observeShop(dataDir: string): Promise<ExposureObserver> {
  const store = openSqliteStore({
    dataDir,
    now: Date.now,
    admission: runtimeAdmission,
    onListenerError: (error) => {
      throw error;
    },
  });
  const release = shopRelease();
  await store.apply('bench', [release]);
  const startedAt = new Date().toISOString();
  const status = {
    phase: 'Progressing',
    message: 'on a step',
    ...{ step: 0, weight: 10, cutoff: CUTOFF, offset: OFFSET, started: 1, observedGeneration: 1 },
    stable: { subset: 'stable' },
    canary: { subset: 'canary' },
    startedAt,
    stepStartedAt: startedAt,
    history: [],
    conditions: [],
  } as const;
  if (!(await store.commit({ kind: release.kind, namespace: 'default', name: 'shop' }, { status }, store.revision()))) {
    throw new Error('the release changed meanwhile');
  }
  const observer = startExposureObserver({ store, hashKey: randomBytes(16), now: Date.now });
  await observer.ready;
  return observer;
}
