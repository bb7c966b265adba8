import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../property-runs.cases.ts';
import { BUCKETS, bucketOf, OFFSETS } from '../visitor/bucket.ts';
import { cellsOf, type Draw, mostCells } from './cohort-cells.ts';

const draw = fc.record({ cutoff: fc.integer({ min: 0, max: BUCKETS }), offset: fc.constantFrom(...OFFSETS) });
const draws = fc.array(fc.option(draw, { nil: undefined, freq: 8 }), { minLength: 1, maxLength: 6 });

const isBelow = (visitor: string, { cutoff, offset }: Draw) => (bucketOf(visitor, offset) ?? BUCKETS) < cutoff;

describe('cellsOf', () => {
  it('one release: its canary, and the rest', () => {
    expect(cellsOf([{ cutoff: 410, offset: 3 }])).toEqual([
      { below: [{ cutoff: 410, offset: 3 }], cohorts: ['canary'] },
      { below: [], cohorts: ['stable'] },
    ]);
  });

  it('releases with the same draw nest: 10 % of all three, then 20 % of two', () => {
    const cells = cellsOf([410, 819, 819].map((cutoff) => ({ cutoff, offset: 0 })));
    expect(cells.map(({ cohorts }) => cohorts.join(' '))).toEqual(['canary canary canary', 'stable canary canary', 'stable stable stable']);
  });

  it('independent draws multiply', () => {
    const cells = cellsOf([
      { cutoff: 410, offset: 0 },
      { cutoff: 2048, offset: 3 },
    ]);
    expect(cells.map(({ cohorts }) => cohorts.join(' '))).toEqual(['canary canary', 'canary stable', 'stable canary', 'stable stable']);
  });

  it('nobody and everybody need no cell of their own', () => {
    expect(cellsOf([undefined, { cutoff: 0, offset: 6 }, { cutoff: BUCKETS, offset: 9 }])).toEqual([
      { below: [], cohorts: ['stable', 'stable', 'canary'] },
    ]);
  });

  it('for any releases and visitor: the first cell that holds says of each release whether bucket < cutoff', () => {
    fc.assert(
      fc.property(draws, fc.uuid(), (all, visitor) => {
        const cell = cellsOf(all).find(({ below }) => below.every((each) => isBelow(visitor, each)));
        expect(cell?.cohorts).toEqual(all.map((each) => (each !== undefined && isBelow(visitor, each) ? 'canary' : 'stable')));
      }),
      { seed: 51, numRuns: runs(2_000) },
    );
  });

  it('are as many as the draws’ cutoffs multiply to, and never more than the offsets promise', () => {
    fc.assert(
      fc.property(draws, (all) => {
        const dividing = all.filter((each) => each !== undefined).filter(({ cutoff }) => cutoff > 0 && cutoff < BUCKETS);
        const counts = OFFSETS.map(
          (offset) => 1 + new Set(dividing.filter((each) => each.offset === offset).map((each) => each.cutoff)).size,
        );
        const cells = cellsOf(all);
        expect(cells.length).toBe(counts.reduce((product, count) => product * count, 1));
        expect(cells.length).toBeLessThanOrEqual(mostCells(dividing.map(({ offset }) => offset)));
      }),
      { seed: 52, numRuns: runs(1_000) },
    );
  });

  it('grow by one with each release of the same draw', () => {
    const cutoffs = Array.from({ length: 20 }, (_, index) => ({ cutoff: (index + 1) * 200, offset: 0 as const }));
    for (let count = 1; count <= cutoffs.length; count++) expect(cellsOf(cutoffs.slice(0, count))).toHaveLength(count + 1);
  });
});
