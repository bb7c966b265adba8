import { expect, test } from 'vitest';
import { ExposureCurve } from './exposure-curve.ts';
import { seededStreams } from './random.ts';
import { SCHEMES } from './scheme.ts';
import { simulate } from './simulate.ts';
import { TRAFFIC } from './traffic.ts';

test('exposure grows as visitors come and are answered by the canary; each step begins anew', () => {
  const curve = new ExposureCurve(2, 4);
  curve.client();
  curve.answer(0, 0.1, false);
  curve.answer(0, 0.6, true);
  curve.answer(0, 0.7, true);
  curve.answer(1, 0.3, true);
  curve.client();
  curve.answer(0, 0.3, false);
  curve.answer(0, 1, false);
  expect(curve.points().map(({ step, passed, share }) => [step, passed, share])).toEqual([
    [0, 0.25, 0],
    [0, 0.5, 0],
    [0, 0.75, 50],
    [0, 1, 50],
    [1, 0.25, undefined],
    [1, 0.5, 100],
    [1, 0.75, 100],
    [1, 1, 100],
  ]);
});

test('at the end of each step it is what the tally has of the whole step', () => {
  const steps = [10, 40, 100].map((weight) => ({ weight, holdMs: 300_000 }));
  const traffic = { ...TRAFFIC, visitorsPerMinute: 60 };
  const work = simulate(
    { steps, schemes: SCHEMES, traffic, intervalMs: 300_000, warmUpMs: 600_000, pointsPerStep: 5 },
    seededStreams(3),
    10,
  );
  let done = work.next();
  let slices = 0;
  for (; done.done !== true; done = work.next()) slices += 1;
  expect(slices).toBeGreaterThan(50);
  expect(done.value).toHaveLength(4);
  for (const { figures, curve } of done.value) {
    const ends = curve.filter(({ passed }) => passed === 1).map(({ share }) => share);
    expect(ends).toEqual(figures.steps.map(({ exposed, visitors }) => (100 * exposed) / visitors));
  }
});
