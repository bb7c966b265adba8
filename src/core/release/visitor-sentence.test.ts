import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf } from '../visitor/bucket.ts';
import { MINUTE, ReleaseWorld, specOf } from './release-world.cases.ts';
import { describeVisitor, type ReleaseOfVisitor } from './visitor-sentence.ts';

const releaseOf = (world: ReleaseWorld): ReleaseOfVisitor => ({
  metadata: { namespace: 'default', name: 'reviews' },
  spec: world.spec,
  status: world.status,
});

// Draw 0 reads the first three digits of the last group: b37 is 2871, 12a is 298.
const LATE = '0b6f0a3e-7c11-4d2a-9f00-b3700000c21f';
const EARLY = '0b6f0a3e-7c11-4d2a-9f00-12a00000c21f';

const ramp = specOf({
  cohort: 0,
  steps: [
    { weight: 10, hold: '1m' },
    { weight: 100, hold: '1m' },
  ],
});
function world(): ReleaseWorld {
  const begun = new ReleaseWorld(ramp);
  begun.look();
  begun.serve();
  return begun;
}

describe('where a visitor stands who is drawn (mode canaryOnly)', () => {
  function drawn(): ReleaseWorld {
    const begun = new ReleaseWorld({ ...ramp, affinity: { mode: 'canaryOnly', cookie: { name: 'c', value: 'v', maxAge: '6h' } } });
    begun.look();
    begun.serve();
    return begun;
  }

  test('whoever holds the cookie, or has just drawn the canary, stays on it', () => {
    expect(describeVisitor(releaseOf(drawn()), LATE, 'canary')).toEqual({
      cohort: 'canary',
      version: 'v2',
      weight: 10,
      sentence: 'reviews v2: you drew it, and a cookie keeps you on it',
    });
  });

  test('everyone else draws again, and an id says nothing', () => {
    for (const id of [EARLY, LATE, 'no id']) {
      expect(describeVisitor(releaseOf(drawn()), id, 'stable')).toEqual({
        cohort: 'stable',
        version: 'v1',
        weight: 10,
        sentence: 'reviews v1: you drew it this time. Refresh to draw again: 10 % of draws are v2',
      });
    }
  });

  test('of whom the edge told nothing, nothing is claimed: they may hold the cookie or not', () => {
    const expected = { weight: 10, sentence: 'reviews: 10 % of draws are v2, and a cookie keeps on it whoever drew it' };
    expect(describeVisitor(releaseOf(drawn()), LATE)).toEqual(expected);
    const paused = drawn();
    paused.ask('pause');
    expect(describeVisitor(releaseOf(paused), LATE)).toEqual(expected);
  });

  test('after a rollback, and before a start, all are alike', () => {
    const release = drawn();
    release.ask('rollback');
    expect(describeVisitor(releaseOf(release), LATE, 'canary')?.sentence).toBe('reviews v1, as everyone: v2 is being rolled back');
    release.serve();
    expect(describeVisitor(releaseOf(release), LATE, 'canary')?.sentence).toBe('reviews v1, as everyone: v2 was rolled back');
    const unstarted = { ...releaseOf(drawn()), status: undefined };
    expect(describeVisitor(unstarted, LATE)).toEqual({
      cohort: 'stable',
      version: 'v1',
      weight: 0,
      sentence: 'reviews v1; the release to v2 has not started',
    });
    const waiting = new ReleaseWorld(drawn().spec);
    waiting.ready.set('v2', false);
    waiting.look();
    expect(describeVisitor(releaseOf(waiting), LATE, 'canary')).toEqual(describeVisitor(unstarted, LATE));
  });

  test('at the end everyone is on the canary, whatever they drew', () => {
    const release = drawn();
    release.ask('promote', 'ada', true);
    const view = { cohort: 'canary', version: 'v2', weight: 100 };
    expect(describeVisitor(releaseOf(release), LATE, 'stable')).toEqual({ ...view, sentence: 'reviews v2, as everyone' });
    release.serve();
    expect(describeVisitor(releaseOf(release), LATE, 'stable')).toEqual({
      ...view,
      sentence: 'reviews v2, as everyone: it is the live version',
    });
  });
});

describe('where a visitor stands, in words', () => {
  test('on stable: when their turn comes', () => {
    expect(describeVisitor(releaseOf(world()), LATE)).toEqual({
      bucket: 2871,
      cohort: 'stable',
      version: 'v1',
      movesAt: 70.2,
      weight: 10,
      sentence: 'visitor …c21f, bucket 2871 of 4096: reviews v1; you move to v2 when the release passes 70.1 %',
    });
  });

  test('on the canary: since when', () => {
    expect(describeVisitor(releaseOf(world()), EARLY)).toEqual({
      bucket: 298,
      cohort: 'canary',
      version: 'v2',
      weight: 10,
      sentence: 'visitor …c21f, bucket 298 of 4096: reviews v2, since the release passed 7.2 %',
    });
  });

  test('whose bucket is the cutoff, is on stable: 10 % are the 410 buckets below it; the same while the release is paused', () => {
    const paused = world();
    paused.ask('pause');
    const ids = ['0b6f0a3e-7c11-4d2a-9f00-19900000c21f', '0b6f0a3e-7c11-4d2a-9f00-19a00000c21f'];
    for (const release of [world(), paused]) {
      expect(ids.map((id) => describeVisitor(releaseOf(release), id)).map((view) => [view?.bucket, view?.cohort])).toEqual([
        [409, 'canary'],
        [410, 'stable'],
      ]);
    }
  });

  test('before the release starts: in the draw to come', () => {
    const waiting = new ReleaseWorld(ramp);
    const view = describeVisitor(releaseOf(waiting), EARLY);
    expect(view?.sentence).toBe(
      'visitor …c21f, bucket 298 of 4096: reviews v1; the release to v2 has not started: you move when it passes 7.2 %',
    );
    waiting.look();
    waiting.serve();
    expect(describeVisitor(releaseOf(waiting), EARLY)).toMatchObject({ bucket: view?.bucket, cohort: 'canary' });
  });

  test('completing, succeeded, rolling back, rolled back', () => {
    const done = world();
    done.pass(MINUTE);
    done.serve();
    done.pass(MINUTE);
    const views = [describeVisitor(releaseOf(done), LATE)];
    done.serve();
    views.push(describeVisitor(releaseOf(done), LATE));
    const back = world();
    back.ask('rollback');
    views.push(describeVisitor(releaseOf(back), EARLY));
    back.serve();
    views.push(describeVisitor(releaseOf(back), EARLY));
    const overtaken = world();
    overtaken.look();
    overtaken.edit({ ...overtaken.spec, revision: 2 });
    views.push(describeVisitor(releaseOf(overtaken), EARLY));
    expect(views.map((view) => [view?.cohort, view?.version, view?.movesAt])).toEqual([
      ...Array(2).fill(['canary', 'v2', undefined]),
      ...Array(3).fill(['stable', 'v1', undefined]),
    ]);
    expect(views.map((view) => [view?.weight, view?.sentence.split(': ').slice(1).join(': ')])).toEqual([
      [100, 'reviews v2, since the release passed 70.1 %'],
      [100, 'reviews v2, as everyone: it is the live version'],
      [0, 'reviews v1, as everyone: v2 is being rolled back'],
      [0, 'reviews v1, as everyone: v2 was rolled back'],
      [0, 'reviews v1, as everyone: another release takes the place of that of v2'],
    ]);
  });

  test('while the next release waits: the live version, in the draw to come', () => {
    const waiting = world();
    waiting.ask('rollback');
    waiting.serve();
    waiting.ready.set('v3', false);
    waiting.edit({ ...ramp, canary: { subset: 'v3' }, cohort: 'auto', revision: 5 });
    expect(waiting.phase).toBe('Pending');
    const view = describeVisitor(releaseOf(waiting), EARLY);
    expect(view).toMatchObject({ cohort: 'stable', version: 'v1', weight: 0 });
    waiting.setReady('v3', true);
    const begun = describeVisitor(releaseOf(waiting), EARLY);
    expect(begun?.bucket).toBe(view?.bucket);
    const { spec, metadata } = releaseOf(waiting);
    const { stable: _, ...unnamed } = spec;
    expect(describeVisitor({ metadata, spec: unnamed }, EARLY)).toMatchObject({
      weight: 0,
      sentence: expect.stringMatching(/: reviews; the release to v3 has not started: /),
    });
    expect(describeVisitor({ metadata, spec: unnamed }, EARLY)).not.toHaveProperty('version');
  });

  test('a full host is named by its first part, another host as a version by its name', () => {
    const other = new ReleaseWorld(
      specOf({ cohort: 0, service: { host: 'reviews.default.svc.cluster.local', port: 9080 }, canary: { host: 'reviews-v2', port: 9080 } }),
    );
    expect(describeVisitor(releaseOf(other), EARLY)?.sentence).toContain(': reviews v1; the release to reviews-v2:9080 has not started');
  });

  test.each(['', 'x', '0b6f0a3e-7c11-4d2a-9f00-B3700000C21F', '<script>'])('%j is no visitor id', (id) => {
    expect(describeVisitor(releaseOf(world()), id)).toBeUndefined();
  });

  test('the sentence agrees with the routes for every visitor, and the weight it names is the first that moves them', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 1000 }), (id, tenths) => {
        const weight = tenths / 10;
        const running = new ReleaseWorld(
          specOf({
            steps:
              weight === 100
                ? [{ weight, hold: '1m' }]
                : [
                    { weight, hold: '1m' },
                    { weight: 100, hold: '1m' },
                  ],
          }),
        );
        running.look();
        const view = describeVisitor(releaseOf(running), id);
        const { routes } = running;
        if (routes?.kind !== 'split') throw new Error('the release under test does not run');
        const isCanary = (bucketOf(id, routes.offset) ?? Number.NaN) < routes.cutoff;
        expect(view?.cohort).toBe(isCanary ? 'canary' : 'stable');
        expect(view?.movesAt === undefined).toBe(isCanary);
        expect(view?.version).toBe(isCanary ? 'v2' : 'v1');
        if (view?.movesAt !== undefined) expect(view.movesAt).toBeGreaterThan(weight);
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});
