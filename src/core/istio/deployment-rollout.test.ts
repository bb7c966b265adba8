import { describe, expect, it } from 'vitest';
import { type Deployment, makesPodsWith, pendingRollout } from './deployment-rollout.ts';

const done = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };

function deployment(status: Deployment['status'], spec: Deployment['spec'] = { replicas: 3 }): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web-v2', generation: 2 },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

describe('the rollout of a Deployment', () => {
  it.each<[string, Deployment, string | undefined]>([
    ['complete', deployment(done), undefined],
    ['scaled to zero', deployment({ observedGeneration: 2 }, { replicas: 0 }), undefined],
    ['not seen by its controller yet', deployment({ ...done, observedGeneration: 1 }), 'was changed just now'],
    ['without a status', deployment(undefined), 'was changed just now'],
    ['with new pods to come', deployment({ ...done, updatedReplicas: 1 }), 'is rolled out, 1 of 3 replicas are of its newest form'],
    ['with former pods to go', deployment({ ...done, replicas: 4 }), 'is rolled out, 1 of its former replicas are still to end'],
    ['with pods that are not available', deployment({ ...done, availableReplicas: 2 }), 'is rolled out, 2 of 3 replicas are available'],
    [
      'that makes no progress',
      deployment({ ...done, availableReplicas: 0, conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] }),
      'is rolled out, 0 of 3 replicas are available: it has exceeded its progress deadline',
    ],
    [
      'that is paused on the way',
      deployment({ ...done, updatedReplicas: 0 }, { replicas: 3, paused: true }),
      'is rolled out, 0 of 3 replicas are of its newest form: it is paused',
    ],
    ['paused when complete', deployment(done, { replicas: 3, paused: true }), undefined],
    [
      'of one replica, as when nothing is said',
      deployment({ ...done, replicas: 1, updatedReplicas: 1, availableReplicas: 0 }, {}),
      'is rolled out, 0 of 1 replicas are available',
    ],
  ])('%s', (_, object, expected) => {
    expect(pendingRollout(object)).toBe(expected === undefined ? undefined : `Deployment default/web-v2 ${expected}`);
  });

  it('its pods are told by all labels that are asked for', () => {
    const made = deployment(done, { template: { metadata: { labels: { app: 'web', version: 'v2' } } } });
    expect(makesPodsWith(made, { version: 'v2' })).toBe(true);
    expect(makesPodsWith(made, { app: 'web', version: 'v2' })).toBe(true);
    expect(makesPodsWith(made, { app: 'web', version: 'v1' })).toBe(false);
    expect(makesPodsWith(deployment(done), { app: 'web' })).toBe(false);
  });
});
