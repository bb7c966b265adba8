import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { RoutePlan } from '../weave/plan.ts';
import type { Version } from './canary-release.ts';
import { endpointsNeeded } from './capacity.ts';
import { needsReadiness } from './observed.ts';
import { readinessSpec } from './readiness-spec.ts';
import { MINUTE, ReleaseWorld, specOf, subset } from './release-world.cases.ts';
import { REQUEST_ACTIONS } from './requests.ts';
import { sameVersion } from './version.ts';

const VERSIONS = ['v1', 'v2', 'v3'];
const CAPACITY = 40;

const version = fc.constantFrom(...VERSIONS);
const spec = fc
  .record({
    canary: fc.constantFrom('v2', 'v2', 'v3'),
    stable: fc.constantFrom('v1', 'v1', 'v1', 'v2'),
    mode: fc.constantFrom('visitor' as const, 'canaryOnly' as const),
    onCanaryUnavailable: fc.constantFrom('rollback' as const, 'pause' as const),
    isLimited: fc.constantFrom(true, true, false),
    revision: fc.integer({ min: 1, max: 2 }),
  })
  .filter(({ canary, stable }) => canary !== stable)
  .map(({ canary, stable, mode, onCanaryUnavailable, isLimited, revision }) =>
    specOf({
      canary: subset(canary),
      stable: subset(stable),
      affinity: { mode },
      revision,
      readiness: readinessSpec.parse({ onCanaryUnavailable, ...(isLimited ? { capacity: CAPACITY } : {}) }),
    }),
  );

/** One thing that happens to a world; each ends with a look of the machine. `forgotten`: nothing is served any more but the base. */
type Act = (world: ReleaseWorld) => unknown;

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((world: ReleaseWorld) => void world.serve()) },
  {
    weight: 6,
    arbitrary: fc.constantFrom(1, 30_000, 10 * MINUTE).map(
      (ms): Act =>
        (world) =>
          void world.pass(ms),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...REQUEST_ACTIONS).map(
      (action): Act =>
        (world) =>
          void world.ask(action),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(version, fc.constantFrom(true, true, true, false, undefined)).map(
      ([name, ready]): Act =>
        (world) =>
          void world.setReady(name, ready),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(version, fc.integer({ min: 1, max: 4 })).map(
      ([name, ready]): Act =>
        (world) => {
          world.endpoints.set(name, { ready, total: 4 });
          world.look();
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(30, 120, 400, 900, 'measuring' as const, undefined).map(
      (rate): Act =>
        (world) => {
          world.requestRate = rate;
          world.look();
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, MINUTE).map(
      (back): Act =>
        (world) =>
          void world.restart(back),
    ),
  },
  {
    weight: 2,
    arbitrary: spec.map(
      (edited): Act =>
        (world) =>
          void world.edit(edited),
    ),
  },
  {
    weight: 1,
    arbitrary: version.map(
      (name): Act =>
        (world) => {
          world.baseVersion = subset(name);
          // Everything that was remembered is lost.
          world.status = undefined;
          world.routes = undefined;
          world.look();
          return 'forgotten';
        },
    ),
  },
);

/** Percent of the visitors that a version gets; without a plan the base is served. */
function shareOf(plan: RoutePlan | undefined, base: Version | undefined, name: string): number {
  const wanted = subset(name);
  if (plan === undefined) return sameVersion(base, wanted) ? 100 : 0;
  if (plan.kind === 'settled') return sameVersion(plan.live, wanted) ? 100 : 0;
  const canary = plan.kind === 'split' ? (plan.cutoff / 4096) * 100 : plan.weight;
  if (sameVersion(plan.canary, wanted)) return canary;
  return sameVersion(plan.stable, wanted) ? 100 - canary : 0;
}

/** Watches the traffic of a world from outside; `seen` counts what the runs came across. */
class Witness {
  readonly #world: ReleaseWorld;
  readonly #seen: Map<string, number>;

  constructor(world: ReleaseWorld, seen: Map<string, number>) {
    this.#world = world;
    this.#seen = seen;
  }

  perform(act: Act): void {
    const world = this.#world;
    const { routes } = world;
    const before = act(world) === 'forgotten' ? undefined : routes;
    for (const name of VERSIONS) {
      const was = shareOf(before, world.baseVersion, name);
      const is = shareOf(world.routes, world.baseVersion, name);
      if (is <= was) continue;
      expect(world.ready.get(name), `${name} from ${was} % to ${is} %: ${world.message}`).toBe(true);
      this.#count(`more for ${name}`);
      this.#checkCapacity(name);
    }
    this.#count(`phase ${world.status?.phase} ${world.status?.pausedBy ?? ''}`);
    if (`${world.message} ${world.status?.lastRequest?.message}`.includes('per endpoint needs')) this.#count('held by capacity');
  }

  /** Of a canary that a release sends more visitors to; what is live was chosen before. */
  #checkCapacity(name: string): void {
    const { status, spec, requestRate: rate, endpoints } = this.#world;
    const counts = endpoints.get(name);
    const isCanary = sameVersion(status?.canary, subset(name)) && (status?.phase === 'Progressing' || status?.phase === 'Completing');
    if (status === undefined || !isCanary || spec.readiness.capacity === undefined || rate === undefined || counts === undefined) return;
    expect(rate).not.toBe('measuring');
    expect(counts.ready).toBeGreaterThanOrEqual(endpointsNeeded(Number(rate), status.weight, CAPACITY));
    this.#count('with enough endpoints');
  }

  #count(what: string): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
  }
}

test('no move ever sends more visitors to a version that is not ready, nor to a canary beyond what its endpoints can take', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(spec, fc.array(act, { minLength: 5, maxLength: 50 }), (first, acts) => {
      const world = new ReleaseWorld(first);
      for (const name of VERSIONS) world.endpoints.set(name, { ready: 2, total: 4 });
      world.requestRate = 120;
      const witness = new Witness(world, seen);
      witness.perform(() => void world.look());
      for (const each of acts) witness.perform(each);
    }),
    { seed: 11, numRuns: runs(1500) },
  );
  const everywhere = ['more for v1', 'more for v2', 'more for v3', 'with enough endpoints', 'held by capacity'];
  for (const what of [...everywhere, 'phase Paused canaryLost', 'phase RollingBack ', 'phase Succeeded ']) {
    expect(seen.get(what) ?? 0, what).toBeGreaterThan(atLeast(50));
  }
});

test('where nobody needs to know, nothing follows from the readiness of any version', () => {
  let settled = 0;
  const known = fc.record({
    ready: fc.constantFrom(true, false, undefined),
    reason: fc.constant(''),
    endpoints: fc.constant({ ready: 1, total: 2 }),
  });
  fc.assert(
    fc.property(spec, fc.array(act, { minLength: 5, maxLength: 50 }), known, (first, acts, readiness) => {
      const world = new ReleaseWorld(first);
      for (const each of acts) {
        each(world);
        if (needsReadiness(world.spec, world.status, world.request)) continue;
        settled += 1;
        expect(world.advanceWith(world.observedWith(() => readiness))).toEqual(world.advanceWith(world.observed()));
      }
    }),
    { seed: 12, numRuns: runs(500) },
  );
  expect(settled).toBeGreaterThan(atLeast(500));
});
