import { expect, test } from 'vitest';
import { Timeline } from './timeline.ts';

const timeline = new Timeline([
  { weight: 10, holdMs: 1000 },
  { weight: 50, holdMs: 3000 },
]);

test('ends when the last hold is over', () => {
  expect(timeline.endMs).toBe(4000);
});

test.each([
  [-1, -1, 0],
  [0, 0, 10],
  [999, 0, 10],
  [1000, 1, 50],
  [3999, 1, 50],
])('a document at %d ms is in step %d, at %d %%', (atMs, step, weight) => {
  expect(timeline.load({ atMs, assets: 0 }, 200)).toMatchObject({ step, document: { atMs, weight, isDocument: true } });
});

test('assets are asked for later, and may fall into the next step; those of the last pages belong to the last one', () => {
  expect(timeline.load({ atMs: 900, assets: 2 }, 200)).toMatchObject({
    step: 0,
    assetStep: 1,
    assets: 2,
    asset: { atMs: 1100, weight: 50, isDocument: false },
    waits: true,
  });
  expect(timeline.load({ atMs: -100, assets: 1 }, 200)).toMatchObject({ step: -1, assetStep: 0 });
  expect(timeline.load({ atMs: 3900, assets: 1 }, 200)).toMatchObject({ step: 1, assetStep: 1 });
});

test('without a wait the assets go out with the document', () => {
  expect(timeline.load({ atMs: 900, assets: 2 }, 0)).toMatchObject({ assetStep: 0, asset: { atMs: 900, weight: 10 }, waits: false });
});
