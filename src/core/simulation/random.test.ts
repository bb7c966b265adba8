import { describe, expect, it } from 'vitest';
import { exponential, geometric, normal, type Random, seededStreams } from './random.ts';

const COUNT = 100_000;

function sample(draw: (random: Random) => number, seed = 5): readonly number[] {
  const random = seededStreams(seed)('sample');
  return Array.from({ length: COUNT }, () => draw(random));
}

/** Mean and variance. */
function moments(values: readonly number[]): readonly [mean: number, variance: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length];
}

describe('seededStreams', () => {
  it('gives the numbers of xoshiro128**, as computed from its definition in Python', () => {
    const random = seededStreams(1)('draws');
    expect(Array.from({ length: 4 }, () => Math.round(random() * 2 ** 32))).toEqual([2366109480, 1965934067, 3484489197, 181162490]);
  });

  it('gives other numbers for another seed, or another name', () => {
    const first = (seed: number, name: string) => seededStreams(seed)(name)();
    const values = [first(1, 'a'), first(2, 'a'), first(1, 'b'), first(2, 'b')];
    expect(new Set(values).size).toBe(4);
    expect(first(1, 'a')).toBe(values[0]);
  });

  // The mean of n numbers of variance v has an sd of sqrt(v / n); bounds are five of them.
  it.each([
    ['uniform', (random: Random) => random(), 1 / 2, 1 / 12],
    ['exponential', (random: Random) => exponential(3, random), 3, 9],
    ['normal', normal, 0, 1],
    ['geometric', (random: Random) => geometric(2, random), 2, 6],
  ])('%s: mean and variance', (_, draw, mean, variance) => {
    const [found, spread] = moments(sample(draw));
    expect(Math.abs(found - mean)).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(spread / variance).toBeCloseTo(1, 1);
  });

  it('a number says nothing about the next one: the 256 pairs of their leading hex digits are equally frequent', () => {
    const digits = sample((random) => Math.floor(random() * 16));
    const counts = new Array<number>(256).fill(0);
    for (let index = 0; index + 1 < digits.length; index += 2) {
      const pair = (digits[index] ?? 0) * 16 + (digits[index + 1] ?? 0);
      counts[pair] = (counts[pair] ?? 0) + 1;
    }
    const expected = COUNT / 2 / 256;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Chi-square with 255 degrees of freedom: mean 255, sd 22.6; five sd.
    expect(Math.abs(chiSquare - 255)).toBeLessThan(5 * Math.sqrt(2 * 255));
  });
});
