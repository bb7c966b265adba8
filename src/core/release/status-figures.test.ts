import { expect, test } from 'vitest';
import { ReleaseWorld, specOf } from './release-world.cases.ts';

test('which step it is on, and what the weight comes to, while it is on one', () => {
  const world = new ReleaseWorld(specOf());
  const told = () => [world.status?.progress, world.status?.exposure];
  world.setReady('v2', false);
  world.look();
  expect(told()).toEqual([undefined, undefined]);
  world.setReady('v2', true);
  world.look();
  expect(told()).toEqual(['1 of 3', '10.01 %']);
  world.serve();
  world.ask('promote');
  expect(told()).toEqual(['2 of 3', '50 %']);
  world.ask('rollback');
  expect(told()).toEqual([undefined, '0 %']);
});

test('steps that pick visitors count; the steps of a release may change under way', () => {
  const world = new ReleaseWorld(
    specOf({ steps: [{ weight: 0, match: [{ headers: { 'x-team': { exact: 'qa' } } }], hold: '1m' }, ...specOf().steps] }),
  );
  world.look();
  expect([world.status?.progress, world.status?.exposure]).toEqual(['1 of 4', '0 %']);
  const later = new ReleaseWorld(specOf());
  later.look();
  later.edit(specOf({ steps: [{ weight: 5, hold: '1m' }, ...specOf().steps] }));
  expect(later.status?.progress).toBe('2 of 4');
});

test('where requests are drawn nobody knows the exposure, and none is told', () => {
  const world = new ReleaseWorld(specOf({ affinity: { mode: 'canaryOnly' } }));
  world.look();
  expect([world.status?.progress, world.status?.exposure]).toEqual(['1 of 3', undefined]);
});
