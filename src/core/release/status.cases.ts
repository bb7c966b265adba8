import type { ReleaseStatus } from './status.ts';

/** A status as the state machine leaves it on a release's first step. */
export const PROGRESSING: ReleaseStatus = {
  phase: 'Progressing',
  message: 'step 1 of 2',
  step: 0,
  weight: 10,
  cutoff: 410,
  offset: 0,
  started: 1,
  stable: { subset: 'v1' },
  canary: { subset: 'v2' },
  observedGeneration: 1,
  history: [],
  conditions: [],
};
