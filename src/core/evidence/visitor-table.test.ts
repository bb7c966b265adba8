import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VisitorTable } from './visitor-table.ts';

const word = fc.integer({ min: 0, max: 0xffff_ffff });
// A few words only, so that keys meet again and collide in their slots.
const crowded = fc.oneof(fc.constantFrom(0, 1, 1024, 2048, 0xffff_ffff), word);

test('a table is a map from pairs of words to values', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(crowded, crowded, fc.integer({ min: 0, max: 0x7fff_ffff })), { maxLength: 3_000 }), (entries) => {
      const table = new VisitorTable();
      const model = new Map<string, readonly [number, number, number]>();
      for (const [low, high, value] of entries) {
        table.set(low, high, value);
        model.set(`${low} ${high}`, [low, high, value]);
      }
      expect(table.size).toBe(model.size);
      for (const [low, high, value] of model.values()) expect(table.get(low, high)).toBe(value);
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('it grows beyond its first size and finds everyone again', () => {
  const table = new VisitorTable();
  for (let index = 0; index < 20_000; index += 1) table.set(index, Math.imul(index, 0x9e3779b1) >>> 0, index);
  expect(table.size).toBe(20_000);
  expect(Array.from({ length: 20_000 }, (_, index) => table.get(index, Math.imul(index, 0x9e3779b1) >>> 0))).toEqual(
    Array.from({ length: 20_000 }, (_, index) => index),
  );
  expect(table.get(20_000, 0)).toBeUndefined();
});

test('those not kept are forgotten, the others are found where they were', () => {
  const table = new VisitorTable();
  // All in one slot: a deletion that left a hole would hide those behind it.
  for (let low = 0; low < 100; low += 1) table.set(low, 7, low + 1);
  table.keep((low) => low % 4 === 0);
  expect(table.size).toBe(25);
  const left: number[] = [];
  table.forEach((value) => {
    left.push(value);
  });
  expect(left.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => 4 * index + 1));
  expect(table.get(1, 7)).toBeUndefined();
  expect(table.get(96, 7)).toBe(97);
});
