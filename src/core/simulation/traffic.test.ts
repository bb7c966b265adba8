import { describe, expect, it } from 'vitest';
import { seededStreams } from './random.ts';
import { TRAFFIC, visits } from './traffic.ts';

const DAY = 24 * 3_600_000;

describe('visits', () => {
  // A month, so that few visits are cut off; 100 visitors per hour.
  const all = [...visits({ ...TRAFFIC, visitorsPerMinute: 100 / 60 }, 0, 30 * DAY, seededStreams(3)('traffic'))];
  const requests = all.map(({ pages }) => pages.reduce((sum, { assets }) => sum + 1 + assets, 0));
  const share = (count: number) => count / all.length;
  /** Five sd of a share of so many. */
  const five = (chance: number) => 5 * Math.sqrt((chance * (1 - chance)) / all.length);

  it('come as a Poisson process: 72,000 in a month, within five sd', () => {
    expect(Math.abs(all.length - 72_000)).toBeLessThan(5 * Math.sqrt(72_000));
  });

  it('have a heavy tail: half send 5 requests or fewer, one in 500 sends 200 or more', () => {
    // Lognormal, mean 12, sigma 1.25: the median is 12 / exp(1.25^2 / 2) = 5.49, and ln(199.5 / 5.49) / 1.25 = 2.874 sd are passed by 0.00203.
    expect(Math.abs(share(requests.filter((count) => count <= 5).length) - 0.5)).toBeLessThan(five(0.5));
    expect(Math.abs(share(requests.filter((count) => count >= 200).length) - 0.00203)).toBeLessThan(five(0.00203));
    // Var(lognormal) = mean^2 (exp(sigma^2) - 1) = 543.
    expect(Math.abs(requests.reduce((sum, count) => sum + count, 0) / all.length - 12)).toBeLessThan(
      5 * Math.sqrt(543 / all.length) + 0.05,
    );
  });

  it('one in twenty keeps no cookie, and none races unless asked to', () => {
    expect(Math.abs(share(all.filter(({ keepsCookies }) => !keepsCookies).length) - 0.05)).toBeLessThan(five(0.05));
    expect(all.some(({ races }) => races)).toBe(false);
  });

  it('have their pages in the order of time, apart by more than an answer takes', () => {
    const gaps = all.flatMap(({ pages }) => pages.slice(1).map(({ atMs }, index) => atMs - (pages[index]?.atMs ?? 0)));
    expect(Math.min(...gaps.slice(0, 10_000))).toBeGreaterThan(TRAFFIC.answerMs);
  });

  it('end with the time that is simulated', () => {
    expect(all.every(({ pages }) => pages.every(({ atMs }) => atMs >= 0 && atMs < 30 * DAY))).toBe(true);
  });
});
