import { expect, test } from 'vitest';
import { MINUTE, ReleaseWorld, specOf, started, succeeded } from './release-world.cases.ts';
import { stepTimes } from './step-times.ts';

/** Weights with their beginnings and lengths, in minutes since the release began. */
function timesOf(world: ReleaseWorld, withEvents = true): readonly (readonly [number, number, number])[] {
  const start = Date.parse(world.status?.startedAt ?? new Date(world.now).toISOString());
  const events = withEvents ? world.events.toReversed() : [];
  const times = stepTimes(world.spec, world.status, events, world.now);
  return times.map(({ weight, beginMs, lengthMs }) => [weight, (beginMs - start) / MINUTE, lengthMs / MINUTE]);
}

test('before the start: all steps, by their holds; manual ones as long as the longest', () => {
  expect(timesOf(new ReleaseWorld())).toEqual([
    [10, 0, 10],
    [50, 10, 10],
    [100, 20, 10],
  ]);
  expect(timesOf(new ReleaseWorld(specOf({ steps: [{ weight: 100, hold: 'manual' }] })))).toEqual([[100, 0, 10]]);
});

test('under way: what was, and what is to come; a manual hold is taken for longer and longer', () => {
  const world = started();
  expect(timesOf(world)).toEqual([
    [10, 0, 10],
    [50, 10, 10],
    [100, 20, 10],
  ]);
  world.pass(4 * MINUTE);
  world.ask('promote');
  world.serve();
  expect(timesOf(world)).toEqual([
    [10, 0, 4],
    [50, 4, 10],
    [100, 14, 10],
  ]);
  expect(timesOf(world, false)).toEqual(timesOf(world));
  world.pass(15 * MINUTE);
  expect(timesOf(world)[1]).toEqual([50, 4, 20]);
  world.pass(MINUTE);
  expect(timesOf(world)[1]).toEqual([50, 4, 20]);
});

test('a release that has ended: its steps until the end, and none to come', () => {
  const world = started();
  world.pass(3 * MINUTE);
  world.ask('rollback');
  world.serve();
  world.pass(60 * MINUTE);
  expect(timesOf(world)).toEqual([[10, 0, 3]]);
  const done = succeeded();
  done.pass(60 * MINUTE);
  expect(timesOf(done)).toEqual([[100, 0, 1]]);
});
