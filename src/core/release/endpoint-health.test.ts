import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EndpointHealth, nextHealth } from './endpoint-health.ts';

const CHECK = { healthyThreshold: 2, unhealthyThreshold: 3 };

/** What an endpoint counts as after each check; `.` passes, `x` fails. */
function told(results: string, check = CHECK): string {
  let health: EndpointHealth | undefined;
  return [...results]
    .map((result) => {
      health = nextHealth(health, result === '.' ? undefined : 'connection refused', check);
      return health.healthy ? 'H' : 'u';
    })
    .join('');
}

describe('the health of an endpoint', () => {
  test.each([
    ['the first result counts at once', '.', 'H'],
    ['also where it fails', 'x', 'u'],
    ['one or two failures are no news', '.xx.xx.', 'HHHHHHH'],
    ['three in a row are', '.xxx', 'HHHu'],
    ['one success is no return', 'x.x.', 'uuuu'],
    ['two in a row are', 'x..', 'uuH'],
  ])('%s', (_, results, expected) => {
    expect(told(results)).toBe(expected);
  });

  test('says what the last failure was, then how far the endpoint is on its way back', () => {
    const failed = nextHealth(undefined, 'connection refused', CHECK);
    expect(failed.reason).toBe('connection refused');
    const returning = nextHealth(failed, undefined, CHECK);
    expect(returning).toMatchObject({ healthy: false, reason: 'has passed 1 of 2 checks in a row' });
    expect(nextHealth(returning, 'answers 503 at /', CHECK).reason).toBe('answers 503 at /');
  });

  test('a healthy one has no reason, however it became so', () => {
    const healthy = { healthy: true, reason: '', against: 0 };
    const first = nextHealth(undefined, undefined, CHECK);
    expect([first, nextHealth(first, undefined, CHECK)]).toEqual([healthy, healthy]);
    expect(nextHealth(first, 'connection refused', CHECK)).toEqual({ healthy: true, reason: '', against: 1 });
    expect(nextHealth({ healthy: false, reason: 'x', against: 1 }, undefined, CHECK)).toEqual(healthy);
    const lost = nextHealth({ healthy: true, reason: '', against: 2 }, 'connection refused', CHECK);
    expect(lost).toEqual({ healthy: false, reason: 'connection refused', against: 0 });
  });

  test('turns only after as many results in a row as the threshold says, and then always', () => {
    const threshold = fc.integer({ min: 1, max: 10 });
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('.', 'x'), { minLength: 1, maxLength: 60 }),
        threshold,
        threshold,
        (results, healthyThreshold, unhealthyThreshold) => {
          const health = told(results.join(''), { healthyThreshold, unhealthyThreshold });
          for (let at = 1; at < results.length; at++) {
            const needed = health[at - 1] === 'H' ? unhealthyThreshold : healthyThreshold;
            const against = health[at - 1] === 'H' ? 'x' : '.';
            const streak = results
              .slice(0, at + 1)
              .reverse()
              .findIndex((result) => result !== against);
            const inARow = streak < 0 ? at + 1 : streak;
            expect(health[at] !== health[at - 1]).toBe(inARow >= needed);
          }
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });
});
