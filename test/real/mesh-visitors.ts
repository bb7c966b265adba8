import { expect } from 'vitest';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { inParallel, type Visitor } from '../harness/visitor.ts';
import type { ReleaseHandle } from './cluster-release.ts';

/** What a visitor got; `at`: when it was asked for, in ms. */
export interface Answer {
  readonly at: number;
  readonly code: number;
  /** The version that answered. */
  readonly body: string;
}

/** The cutoff of 10 %. */
const EARLY = 410;

function bucketIn(visitor: Visitor, offset: NonNullable<Parameters<typeof bucketOf>[1]>): number {
  return bucketOf(visitor.cookies.get('perch') ?? '', offset) ?? Number.POSITIVE_INFINITY;
}

/** The version that each visitor sees on a page that says nothing else. */
export async function versionsSeen(visitors: readonly Visitor[]): Promise<string[]> {
  return await inParallel(visitors, 24, async (visitor) => {
    const { status, body } = await visitor.visit('/');
    expect(status).toBe(200);
    return body;
  });
}

/** What arithmetic says that each sees, by the status of the release as it is. */
export async function versionsExpected(visitors: readonly Visitor[], release: ReleaseHandle): Promise<string[]> {
  const { cutoff = 0, offset = 0 } = (await release.status()) ?? {};
  return visitors.map((visitor) => (bucketIn(visitor, offset) < cutoff ? 'v2' : 'v1'));
}

/** How many standard deviations of the binomial distribution the share on v2 is from this one. */
export function deviation(seen: readonly (string | undefined)[], share: number): number {
  const found = seen.filter((version) => version === 'v2').length / seen.length;
  return found === share ? 0 : Math.abs(found - share) / Math.sqrt((share * (1 - share)) / seen.length);
}

/** Those who are on the canary at 10 %, of a release with `cohort: 0`. */
export function earlyOf(visitors: readonly Visitor[]): readonly Visitor[] {
  return visitors.filter((visitor) => bucketIn(visitor, 0) < EARLY);
}

/** Answers to visitors who ask without a pause while something is done. */
export async function underLoad(asking: readonly Visitor[], act: () => Promise<void>): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let isOver = false;
  const load = Promise.all(
    asking.map(async (visitor) => {
      while (!isOver) {
        const at = performance.now();
        const { status: code, body } = await visitor.visit('/');
        answers.push({ at, code, body });
      }
    }),
  );
  try {
    await act();
  } finally {
    isOver = true;
    await load;
  }
  return answers;
}
