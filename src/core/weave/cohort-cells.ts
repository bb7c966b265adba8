import { BUCKETS, OFFSETS, type Offset } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';

/** Where a release divides visitors: those whose bucket at `offset` is below `cutoff` (0..4096) are on its canary. */
export interface Draw {
  readonly cutoff: number;
  readonly offset: Offset;
}

/** A part of all visitors, on one side or the other of each release that is woven into an object. */
export interface Cell {
  /** Its visitors are below all of these, at most one per offset, and in no earlier cell. */
  readonly below: readonly Draw[];
  /** Which cohort of each release they are, in the order in which the draws came. */
  readonly cohorts: readonly Cohort[];
}

/** Most groups that the visitors known at a rule are divided into: a returning visitor's cookie is held against the patterns of each, one after the other. */
export const MOST_GROUPS = 16;

/**
 * The cells into which releases divide the visitors of one rule, in the order in which rules have to ask for them: the first whose draws all
 * hold is the visitor's. Releases with draws at one offset nest: each adds one cell. Draws at several offsets are independent, so their
 * cells multiply. Undefined draws divide nobody: all are on stable.
 */
export function cellsOf(draws: readonly (Draw | undefined)[]): readonly Cell[] {
  const everyone: Cell = { below: [], cohorts: draws.map((draw) => (draw !== undefined && draw.cutoff >= BUCKETS ? 'canary' : 'stable')) };
  return OFFSETS.reduce<readonly Cell[]>(
    (cells, offset) => {
      const limits = limitsAt(offset, draws);
      return cells.flatMap((cell) => [...limits.map((draw) => within(cell, draw, draws)), cell]);
    },
    [everyone],
  );
}

/** The most cells that releases which split visitors at these offsets can make, whatever their cutoffs are. */
export function mostCells(offsets: readonly Offset[]): number {
  return OFFSETS.reduce<number>((product, offset) => product * (1 + offsets.filter((each) => each === offset).length), 1);
}

/** The cutoffs at an offset that divide anyone, each once, the smallest first. */
function limitsAt(offset: Offset, draws: readonly (Draw | undefined)[]): readonly Draw[] {
  const cutoffs = draws.flatMap((draw) => (draw?.offset === offset && draw.cutoff > 0 && draw.cutoff < BUCKETS ? [draw.cutoff] : []));
  return [...new Set(cutoffs)].toSorted((a, b) => a - b).map((cutoff) => ({ cutoff, offset }));
}

function within(cell: Cell, limit: Draw, draws: readonly (Draw | undefined)[]): Cell {
  const cohorts = cell.cohorts.map((cohort, index): Cohort => {
    const draw = draws[index];
    return draw?.offset === limit.offset && draw.cutoff >= limit.cutoff ? 'canary' : cohort;
  });
  return { below: [...cell.below, limit], cohorts };
}
