import { describe, expect, test } from 'vitest';
import { bucketOf, type Offset } from '../visitor/bucket.ts';
import { MINUTE, ReleaseWorld, specOf, subset, without } from './release-world.cases.ts';
import type { ReleaseStatus } from './status.ts';

/** Visitors with seeded random ids (mulberry32), so that every run draws the same ones. */
function visitorsOf(count: number, seed: number): readonly string[] {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const hex = (): string => random().toString(16).padStart(8, '0');
  return Array.from({ length: count }, () => {
    const digits = hex() + hex() + hex() + hex();
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`;
  });
}

/** The draw of each of `count` releases that follow each other on one service, each from the version before to a new one. */
function chainOf(count: number): readonly { readonly offset: Offset; readonly cutoff: number }[] {
  const world = new ReleaseWorld();
  const spec = without(
    specOf({
      steps: [
        { weight: 10, hold: '1m' },
        { weight: 100, hold: '1m' },
      ],
    }),
    'stable',
  );
  return Array.from({ length: count }, (_, index) => {
    const [stable, canary] = [`v${index + 1}`, `v${index + 2}`];
    world.setReady(canary, true);
    world.edit({ ...spec, canary: subset(canary), ...(index === 0 ? { stable: subset(stable) } : {}) });
    const { offset, cutoff } = runningStatus(world);
    for (let step = 0; step < 3; step++) {
      world.serve();
      world.pass(MINUTE);
    }
    world.serve();
    expect(world.status?.phase).toBe('Succeeded');
    return { offset: offset ?? 0, cutoff: cutoff ?? 0 };
  });
}

function runningStatus({ status }: ReleaseWorld): ReleaseStatus {
  expect(status?.phase).toBe('Progressing');
  return status ?? expect.fail('no status');
}

describe('a chain of 20 releases of one service, each to 10 % of 40,000 visitors', () => {
  const visitors = visitorsOf(40_000, 20);
  const cohorts = chainOf(20).map(({ offset, cutoff }) => visitors.map((id) => (bucketOf(id, offset) ?? 4096) < cutoff));
  const share = 410 / 4096;

  test('each reaches its share of visitors', () => {
    const sd = Math.sqrt((share * (1 - share)) / visitors.length);
    for (const cohort of cohorts) expect(Math.abs(cohort.filter(Boolean).length / visitors.length - share)).toBeLessThan(3.3 * sd);
  });

  test('neighbours overlap as independent draws do, within 3 sd: nobody is always among the first', () => {
    // Each visitor is in both cohorts with probability share^2, independently of others: a binomial count.
    const both = share * share;
    const sd = Math.sqrt(both * (1 - both) * visitors.length);
    const neighbours = cohorts.slice(1).map((cohort, index) => [cohorts[index] ?? [], cohort] as const);
    expect(neighbours).toHaveLength(19);
    for (const [before, after] of neighbours) {
      const overlap = visitors.filter((_, visitor) => before[visitor] === true && after[visitor] === true).length;
      expect(Math.abs(overlap - both * visitors.length)).toBeLessThan(3 * sd);
    }
  });

  test('every fourth shares its visitors, as four independent draws are all that an id has', () => {
    for (let index = 4; index < cohorts.length; index++) expect(cohorts[index]).toEqual(cohorts[index - 4]);
  });
});

describe('two clusters with different pasts', () => {
  /** A cluster in which so many releases of the service ended before. */
  function clusterAfter(past: number, changes: Parameters<typeof specOf>[0]): ReleaseStatus {
    const world = new ReleaseWorld(specOf({ steps: [{ weight: 100, hold: '1m' }] }));
    for (let release = 0; release < past; release++) {
      world.edit({ ...world.spec, revision: `past-${release}` });
      world.look();
      world.ask('rollback');
      world.serve();
    }
    world.edit(
      specOf({
        revision: 'now',
        ...changes,
        steps: [
          { weight: 30, hold: 'manual' },
          { weight: 100, hold: 'manual' },
        ],
      }),
    );
    return runningStatus(world);
  }

  test.each([
    ['the same whole number as revision', { revision: 7 }],
    ['the same cohort', { cohort: 2 as const }],
  ])('agree on every visitor with %s', (_what, changes) => {
    const statuses = [0, 1, 2, 3].map((past) => clusterAfter(past, changes));
    const [first, ...others] = statuses.map(({ offset, cutoff }) => ({ offset, cutoff }));
    expect(statuses.map(({ started }) => started)).toEqual([1, 2, 3, 4]);
    for (const other of others) expect(other).toEqual(first);
  });

  test('need not agree without: the count of releases decides', () => {
    expect(new Set([0, 1, 2, 3].map((past) => clusterAfter(past, { revision: 'seven' }).offset)).size).toBe(4);
  });
});
