import { expect, test } from 'vitest';
import { compareSchemes } from './compare-schemes.ts';
import { turnsDuring } from './turns-during.cases.ts';

const BEGIN = Date.parse('2026-11-30T12:00:00.000Z');

function stepsOf(lengthMs: number): Parameters<typeof compareSchemes>[0] {
  return [10, 50, 100].map((weight, index) => ({ weight, beginMs: BEGIN + index * lengthMs, lengthMs }));
}

test('the event loop has its turns while visitors are simulated; what was simulated is kept', async () => {
  const steps = stepsOf(600_000);
  expect(await turnsDuring(compareSchemes(steps))).toBeGreaterThan(300);
  expect(await turnsDuring(compareSchemes(steps))).toBeLessThan(10);
  // The same steps at another time are the same simulation.
  const later = steps.map((step) => ({ ...step, beginMs: step.beginMs + 5000 }));
  const again = compareSchemes(later);
  expect(await turnsDuring(again)).toBeLessThan(10);
  const point = (await again).schemes[0]?.points.at(-1);
  expect(point?.at).toBe(new Date(BEGIN + 3 * 600_000 + 5000).toISOString());
});

test('the longer a release, the fewer visitors: the work is bounded', async () => {
  const day = 24 * 3_600_000;
  const [short, long] = await Promise.all([compareSchemes(stepsOf(10_000)), compareSchemes(stepsOf(30 * day))]);
  expect(short?.visitorsPerMinute).toBe(200);
  expect(long?.visitorsPerMinute).toBeLessThan(0.4);
  for (const { points } of [...(short?.schemes ?? []), ...(long?.schemes ?? [])]) expect(points.length).toBeGreaterThan(100);
});
