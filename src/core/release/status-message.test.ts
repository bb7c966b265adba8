import { expect, test } from 'vitest';
import { advance } from './machine.ts';
import { readinessSpec } from './readiness-spec.ts';
import { MINUTE, type ReleaseWorld, rolledBack, specOf, started, subset, succeeded } from './release-world.cases.ts';

const toV3 = specOf({ canary: subset('v3') });

/** A world after what is done to it. */
function after(world: ReleaseWorld, ...acts: readonly ((world: ReleaseWorld) => unknown)[]): ReleaseWorld {
  for (const act of acts) act(world);
  return world;
}

/** Its release is held at 50 % until someone promotes. */
const held = () =>
  after(
    started(),
    (world) => world.pass(10 * MINUTE),
    (world) => world.serve(),
  );

test.each<[string, () => ReleaseWorld, string]>([
  ['succeeded', () => succeeded(), 'v2 is the live version'],
  [
    'completing',
    () => after(started(specOf({ steps: [{ weight: 100, hold: '1m' }] })), (world) => world.pass(MINUTE)),
    'everyone goes to v2; waiting for the routes to be served',
  ],
  ['going back', () => after(started(), (world) => world.ask('rollback')), 'everyone goes back to v1; waiting for the routes to be served'],
  [
    'going back, with another release to come',
    () =>
      after(
        started(),
        (world) => world.ask('rollback'),
        (world) => world.edit(toV3),
      ),
    'everyone goes back to v1; waiting for the routes to be served; then v3 starts',
  ],
  ['rolled back by request', () => rolledBack(), 'v1 is the live version; v2 was rolled back: requested by ada'],
  [
    'rolled back by itself',
    () =>
      after(
        started(),
        (world) => world.setReady('v2', false),
        (world) => world.pass(30_000),
        (world) => world.serve(),
      ),
    'v1 is the live version; v2 was rolled back: v2 had no ready endpoints for 30s',
  ],
  ['held', held, 'step 2 of 3: 50 % of visitors on v2, manual hold: promote to go on'],
  [
    'held and suspended: nobody is told to promote',
    () => after(held(), (world) => world.edit(specOf({ suspend: true }))),
    'step 2 of 3: 50 % of visitors on v2, manual hold; suspended: nothing starts or widens',
  ],
  [
    'held and overtaken: nobody is told to promote',
    () =>
      after(
        held(),
        (world) => world.ready.set('v1', false),
        (world) => world.edit(toV3),
      ),
    'step 2 of 3: 50 % of visitors on v2, manual hold; v1 has no ready endpoints: visitors on it get errors, and no rollback is possible until they return; superseded by v3 once v1 is ready: no endpoint accepts connections',
  ],
  [
    'held, and overtaken while the hold of a step is over',
    () =>
      after(
        started(),
        (world) => world.ready.set('v1', undefined),
        (world) => world.edit(toV3),
        (world) => world.pass(10 * MINUTE),
      ),
    'step 1 of 3: 10 % of visitors on v2, its hold is over; superseded by v3 once v1 is ready: no endpoint accepts connections',
  ],
  [
    'after a restart, with a hold that is over',
    () =>
      after(
        started(),
        (world) => world.restart(),
        (world) => world.pass(10 * MINUTE),
      ),
    'step 1 of 3: 10 % of visitors on v2, not widened: waiting for the routes to be served',
  ],
  [
    'suspended in a hold that is manual, before its step is served',
    () =>
      after(
        held(),
        (world) => world.ask('promote'),
        (world) => world.edit(specOf({ suspend: true })),
      ),
    'step 3 of 3: 100 % of visitors on v2, waiting for the routes to be served; suspended: nothing starts or widens',
  ],
  [
    'with a capacity that cannot be checked',
    () => after(started(specOf({ readiness: readinessSpec.parse({ capacity: 40 }) })), (world) => world.ask('pause')),
    'step 1 of 3: 10 % of visitors on v2, paused: resume or promote to go on; capacity is not checked: the request rate is not known',
  ],
  [
    'on a step that picks',
    () =>
      started(specOf({ steps: [{ weight: 0, match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: 'manual' }, ...specOf().steps] })),
    'step 1 of 4: those picked by header x-team on v2, manual hold: promote to go on',
  ],
])('the status says in one sentence what is: %s', (_, arrange, message) => {
  expect(arrange().message).toBe(message);
});

test('a release that is being deleted says what that waits for', () => {
  const world = started();
  const input = { namespace: 'default', name: 'reviews', generation: 1, spec: world.spec };
  const message = (waits: { readonly deletionWaits?: string }) =>
    advance(input, world.status, { ...world.observed(), deletion: true, ...waits }, world.now).status.message;
  expect(message({})).toBe('being deleted');
  expect(message({ deletionWaits: 'its routes are not un-woven yet' })).toBe('being deleted: its routes are not un-woven yet');
});
