import { describe, expect, test } from 'vitest';
import { seededStreams } from '../../src/core/simulation/random.ts';
import { requestId } from '../../src/core/simulation/request-id.ts';
import { bucketOf, OFFSETS, type Offset } from '../../src/core/visitor/bucket.ts';
import { momentsOf } from './released-web.ts';
import { VISITOR_STEPS } from './scale.ts';

const VISITORS = VISITOR_STEPS / 10;
/** Of the visitors' ids: where their last group, of 12 digits, begins. */
const LAST_GROUP = 24;
const DIGITS = Array.from({ length: 12 }, (_, place) => place);

/** Chi-square that an independent pair exceeds once in 10,000 times: 1 degree of freedom (2 by 2 cells), and 15 (2 by 16; 16 known shares). */
const RARE = { 1: 15.14, 15: 44.26 };

const random = seededStreams(20261201)('independence');
const IDS: readonly string[] = Array.from({ length: VISITORS }, () => requestId(random));

interface Draw {
  readonly weight: number;
  readonly offset: Offset;
  readonly share: number;
  /** Of each visitor: 1 on the canary, 0 on stable. */
  readonly cohort: Uint8Array;
}

/** Four releases with neighbouring revisions, as the release machine draws for them, in three of their steps. */
const DRAWS: readonly Draw[] = OFFSETS.flatMap((_, revision) => {
  const steps = [10, 33.3, 50, 100].map((weight) => ({ weight, hold: '1m' as const }));
  const moments = [...momentsOf({ steps, revision }, random)].slice(0, 3);
  return moments.map(({ weight, cutoff, offset }) => ({
    weight,
    offset,
    share: cutoff / 4096,
    cohort: Uint8Array.from(IDS, (id) => ((bucketOf(id, offset) ?? Number.NaN) < cutoff ? 1 : 0)),
  }));
});

/** Pearson's chi-square of a table of counts against the product of its margins. */
function chiSquare(rows: number, columns: number, row: (visitor: number) => number, column: (visitor: number) => number): number {
  const counts = new Float64Array(rows * columns);
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    const cell = row(visitor) * columns + column(visitor);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const sumOf = (cells: Iterable<number>) => Array.from(cells, (cell) => counts[cell] ?? 0).reduce((sum, count) => sum + count, 0);
  const rowSums = Array.from({ length: rows }, (_, at) => sumOf(Array.from({ length: columns }, (_cell, other) => at * columns + other)));
  const columnSums = Array.from({ length: columns }, (_, at) =>
    sumOf(Array.from({ length: rows }, (_cell, other) => other * columns + at)),
  );
  return counts.reduce((sum, count, cell) => {
    const expected = ((rowSums[Math.floor(cell / columns)] ?? 0) * (columnSums[cell % columns] ?? 0)) / VISITORS;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

function digitOf(place: number): (visitor: number) => number {
  const digits = Uint8Array.from(IDS, (id) => Number.parseInt(id.charAt(LAST_GROUP + place), 16));
  return (visitor) => digits[visitor] ?? 0;
}

function cohortOf({ cohort }: Draw): (visitor: number) => number {
  return (visitor) => cohort[visitor] ?? 0;
}

describe(`the cohorts of ${VISITORS} visitors with seeded ids, in the four draws at 10, 33.3 and 50 %`, () => {
  test('are those of four draws', () => {
    // Three digits each, and none of them another's.
    expect(new Set(DRAWS.map(({ offset }) => offset))).toEqual(new Set([0, 3, 6, 9]));
    expect(new Set(DRAWS.map(({ weight }) => weight))).toEqual(new Set([10, 33.3, 50]));
  });

  const digits = DIGITS.map(digitOf);

  test('do not depend on any of the nine digits that decide another draw', () => {
    const found = DRAWS.flatMap((draw) =>
      DIGITS.filter((place) => place < draw.offset || place >= draw.offset + 3).map((place) =>
        chiSquare(2, 16, cohortOf(draw), digits[place] ?? expect.fail('no digit')),
      ),
    );
    expect(found).toHaveLength(12 * 9);
    expect(Math.max(...found)).toBeLessThan(RARE[15]);
    // 108 times 15 degrees of freedom. The three steps of a draw go together, so the sd of the sum is at most that of 36 times three alike:
    // sqrt(36 x 2 x 15) x 3 = 99. Bound: 3.3 of them, on both sides; a draw that is too even is none.
    expect(Math.abs(found.reduce((sum, each) => sum + each, 0) - 108 * 15)).toBeLessThan(3.3 * 99);
  });

  test('do depend on each of their own three: the very same test finds what is there', () => {
    for (const draw of DRAWS) {
      const own = [0, 1].map((place) => chiSquare(2, 16, cohortOf(draw), digits[draw.offset + place] ?? expect.fail('no digit')));
      // The third digit decides only where both before are at the cutoff: one visitor in 256.
      expect(Math.max(...own)).toBeGreaterThan(100 * RARE[15]);
    }
  });

  const pairs = DRAWS.flatMap((one, index) => DRAWS.slice(index + 1).map((other) => [one, other] as const));

  test('of two releases in different draws are independent, at whatever step each is', () => {
    const different = pairs.filter(([one, other]) => one.offset !== other.offset);
    expect(different).toHaveLength(6 * 9);
    const found = different.map(([one, other]) => chiSquare(2, 2, cohortOf(one), cohortOf(other)));
    expect(Math.max(...found)).toBeLessThan(RARE[1]);
  });

  test('of two releases in the same draw are not: the smaller one is within the larger', () => {
    const same = pairs.filter(([one, other]) => one.offset === other.offset);
    expect(same).toHaveLength(4 * 3);
    for (const [one, other] of same) {
      const [narrow, wide] = one.weight < other.weight ? [one, other] : [other, one];
      expect(narrow.cohort.every((isOnCanary, visitor) => isOnCanary <= (wide.cohort[visitor] ?? 0))).toBe(true);
      expect(chiSquare(2, 2, cohortOf(one), cohortOf(other))).toBeGreaterThan(100 * RARE[1]);
    }
  });

  test('of all four draws together are independent: each of the 16 combinations has the product of the shares', () => {
    for (const weight of [10, 33.3, 50]) {
      const four = DRAWS.filter((draw) => draw.weight === weight);
      const counts = new Float64Array(16);
      for (let visitor = 0; visitor < VISITORS; visitor++) {
        const cell = four.reduce((bits, { cohort }) => 2 * bits + (cohort[visitor] ?? 0), 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      const found = counts.reduce((sum, count, cell) => {
        const share = four.reduce((product, draw, bit) => product * ((cell >> (3 - bit)) & 1 ? draw.share : 1 - draw.share), 1);
        return sum + (count - VISITORS * share) ** 2 / (VISITORS * share);
      }, 0);
      expect(found, `${weight} %`).toBeLessThan(RARE[15]);
    }
  });
});
