import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointsNeeded } from './capacity.ts';
import { readinessSpec } from './readiness-spec.ts';
import { MINUTE, ReleaseWorld, specOf } from './release-world.cases.ts';

/** A release whose endpoints take 40 requests/s each, with so many ready canary endpoints, at so many requests/s. */
function world(ready: number, rate: ReleaseWorld['requestRate']): ReleaseWorld {
  const made = new ReleaseWorld(specOf({ readiness: readinessSpec.parse({ capacity: 40 }) }));
  made.endpoints.set('v2', { ready, total: 4 });
  made.requestRate = rate;
  made.look();
  made.serve();
  return made;
}

function setEndpoints(made: ReleaseWorld, ready: number): void {
  made.endpoints.set('v2', { ready, total: 4 });
  made.look();
}

describe('how many endpoints a weight needs', () => {
  test.each([
    [120, 50, 40, 2],
    [120, 10, 40, 1],
    [0, 100, 40, 1],
    [80, 100, 40, 2],
    [80.1, 100, 40, 3],
    [30, 10, 0.1, 30],
  ])('%d requests/s, %d %%, %d per endpoint: %d', (rate, weight, capacity, needed) => {
    expect(endpointsNeeded(rate, weight, capacity)).toBe(needed);
  });

  test('is enough for the share of the requests, and not one too many', () => {
    const positive = fc.double({ min: 0.001, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, fc.integer({ min: 1, max: 1000 }), positive, (rate, tenths, capacity) => {
        const share = (rate * tenths) / 1000;
        const needed = endpointsNeeded(rate, tenths / 10, capacity);
        expect(needed * capacity).toBeGreaterThanOrEqual(share * (1 - 1e-8) - capacity * 1e-8);
        if (needed > 1) expect((needed - 1) * capacity).toBeLessThan(share * (1 + 1e-8));
      }),
      { seed: 10 },
    );
  });
});

describe('a release that states what an endpoint can take', () => {
  test('is not widened without enough of them, says the numbers, and goes on as soon as there are', () => {
    const made = world(1, 120);
    made.pass(10 * MINUTE);
    expect(made.place).toBe('Progressing 10 %');
    expect(made.message).toContain('not widened: v2 has 1 ready endpoint; 50 % of 120 requests/s at 40 per endpoint needs 2');
    setEndpoints(made, 2);
    expect(made.place).toBe('Progressing 50 %');
  });

  test('looks at the rate again every ten seconds while it waits for it, and only then', () => {
    const made = world(1, 120);
    expect(made.wakeAt).toBe(made.now + 10 * MINUTE);
    made.pass(10 * MINUTE);
    expect(made.wakeAt).toBe(made.now + 10_000);
    made.requestRate = 60;
    made.pass(10_000);
    expect(made.place).toBe('Progressing 50 %');
    made.serve();
    expect(made.place).toBe('Paused 50 %');
    expect(made.wakeAt).toBeUndefined();
  });

  test('also does not start, and waits while the rate is still being measured', () => {
    const made = world(1, 'measuring');
    expect(made.message).toBe('waiting: how many requests there are for v2 to take is still being measured');
    expect(made.wakeAt).toBe(made.now + 10_000);
    made.requestRate = 900;
    made.pass(10_000);
    expect(made.message).toBe('waiting: v2 has 1 ready endpoint; 10 % of 900 requests/s at 40 per endpoint needs 3');
    setEndpoints(made, 3);
    expect(made.place).toBe('Progressing 10 %');
  });

  test('says only that the canary is not ready where it has no endpoint at all', () => {
    const made = new ReleaseWorld(specOf({ readiness: readinessSpec.parse({ capacity: 40 }) }));
    made.ready.set('v2', false);
    made.endpoints.set('v2', { ready: 0, total: 4 });
    made.requestRate = 900;
    made.look();
    expect(made.message).toBe('waiting: v2 is not ready: no endpoint accepts connections');
  });

  test('refuses a promotion, with the numbers; the last one, to everyone, too', () => {
    const made = world(2, 120);
    made.pass(10 * MINUTE);
    made.serve();
    expect(made.place).toBe('Paused 50 %');
    made.ask('promote');
    expect(made.status?.lastRequest).toMatchObject({
      outcome: 'refused',
      message: 'not widened: v2 has 2 ready endpoints; 100 % of 120 requests/s at 40 per endpoint needs 3',
    });
    setEndpoints(made, 3);
    made.ask('promote');
    made.serve();
    expect(made.place).toBe('Progressing 100 %');
    setEndpoints(made, 2);
    made.pass(10 * MINUTE);
    expect(made.place).toBe('Progressing 100 %');
    setEndpoints(made, 3);
    expect(made.phase).toBe('Completing');
  });

  test('that nobody measures goes on with one endpoint, and says that the capacity is not checked', () => {
    const made = world(1, undefined);
    expect(made.message).toContain('; capacity is not checked: the request rate is not known');
    made.pass(10 * MINUTE);
    expect(made.place).toBe('Progressing 50 %');
  });

  test('a rollback needs no capacity: stable had everyone before', () => {
    const made = world(1, 120);
    made.endpoints.set('v1', { ready: 1, total: 4 });
    made.ask('rollback');
    expect(made.phase).toBe('RollingBack');
  });
});

test('the status counts the endpoints of both versions, keeps what it knew, and forgets versions that it has no more to do with', () => {
  const made = world(3, 10);
  made.endpoints.set('v1', { ready: 2, total: 2 });
  made.look();
  expect(made.status?.endpoints).toEqual([
    { version: { subset: 'v2' }, ready: 3, total: 4 },
    { version: { subset: 'v1' }, ready: 2, total: 2 },
  ]);
  made.endpoints.clear();
  made.restart();
  expect(made.status?.endpoints).toHaveLength(2);
  made.endpoints.set('v3', { ready: 1, total: 1 });
  made.edit(specOf({ canary: { subset: 'v3' } }));
  made.serve();
  expect(made.status?.endpoints).toEqual([
    { version: { subset: 'v3' }, ready: 1, total: 1 },
    { version: { subset: 'v1' }, ready: 2, total: 2 },
  ]);
  made.ask('rollback');
  made.serve();
  expect(made.phase).toBe('RolledBack');
  expect(made.status, 'nobody counts any more').not.toHaveProperty('endpoints');
});
