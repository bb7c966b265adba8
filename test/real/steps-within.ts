import { expect } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import type { AuditedWrite } from './audit-log.ts';

/**
 * How many steps a release has begun by its audited states; fails where one was left out, done twice or cut short. `holdMs`: of each; `clockMs`: by how much the clocks of the controller and of the apiserver may differ: by default they are one, and tell whole milliseconds.
 */
export function stepsWithin(writes: readonly AuditedWrite[], release: string, holdMs: number, clockMs = 5): number {
  const states = writes
    .filter(({ resource, name, object }) => resource === 'canaryreleases/status' && name === release && object !== undefined)
    .toSorted((left, right) => left.revision - right.revision)
    .map(({ object, receivedAt }) => ({ status: statusOf(object), at: receivedAt }));
  const doubtful = writes
    .filter(
      ({ resource, name, code, asked }) =>
        resource === 'canaryreleases/status' && name === release && asked !== undefined && (code === 0 || code >= 500),
    )
    .map(({ asked, receivedAt }) => ({ status: statusOf(asked), at: receivedAt }));
  const begins = states.filter(({ status }, at) => status.step !== (states[at - 1]?.status.step ?? -1));
  expect(begins.map(({ status }) => status.step)).toEqual(begins.map((_, step) => step));
  for (const [step, next] of begins.slice(1).entries()) {
    // Where etcd was away, a write may have been done that was answered with an error.
    const confirmed = [...states, ...doubtful].find(({ status }) => status.step === step && status.stepStartedAt !== undefined);
    if (confirmed === undefined) return expect.fail(`step ${step} of ${release} was not confirmed`);
    const began = Date.parse(confirmed.status.stepStartedAt ?? '');
    expect(began).toBeLessThanOrEqual(confirmed.at + clockMs);
    expect(Date.parse(confirmed.status.holdUntil ?? '') - began).toBe(holdMs);
    expect(next.at - began).toBeGreaterThanOrEqual(holdMs - clockMs);
  }
  return begins.length;
}

function statusOf(object: KubeObject | undefined): ReleaseStatus {
  return (object as KubeObject & { readonly status: ReleaseStatus }).status;
}
