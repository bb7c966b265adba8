import { describe, expect, test } from 'vitest';
import { MINUTE, type ReleaseWorld, rolledBack, specOf, started, succeeded } from './release-world.cases.ts';

describe('conditions, as kstatus reads them', () => {
  const conditionsOf = (world: ReleaseWorld) =>
    Object.fromEntries((world.status?.conditions ?? []).map(({ type, status }) => [type, status]));

  const overtaken = (): ReleaseWorld => {
    const world = started();
    world.edit(specOf({ revision: 8 }));
    return world;
  };

  test.each([
    ['Progressing', () => started(), { Ready: 'False', Reconciling: 'True', Stalled: 'False' }],
    ['Succeeded', () => succeeded(), { Ready: 'True', Reconciling: 'False', Stalled: 'False' }],
    ['Superseded', overtaken, { Ready: 'False', Reconciling: 'True', Stalled: 'False' }],
    ['RolledBack', () => rolledBack(), { Ready: 'False', Reconciling: 'False', Stalled: 'True' }],
  ])('%s', (phase, arrange, expected) => {
    const world = arrange();
    expect(world.phase).toBe(phase);
    expect(conditionsOf(world)).toEqual(expected);
  });

  test('a step that cannot widen says so at once, in whatever hold it is', () => {
    const world = started();
    const reason = () => world.status?.conditions.find(({ type }) => type === 'Reconciling')?.reason;
    const problem = 'no rule can be woven';
    world.problems = [problem];
    world.look();
    expect([reason(), world.message]).toEqual([
      'NotWidened',
      `step 1 of 3: 10 % of visitors on v2, held until ${world.status?.holdUntil}; not widened: ${problem}`,
    ]);
    world.pass(10 * MINUTE);
    expect(world.message).toBe(`step 1 of 3: 10 % of visitors on v2, its hold is over; not widened: ${problem}`);
    world.ask('pause');
    expect([reason(), world.message]).toEqual(['NotWidened', `step 1 of 3: 10 % of visitors on v2, paused; not widened: ${problem}`]);
    world.problems = [];
    world.look();
    expect([reason(), world.message]).toEqual(['Paused', 'step 1 of 3: 10 % of visitors on v2, paused: resume or promote to go on']);
  });

  test('their time changes only when their status does; observedGeneration follows the spec', () => {
    const world = started();
    const before = world.status?.conditions;
    world.pass(MINUTE);
    world.edit(specOf({ cache: 'private' }));
    expect(world.status?.conditions).toEqual(before);
    expect(world.status?.observedGeneration).toBe(2);
    world.ask('rollback');
    world.serve();
    const stalled = world.status?.conditions.find(({ type }) => type === 'Stalled');
    expect(stalled).toMatchObject({ status: 'True', lastTransitionTime: new Date(world.now).toISOString() });
  });
});
