import { describe, expect, test } from 'vitest';
import type { CanaryReleaseSpec } from './canary-release.ts';
import { MINUTE, ReleaseWorld, rolledBack, specOf, started, subset, succeeded } from './release-world.cases.ts';

/** The machine in `affinity.mode: canaryOnly`: the same phases and holds, other plans, and nothing about buckets. */

const v1 = subset('v1');
const v2 = subset('v2');
const affinity = { mode: 'canaryOnly' } as const;
const ARTICLE = { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: '6h' };
const GIVEN = { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: 21_600 };

function specWith(changes: Partial<CanaryReleaseSpec> = {}): CanaryReleaseSpec {
  return specOf({ affinity: { mode: 'canaryOnly', cookie: ARTICLE }, ...changes });
}

describe('canaryOnly', () => {
  test('each step is a draw with its weight and the same cookie, which expires once everyone is on the canary', () => {
    const world = new ReleaseWorld(specWith());
    world.look();
    expect(world.routes).toEqual({ kind: 'draw', stable: v1, canary: v2, weight: 10, cookie: GIVEN });
    world.serve();
    expect(world.message).toContain('step 1 of 3: 10 % of draws on v2, held until');
    world.pass(10 * MINUTE);
    expect(world.routes).toEqual({ kind: 'draw', stable: v1, canary: v2, weight: 50, cookie: GIVEN });
    world.serve();
    world.ask('promote');
    world.serve();
    expect(world.routes).toEqual({ kind: 'draw', stable: v1, canary: v2, weight: 100, cookie: GIVEN });
    world.pass(10 * MINUTE);
    expect(world.place).toBe('Completing 100 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2, expires: GIVEN });
    world.serve();
    expect(world.place).toBe('Succeeded 100 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2, expires: GIVEN });
  });

  test('after a rollback everyone is on stable, and the cookie expires', () => {
    const world = started(specWith());
    world.ask('rollback');
    expect(world.place).toBe('RollingBack 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v1, expires: GIVEN });
    world.serve();
    expect(world.place).toBe('RolledBack 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v1, expires: GIVEN });
  });

  test('a deletion leaves everyone at the live version', () => {
    const world = started(specWith());
    world.deletion = true;
    expect(world.look().routes).toMatchObject({ kind: 'settled', live: v1 });
  });

  test('no bucket decides, so the status tells of none: in no phase, nor after a release by buckets', () => {
    const bucketless = (world: ReleaseWorld) => expect([world.status?.cutoff, world.status?.offset]).toEqual([undefined, undefined]);
    const world = new ReleaseWorld(specWith());
    world.ready.set('v2', false);
    world.look();
    expect(world.place).toBe('Pending 0 %');
    bucketless(world);
    world.setReady('v2', true);
    expect(world.place).toBe('Progressing 10 %');
    bucketless(world);
    bucketless(succeeded(specWith({ steps: [{ weight: 100, hold: '1m' }] })));
    bucketless(rolledBack(specWith()));

    const before = succeeded(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    expect(before.status?.cutoff).toBe(4096);
    before.edit(specOf({ canary: subset('v3'), stable: v2, affinity }));
    expect(before.place).toBe('Progressing 10 %');
    bucketless(before);
  });

  test('a release by buckets that follows has its cutoff and offset, and no cookie to expire', () => {
    const world = succeeded(specWith({ steps: [{ weight: 100, hold: '1m' }] }));
    world.edit(specOf({ canary: subset('v3'), stable: v2 }));
    expect(world.routes).toMatchObject({ kind: 'split', stable: v2, canary: subset('v3'), cutoff: 410 });
    expect(world.status?.canaryCookie).toBeUndefined();
    world.ask('rollback');
    expect(world.routes).toEqual({ kind: 'settled', live: v2 });
  });

  test('a retry is another draw: holders of the first cookie get no head start', () => {
    const world = rolledBack(specOf({ affinity }));
    const first = world.status?.canaryCookie;
    world.ask('retry');
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.canaryCookie?.name).toBe(first?.name);
    expect(world.status?.canaryCookie?.value).not.toBe(first?.value);
  });

  test('while the next release waits, the last one’s cookie still expires', () => {
    const world = succeeded(specWith({ steps: [{ weight: 100, hold: '1m' }] }));
    world.ready.set('v3', false);
    world.edit(specOf({ canary: subset('v3'), stable: v2, affinity }));
    expect(world.place).toBe('Pending 0 %');
    expect(world.routes).toEqual({ kind: 'settled', live: v2, expires: GIVEN });
  });

  test('a value that another canary had is refused: its holders would all be on the new canary at once', () => {
    const world = succeeded(specWith({ steps: [{ weight: 100, hold: '1m' }] }));
    world.edit(specWith({ canary: subset('v3'), stable: v2 }));
    expect(world.place).toBe('Pending 0 %');
    expect(world.message).toContain(
      'spec.affinity.cookie.value REVIRES-V2 is that of the release of v2, whose holders would go to v3 at once: write another value, or leave it out',
    );
    world.edit(
      specWith({ canary: subset('v3'), stable: v2, affinity: { mode: 'canaryOnly', cookie: { ...ARTICLE, value: 'REVIRES-V3' } } }),
    );
    expect(world.place).toBe('Progressing 10 %');
  });

  test('so is one that a canary had longer ago, whatever came between', () => {
    const used = /^waiting: spec\.affinity\.cookie\.value REVIRES-V2 is that of the release of v2, /;
    const between = succeeded(specWith({ steps: [{ weight: 100, hold: '1m' }] }));
    between.edit(specOf({ canary: v1, stable: v2 }));
    between.ask('rollback');
    between.serve();
    expect([between.phase, between.status?.canaryCookie]).toEqual(['RolledBack', undefined]);
    between.edit(specWith({ canary: subset('v3'), stable: v2 }));
    expect(between.message).toMatch(used);

    const given = rolledBack(specWith());
    given.ready.set('v2', false);
    given.ask('retry');
    expect(given.message).toMatch(/^waiting: v2 is not ready/);
    given.edit(specWith({ canary: subset('v3') }));
    expect(given.message).toMatch(used);
  });

  test('with the same canary it may stay: a retry is asked for', () => {
    const world = rolledBack(specWith());
    world.ask('retry');
    expect(world.place).toBe('Progressing 10 %');
    expect(world.status?.canaryCookie).toEqual(GIVEN);
  });
});
