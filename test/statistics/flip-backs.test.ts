import { describe, expect, test } from 'vitest';
import { type Random, seededStreams } from '../../src/core/simulation/random.ts';
import { requestId } from '../../src/core/simulation/request-id.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { momentsOf, seededRamp, servedUnder } from './released-web.ts';
import { VISITOR_STEPS } from './scale.ts';

const RELEASES = 20;
const STEPS = 20;
const VISITORS = VISITOR_STEPS / RELEASES / STEPS;
/** Every so many visitors one who visits the routes themselves. */
const SAMPLED = 100;

/** Where visitors were when they came last, and how they moved since. */
class Movements {
  readonly #isOnCanary: boolean[] = [];
  visits = 0;
  widened = 0;
  flippedBack = 0;

  see(visitor: number, isOnCanary: boolean): void {
    this.visits++;
    const before = this.#isOnCanary[visitor] ?? false;
    if (!before && isOnCanary) this.widened++;
    if (before && !isOnCanary) this.flippedBack++;
    this.#isOnCanary[visitor] = isOnCanary;
  }

  get onCanary(): number {
    return this.#isOnCanary.filter(Boolean).length;
  }
}

interface Life {
  /** By the arithmetic of buckets: all visitors. */
  readonly all: Movements;
  /** By the woven routes: some of them, who bring their id as the cookie that their first page gave them. */
  readonly routed: Movements;
  /** Of the latter, visits that the routes answered otherwise than arithmetic does. */
  readonly wrong: number;
  /** Steps in which other visitors were on the canary than those from before and those who moved to it. */
  readonly unexplained: number;
}

/** The same visitors in every step of one release. */
function liveThrough(revision: number, random: Random): Life {
  const ids = Array.from({ length: VISITORS }, () => requestId(random));
  const [all, routed] = [new Movements(), new Movements()];
  let wrong = 0;
  let unexplained = 0;
  let step = 0;
  for (const { plan, cutoff, offset } of momentsOf({ ...seededRamp(STEPS, random), revision }, random)) {
    const served = servedUnder(plan);
    ids.forEach((id, visitor) => {
      const isOnCanary = (bucketOf(id, offset) ?? Number.NaN) < cutoff;
      all.see(visitor, isOnCanary);
      if (visitor % SAMPLED !== 0) return;
      // A return has a fresh request id, here that of another visitor: it must not decide.
      const fresh = ids[(visitor + 1) % VISITORS] ?? '';
      const version = served(step === 0 ? { 'x-request-id': id } : { cookie: `a=1; perch=${id}`, 'x-request-id': fresh });
      routed.see(visitor, version === 'v2');
      if (version !== (isOnCanary ? 'v2' : 'v1')) wrong++;
    });
    if (all.onCanary !== all.widened) unexplained++;
    step++;
  }
  return { all, routed, wrong, unexplained };
}

describe(`${RELEASES} releases of ${STEPS} steps, paused, resumed, and their process killed between; ${VISITORS} visitors each`, () => {
  const random = seededStreams(20261130)('flip-backs');
  const lives = Array.from({ length: RELEASES }, (_, revision) => liveThrough(revision, random));
  const total = (count: (life: Life) => number): number => lives.reduce((sum, life) => sum + count(life), 0);

  test(`flip-backs of id holders: exactly 0 in ${VISITOR_STEPS} visitor-steps`, () => {
    expect(total(({ all }) => all.visits)).toBe(VISITOR_STEPS);
    expect(total(({ all }) => all.flippedBack)).toBe(0);
  });

  test('a wider step moves visitors from stable to the canary only; in the end each was moved exactly once', () => {
    expect(total(({ unexplained }) => unexplained)).toBe(0);
    for (const { all } of lives) expect([all.widened, all.onCanary]).toEqual([VISITORS, VISITORS]);
  });

  test(`the same holds in the woven routes, compiled, for one in ${SAMPLED}: none goes back, none is elsewhere than arithmetic says`, () => {
    expect(total(({ routed }) => routed.visits)).toBe(VISITOR_STEPS / SAMPLED);
    expect(total(({ routed }) => routed.flippedBack)).toBe(0);
    expect(total(({ wrong }) => wrong)).toBe(0);
  });
});
