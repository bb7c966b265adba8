import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../property-runs.cases.ts';
import { OutlierDetector } from './outlier-detector.ts';
import type { OutlierPolicy } from './outlier-policy.ts';

const POLICY: OutlierPolicy = {
  consecutive5xxErrors: 3,
  consecutiveGatewayErrors: 0,
  intervalMs: 10,
  baseEjectionMs: 100,
  maxEjectionMs: 350,
  maxEjectionPercent: 50,
  minHealthPercent: 0,
};

function detectorOf(hosts: string, policy: Partial<OutlierPolicy> = {}): OutlierDetector<string> {
  const detector = new OutlierDetector<string>({ ...POLICY, ...policy }, 0);
  detector.setHosts(hosts);
  return detector;
}

const ejected = (detector: OutlierDetector<string>, hosts: string): string =>
  [...hosts].filter((host) => detector.isEjected(host)).join('');

/** Reports answers of `a`, one after the other. */
const answers = (detector: OutlierDetector<string>, statuses: readonly number[], now = 0): void => {
  for (const status of statuses) detector.report('a', status, now);
};

describe('an endpoint is ejected', () => {
  test.each<[name: string, policy: Partial<OutlierPolicy>, statuses: readonly number[], isEjected: boolean]>([
    ['after so many 5xx in a row', {}, [500, 503, 599], true],
    ['not after fewer', {}, [500, 503], false],
    ['not where another answer came between them', {}, [500, 500, 404, 500, 500], false],
    ['not for what is no status of HTTP', {}, [600, 600, 600, 600], false],
    ['never where the number is 0', { consecutive5xxErrors: 0 }, [500, 500, 500, 500, 500, 500], false],
    ['after so many gateway errors in a row', { consecutiveGatewayErrors: 2 }, [502, 504], true],
    [
      'not where another 5xx came between those',
      { consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 },
      [503, 500, 503, 501, 502],
      false,
    ],
    ['by gateway errors alone where only those count', { consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 }, [500, 503, 503], true],
  ])('%s', (_name, policy, statuses, isEjected) => {
    const detector = detectorOf('ab', policy);
    answers(detector, statuses);
    expect(detector.isEjected('a')).toBe(isEjected);
    expect(detector.ejectedCount).toBe(isEjected ? 1 : 0);
  });

  test('unless so many are ejected already; its errors are counted anew then', () => {
    const detector = detectorOf('abcde', { maxEjectionPercent: 40 });
    for (const host of 'abc') for (let count = 0; count < 3; count++) detector.report(host, 500, 0);
    expect(ejected(detector, 'abcde')).toBe('ab');
    detector.setHosts('acde');
    detector.report('c', 500, 0);
    detector.report('c', 500, 0);
    expect(ejected(detector, 'acde')).toBe('a');
    detector.report('c', 500, 0);
    // Two of four are more than 40 %.
    expect(ejected(detector, 'acde')).toBe('a');
    detector.setHosts('acdef');
    for (let count = 0; count < 3; count++) detector.report('c', 500, 0);
    expect(ejected(detector, 'acdef')).toBe('ac');
  });

  test('never, where one alone would be too many: of two endpoints and 10 %', () => {
    const detector = detectorOf('ab', { maxEjectionPercent: 10 });
    answers(
      detector,
      Array.from({ length: 50 }, () => 500),
    );
    expect(detector.ejectedCount).toBe(0);
  });

  test('of whom nothing is known: nothing happens', () => {
    const detector = detectorOf('b');
    answers(detector, [500, 500, 500]);
    expect(detector.ejectedCount).toBe(0);
  });
});

/** For how long `a`, which fails at `now`, is ejected, looked at every `intervalMs`. */
function ejection(detector: OutlierDetector<string>, now: number): number {
  answers(detector, [500, 500, 500], now);
  let at = now;
  while (detector.isEjected('a')) {
    at += POLICY.intervalMs;
    detector.sweep(at);
  }
  return at - now;
}

describe('an endpoint returns', () => {
  test('after the base time, the next time after twice as long, and so on up to the maximum', () => {
    const detector = detectorOf('ab');
    let now = 0;
    const lengths = Array.from({ length: 6 }, () => {
      const length = ejection(detector, now);
      now += length;
      return length;
    });
    expect(lengths).toEqual([100, 200, 300, 350, 350, 350]);
  });

  test('and is forgiven one step for each interval in which it stays', () => {
    const detector = detectorOf('ab');
    let now = ejection(detector, 0);
    now += ejection(detector, now);
    for (let interval = 0; interval < 2; interval++) {
      now += POLICY.intervalMs;
      detector.sweep(now);
    }
    expect(ejection(detector, now)).toBe(100);
  });

  test('only when it is looked at, and no more often than every interval', () => {
    const detector = detectorOf('ab', { intervalMs: 80 });
    answers(detector, [500, 500, 500], 0);
    detector.sweep(79);
    detector.sweep(80);
    detector.sweep(150);
    expect(detector.isEjected('a')).toBe(true);
    detector.sweep(160);
    expect(detector.isEjected('a')).toBe(false);
  });

  test('with its errors forgotten', () => {
    const detector = detectorOf('ab');
    answers(detector, [500, 500, 500, 500, 500], 0);
    detector.sweep(100);
    answers(detector, [500, 500], 100);
    expect(detector.isEjected('a')).toBe(false);
    answers(detector, [500], 100);
    expect(detector.isEjected('a')).toBe(true);
  });
});

describe('for any course of events', () => {
  const HOSTS = 'abcdefgh';
  type Step = { readonly host: string; readonly status: number } | { readonly pause: number };
  const host = fc.constantFrom(...HOSTS);
  // Mostly errors of few endpoints, or nobody would ever be ejected.
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ host, status: fc.constantFrom(500, 502, 503, 503, 503, 200) }) },
    { weight: 1, arbitrary: fc.record({ pause: fc.integer({ min: 1, max: 400 }) }) },
  );
  const policy = fc.record({
    consecutive5xxErrors: fc.integer({ min: 0, max: 4 }),
    consecutiveGatewayErrors: fc.integer({ min: 0, max: 4 }),
    intervalMs: fc.integer({ min: 1, max: 50 }),
    baseEjectionMs: fc.integer({ min: 1, max: 200 }),
    maxEjectionPercent: fc.integer({ min: 1, max: 100 }),
  });
  const course = fc.record({ policy, steps: fc.array(step, { maxLength: 200 }) });

  type Policy = Pick<OutlierPolicy, 'consecutive5xxErrors' | 'consecutiveGatewayErrors'>;

  /** `errors`: 5xx in a row. */
  function mayBeEjected(errors: readonly number[], { consecutive5xxErrors, consecutiveGatewayErrors }: Policy): boolean {
    const gatewayErrors = errors.length - 1 - errors.lastIndexOf(500);
    return (
      (consecutive5xxErrors > 0 && errors.length >= consecutive5xxErrors) ||
      (consecutiveGatewayErrors > 0 && gatewayErrors >= consecutiveGatewayErrors)
    );
  }

  /** Does all steps, and calls `look` after each. */
  function play(
    given: { readonly policy: Partial<OutlierPolicy>; readonly steps: readonly Step[] },
    look: (detector: OutlierDetector<string>, step: Step, now: number) => void,
  ): { readonly detector: OutlierDetector<string>; readonly now: number } {
    const detector = detectorOf(HOSTS, { ...given.policy, maxEjectionMs: 300 });
    let now = 0;
    for (const each of given.steps) {
      if ('pause' in each) {
        now += each.pause;
        detector.sweep(now);
      } else detector.report(each.host, each.status, now);
      look(detector, each, now);
    }
    return { detector, now };
  }

  test('no more are ejected than may be, and they are counted', () => {
    let most = 0;
    fc.assert(
      fc.property(course, (given) => {
        play(given, (detector) => {
          expect(detector.ejectedCount).toBe(ejected(detector, HOSTS).length);
          expect(detector.ejectedCount).toBeLessThanOrEqual((HOSTS.length * given.policy.maxEjectionPercent) / 100);
          most = Math.max(most, detector.ejectedCount);
        });
      }),
      { seed: 1, numRuns: runs(500) },
    );
    expect(most).toBeGreaterThan(1);
  });

  test('whoever is ejected has failed so often in a row, and is not ejected by a pause; whoever returns does so in one', () => {
    fc.assert(
      fc.property(course, (given) => {
        const failed = new Map<string, number[]>();
        let before = '';
        play(given, (detector, step) => {
          const after = ejected(detector, HOSTS);
          const returned = [...before].filter((each) => !after.includes(each));
          const added = [...after].filter((each) => !before.includes(each));
          if ('pause' in step) {
            for (const each of returned) failed.delete(each);
            expect(added).toEqual([]);
          } else {
            failed.set(step.host, step.status < 500 ? [] : [...(failed.get(step.host) ?? []), step.status]);
            expect(returned).toEqual([]);
            expect(added.every((each) => mayBeEjected(failed.get(each) ?? [], given.policy))).toBe(true);
          }
          before = after;
        });
      }),
      { seed: 2, numRuns: runs(500) },
    );
  });

  test('everyone returns within the longest ejection and an interval, and not before the base time', () => {
    fc.assert(
      fc.property(course, (given) => {
        const since = new Map<string, number>();
        const { detector, now } = play(given, (at, _step, time) => {
          for (const each of HOSTS) {
            if (at.isEjected(each)) {
              if (!since.has(each)) since.set(each, time);
            } else if (since.has(each)) {
              expect(time - (since.get(each) ?? 0)).toBeGreaterThanOrEqual(Math.min(given.policy.baseEjectionMs, 300));
              since.delete(each);
            }
          }
        });
        detector.sweep(now + 300 + given.policy.intervalMs);
        expect(detector.ejectedCount).toBe(0);
      }),
      { seed: 3, numRuns: runs(500) },
    );
  });

  test('what is said to have changed is what has', () => {
    fc.assert(
      fc.property(course, (given) => {
        let before = { ejected: '', changes: 1 };
        play(given, (detector) => {
          const after = { ejected: ejected(detector, HOSTS), changes: detector.changes };
          expect(after.changes > before.changes).toBe(after.ejected !== before.ejected);
          before = after;
        });
      }),
      { seed: 4, numRuns: runs(200) },
    );
  });
});

test('ejections are counted, those too that were left out as too many were ejected already', () => {
  const detector = detectorOf('abcd', { maxEjectionPercent: 25 });
  for (const host of 'ab') for (let count = 0; count < 3; count++) detector.report(host, 500, 0);
  expect([detector.ejectedCount, detector.enforced, detector.overflowed]).toEqual([1, 1, 1]);
  detector.sweep(200);
  for (let count = 0; count < 3; count++) detector.report('b', 500, 200);
  expect([detector.ejectedCount, detector.enforced, detector.overflowed]).toEqual([1, 2, 1]);
});
