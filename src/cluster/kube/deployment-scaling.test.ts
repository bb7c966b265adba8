import { expect, test } from 'vitest';
import type { ScaleOrder } from '../../core/release/observed.ts';
import { deploymentScaling } from './deployment-scaling.ts';
import type { KnownDeployment } from './deployments.ts';
import { KubeError } from './kube-client.ts';

const WEB: KnownDeployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web-v1', namespace: 'shop', resourceVersion: '7' },
  spec: { replicas: 0 },
  isAutoscaled: false,
};

/** What comes of an order, or the status that is thrown, where the apiserver answers so. */
async function outcomeOf(cause: ScaleOrder['cause'], status: number): Promise<string | number> {
  const scaling = deploymentScaling({
    client: { request: () => Promise.reject(new KubeError('no', { status })) },
    deployments: { get: () => WEB, scaled: () => {} },
  });
  const order = { version: { subset: 'v1' }, namespace: 'shop', name: 'web-v1', from: 0, to: 4, cause };
  return await scaling.scale(order).then(
    ({ kind }) => kind,
    (error: unknown) => (error instanceof KubeError ? error.status : -1),
  );
}

test.each([400, 401, 403, 404, 405, 413, 422, 500, 502, 504])(
  'a rollback is not held up by a write that is answered %d',
  async (status) => {
    expect(await outcomeOf('rollback', status)).toBe('refused');
  },
);

test.each(['step', 'success', 'rollback'] as const)(
  'what is only busy, or not there, is asked again, whatever it is for, and so is who was too late: %s',
  async (cause) => {
    expect(await Promise.all([0, 429, 503].map((status) => outcomeOf(cause, status)))).toEqual([0, 429, 503]);
    expect(await outcomeOf(cause, 409)).toBe('outdated');
  },
);

test('a step has time: only an answer that stays the same is taken for one', async () => {
  expect(await Promise.all([403, 404, 422].map((status) => outcomeOf('step', status)))).toEqual(['refused', 'refused', 'refused']);
  expect(await outcomeOf('step', 500)).toBe(500);
});
