import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../test/harness/seeded-random.ts';
import { hitWithin } from './binomial.ts';
import { answer, drawEach, observed, pinOutcome, pinVisitor, type Scheme, simulate } from './simulated-site.cases.ts';
import { judgeStickiness, type Stickiness } from './stickiness.ts';
import { verdictSentence } from './verdict-sentence.ts';
import type { VersionTelling } from './version-telling.ts';

const BY_HEADER: VersionTelling = { how: 'the header x-version', isGuess: false, of: ({ headers }) => headers.get('x-version') };

function judge(scheme: Scheme, seed: number, visitors = 200, requests = 5): Stickiness {
  return judgeStickiness(simulate(scheme, visitors, requests, seededRandom(seed)), BY_HEADER);
}

/** A site on which each visitor sees these versions, one after the other. */
function paths(...each: readonly string[]): Stickiness {
  let order = 0;
  const visitors = each.map((path) => path.split(' ').map((version) => answer(order++, version)));
  return judgeStickiness(observed({ visitors, requestsEach: Math.max(...visitors.map(({ length }) => length)) }), BY_HEADER);
}

const RUNS = 120;

/** How often a scheme is judged so, in seeded runs with weights of 8 to 40 %. */
function countJudged(make: (weight: number) => Scheme, verdict: Stickiness['verdict']): number {
  const weights = seededRandom(7);
  return Array.from({ length: RUNS }, (_, run) => judge(make(0.08 + 0.32 * weights()), run)).filter((found) => found.verdict === verdict)
    .length;
}

describe(`the verdict, in ${RUNS} simulated probes of 200 visitors with five requests each, at 8 to 40 %`, () => {
  test('a scheme that pins visitors is always seen to', () => {
    expect(countJudged(pinVisitor, 'pinsVisitor')).toBe(RUNS);
  });

  test('one that pins the outcome is seen to, but for the one in a thousand that the bound of 3.29 sd allows: at most 2 of 120', () => {
    expect(countJudged(pinOutcome, 'pinsOutcome')).toBeGreaterThanOrEqual(RUNS - 2);
  });

  test('one that draws each time is always seen not to stick', () => {
    expect(countJudged(drawEach, 'notSticky')).toBe(RUNS);
  });

  test('the drift is that of the formula, within 3.3 sd of the binomial distribution of all visitors', () => {
    const all = Array.from({ length: 50 }, (_, run) => judge(pinOutcome(0.1), 1000 + run));
    for (const requests of [1, 2, 3, 4, 5]) {
      const seen = all.reduce((sum, { drift }) => sum + (drift[requests - 1]?.seen ?? 0), 0);
      const [count, chance] = [50 * 200, hitWithin(0.1, requests)];
      expect(Math.abs(seen / count - chance)).toBeLessThan(3.3 * Math.sqrt((chance * (1 - chance)) / count));
    }
  });
});

describe('verdicts by example', () => {
  test('who moves to the canary and stays tells which version it is, also where it is the more frequent one', () => {
    const found = paths(...Array<string>(12).fill('v2 v2 v2'), ...Array<string>(4).fill('v1 v2 v2'), 'v1 v1 v2');
    expect(found.canary).toEqual({ version: 'v2', why: 'visitors move to it and never leave it' });
    expect(found.verdict).toBe('pinsOutcome');
  });

  test('far fewer moves than draws: the release widened, or a mark ended', () => {
    const found = paths(...Array<string>(50).fill('v2 v2 v2 v2'), ...Array<string>(100).fill('v1 v1 v1 v1'), 'v1 v1 v1 v2');
    expect(found.verdict).toBe('moving');
    expect(verdictSentence(found)).toMatch(
      /^Visitors moved to v2 while they were probed, 1 in 303 returns; a draw at each request does not explain so few\./,
    );
  });

  test('one visitor who goes back is enough', () => {
    const found = paths(...Array<string>(30).fill('v2 v2 v2'), ...Array<string>(60).fill('v1 v1 v1'), 'v2 v1 v2');
    expect(found).toMatchObject({ verdict: 'notSticky', moves: { back: 1, toCanary: 1 } });
  });

  test('of three versions, the one that all roads lead to', () => {
    const found = paths(...Array<string>(9).fill('v1 v1'), 'v2 v2', 'v2 v2', 'v1 v2', 'v1 v3', 'v2 v3');
    expect(found.canary?.version).toBe('v3');
  });

  test('with too few visitors nothing is claimed', () => {
    const found = paths('v1 v1', 'v1 v1', 'v1 v1', 'v1 v1', 'v1 v1', 'v1 v1', 'v1 v1', 'v1 v1', 'v2 v2');
    expect(found.verdict).toBe('undecided');
    expect(verdictSentence(found)).toMatch(/^Too little was seen to judge/);
  });

  test('a version that only other visitors were shown is one too', () => {
    const seen = observed({ visitors: [[answer(0, 'v1'), answer(1, 'v1')]], races: [[answer(2, 'v1'), answer(3, 'v2')]] });
    expect(judgeStickiness(seen, BY_HEADER)).toMatchObject({ verdict: 'undecided', canary: { version: 'v2' } });
  });

  test('one version, and no version', () => {
    expect(paths('v1 v1', 'v1 v1')).toMatchObject({ verdict: 'oneVersion', canary: undefined, drift: [] });
    expect(judgeStickiness(observed({ visitors: [[answer(0, undefined)]] }), BY_HEADER).verdict).toBe('untold');
  });

  test('a value for each visitor tells visitors, not versions', () => {
    expect(paths(...Array.from({ length: 30 }, (_, visitor) => `id-${visitor} id-${visitor}`))).toMatchObject({
      verdict: 'untold',
      canary: undefined,
      drift: [],
    });
  });

  test('the canary is the version that the user names', () => {
    const seen = simulate(pinVisitor(0.3), 200, 3, seededRandom(1));
    expect(judgeStickiness(seen, BY_HEADER, 'v1')).toMatchObject({ verdict: 'pinsVisitor', canary: { version: 'v1', why: 'as you say' } });
    const never = judgeStickiness(seen, BY_HEADER, 'v3');
    expect(never).toMatchObject({ verdict: 'oneVersion', canary: undefined });
    expect(verdictSentence(never)).toMatch(/^The canary that you name was never seen: among 200/);
  });
});

test('shares never fall with more requests of the same visitors, and bands hold what they are of', () => {
  const path = fc.array(fc.constantFrom('v1', 'v2'), { minLength: 4, maxLength: 4 }).map((versions) => versions.join(' '));
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 30 }), (each) => {
      const { drift, moves, versions, firstVisits } = paths(...each);
      expect(versions.reduce((sum, { firstVisits: visits }) => sum + visits, 0)).toBe(firstVisits);
      if (drift.length > 0) expect(moves.fromStable + moves.fromCanary).toBe(3 * each.length);
      for (const [index, { share, pinned, drawn }] of drift.entries()) {
        expect(share).toBeGreaterThanOrEqual(drift[index - 1]?.share ?? 0);
        expect(drawn[0]).toBeGreaterThanOrEqual(pinned[0] - 1e-12);
        expect(drawn[1]).toBeLessThanOrEqual(1);
        if (index === 0) expect(pinned[0] <= share + 1e-12 && share <= pinned[1] + 1e-12).toBe(true);
      }
    }),
    { seed: 5 },
  );
});
