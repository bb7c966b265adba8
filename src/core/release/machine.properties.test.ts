import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { RoutePlan } from '../weave/plan.ts';
import type { CanaryReleaseSpec, Version } from './canary-release.ts';
import { parseDuration } from './durations.ts';
import { isExposed, PHASES } from './phase.ts';
import { MINUTE, ReleaseWorld, specOf, subset } from './release-world.cases.ts';
import { REQUEST_ACTIONS } from './requests.ts';
import type { ReleaseStatus, RequestAction } from './status.ts';
import { describeVersion, sameVersion } from './version.ts';

type Act =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'serve' }
  | { readonly do: 'ask'; readonly action: RequestAction; readonly full?: true }
  | { readonly do: 'ready'; readonly version: string; readonly ready: boolean | undefined }
  | { readonly do: 'restart'; readonly back: number; readonly down: number }
  | { readonly do: 'suspend'; readonly suspend: boolean }
  | { readonly do: 'edit'; readonly spec: CanaryReleaseSpec }
  | { readonly do: 'problems'; readonly problems: readonly string[] };

const hold = fc.constantFrom('30s', '5m', '10m', 'manual');
const steps = fc
  .uniqueArray(fc.constantFrom(1, 5, 10, 25, 50, 75), { minLength: 0, maxLength: 3 })
  .chain((weights) =>
    fc.tuple(...[...weights.sort((a, b) => a - b), 100].map((weight) => fc.record({ weight: fc.constant(weight), hold }))),
  );
const spec = fc
  .record({
    steps,
    canary: fc.constantFrom('v2', 'v2', 'v2', 'v3'),
    stable: fc.constantFrom('v1', 'v1', 'v1', 'v2'),
    revision: fc.constantFrom(1, 1, 1, 2),
    mode: fc.constantFrom('visitor' as const, 'canaryOnly' as const),
    suspend: fc.integer({ min: 0, max: 15 }).map((draw) => draw === 0),
  })
  .filter(({ canary, stable }) => canary !== stable)
  .map(({ steps: ramp, canary, stable, revision, mode, suspend }) =>
    specOf({ steps: ramp, canary: subset(canary), stable: subset(stable), revision, affinity: { mode }, suspend }),
  );

const serve: fc.Arbitrary<Act> = fc.constant({ do: 'serve' });
const pass = fc.constantFrom(1, 20_000, MINUTE, 5 * MINUTE, 10 * MINUTE).map((ms): Act => ({ do: 'pass', ms }));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: serve },
  { weight: 8, arbitrary: pass },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom<RequestAction>('promote', 'promote', 'pause', 'resume', 'rollback', 'retry', 'retry', 'retry')
      .map((action): Act => ({ do: 'ask', action })),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ do: 'ask', action: 'promote', full: true }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('ready' as const),
      version: fc.constantFrom('v1', 'v2', 'v3'),
      ready: fc.constantFrom(true, true, false, undefined),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      back: fc.constantFrom(0, 1000, 30 * MINUTE),
      down: fc.constantFrom(0, MINUTE),
    }),
  },
  { weight: 1, arbitrary: spec.map((edited): Act => ({ do: 'edit', spec: edited })) },
  { weight: 1, arbitrary: fc.constantFrom(true, false, false).map((suspend): Act => ({ do: 'suspend', suspend })) },
  { weight: 1, arbitrary: fc.constantFrom([], [], ['the VirtualService is gone']).map((problems): Act => ({ do: 'problems', problems })) },
);

/** How many of the 4096 buckets, or of as many draws, get a version. */
function shareOf(plan: RoutePlan | undefined, version: Version | undefined): number {
  if (plan === undefined) return 0;
  if (plan.kind === 'settled') return sameVersion(plan.live, version) ? 4096 : 0;
  const canary = plan.kind === 'split' ? plan.cutoff : (plan.weight * 4096) / 100;
  if (sameVersion(plan.canary, version)) return canary;
  return sameVersion(plan.stable, version) ? 4096 - canary : 0;
}

/** What was before an act. */
interface Before {
  readonly status: ReleaseStatus | undefined;
  readonly routes: RoutePlan | undefined;
  readonly events: number;
}

/** Watches a world from outside and knows nothing of how the machine decides; `seen` counts what the runs came across. */
class Witness {
  readonly world: ReleaseWorld;
  readonly seen: Map<string, number>;
  /** The step that is held: how long it was held and not paused, in real time, and how long it should be. */
  #held: { readonly key: string; ms: number } | undefined;
  #retryAsked = false;

  constructor(world: ReleaseWorld, seen: Map<string, number>) {
    this.world = world;
    this.seen = seen;
  }

  perform(step: Act): void {
    const { world } = this;
    const before: Before = { status: world.status, routes: world.routes, events: world.events.length };
    const askedBefore = world.request?.id;
    const elapsed = step.do === 'pass' ? step.ms : step.do === 'restart' ? step.down : 0;
    if (this.#held !== undefined && before.status?.phase !== 'Paused' && !world.spec.suspend) this.#held.ms += elapsed;
    switch (step.do) {
      case 'pass':
        world.pass(step.ms);
        break;
      case 'serve':
        world.serve();
        break;
      case 'ask':
        world.ask(step.action, 'ada', step.full);
        break;
      case 'ready':
        world.setReady(step.version, step.ready);
        break;
      case 'restart':
        world.now += step.down;
        world.restart(step.back);
        break;
      case 'edit':
        world.edit(step.spec);
        break;
      case 'suspend':
        world.edit({ ...world.spec, suspend: step.suspend });
        break;
      case 'problems':
        world.problems = step.problems;
        world.look();
        break;
    }
    const asked = world.status?.lastRequest?.id !== before.status?.lastRequest?.id ? world.status?.lastRequest : undefined;
    if (asked?.outcome === 'done') this.#count(`request ${asked.action}${asked.full ? ' --full' : ''}`);
    if (asked?.action === 'retry' && asked.outcome === 'done') this.#retryAsked = true;
    const widened = asked?.outcome === 'done' && (asked.action === 'promote' || asked.action === 'resume');
    this.#checkTraffic(before);
    this.#checkAffinity(before);
    this.#checkSteps(before, widened, asked?.full === true);
    this.#checkStart(before);
    this.#checkRequests(before, askedBefore);
    this.#checkRest();
    this.#count(`phase ${world.status?.phase}`);
  }

  /** Visitors go back only by a rollback, or for another release, and only to a version that can take them. */
  #checkTraffic(before: Before): void {
    const { status, routes } = this.world;
    const backward = this.world.events.slice(before.events).find(({ reason }) => reason === 'RollingBack' || reason === 'Superseding');
    if (before.status !== undefined && (isExposed(before.status.phase) || backward !== undefined)) {
      const { canary } = before.status;
      if (backward !== undefined) {
        const to = before.status.stable;
        expect(to !== undefined && this.world.ready.get(describeVersion(to))).toBe(true);
        this.#count(`${backward.reason} in ${before.status.phase}`);
      } else if (status?.started === before.status.started) {
        expect(shareOf(routes, canary)).toBeGreaterThanOrEqual(shareOf(before.routes, canary));
      }
    }
    // Nobody is ever sent anywhere but to the pair or the live version.
    const known = [status?.stable, status?.canary, status?.liveVersion].filter((version) => version !== undefined);
    for (const version of ['v1', 'v2', 'v3'].map(subset)) {
      if (!known.some((each) => sameVersion(each, version))) expect(shareOf(routes, version)).toBe(0);
    }
  }

  /** A release goes on as it began: by buckets, or by draws under one cookie, whatever an edit makes of the mode; of the other nothing is told. */
  #checkAffinity({ status: before }: Before): void {
    const { status, routes } = this.world;
    if (status === undefined || !isExposed(status.phase)) return;
    const { cutoff, offset, canaryCookie } = status;
    expect([cutoff === undefined, offset === undefined]).toEqual(Array(2).fill(canaryCookie !== undefined));
    if (routes?.kind === 'settled') expect(routes.expires).toEqual(canaryCookie);
    else expect(routes?.kind).toBe(canaryCookie === undefined ? 'split' : 'draw');
    if (before?.started === status.started) expect([offset, canaryCookie]).toEqual([before.offset, before.canaryCookie]);
    this.#count(canaryCookie === undefined ? 'by buckets' : 'by draws');
  }

  /** Steps come one by one, each only after its whole hold; only a canary that is ready gets more visitors. */
  #checkSteps(before: Before, asked: boolean, toEnd: boolean): void {
    const { world } = this;
    const { status } = world;
    if (status === undefined) return;
    const sameRelease = before.status !== undefined && before.status.started === status.started && isExposed(before.status.phase);
    const completes = status.phase === 'Completing' || (status.phase === 'Succeeded' && before.status?.phase !== 'Completing');
    const widens = sameRelease && (status.weight > before.status.weight || (completes && before.status.phase !== 'Completing'));
    if (widens) {
      const at = before.status.weight;
      const next = world.spec.steps.find(({ weight }) => weight > at);
      expect(status.weight).toBe(toEnd || next === undefined ? 100 : next.weight);
      expect(world.spec.suspend).toBe(false);
      expect(world.ready.get(describeVersion(before.status.canary ?? subset('none')))).toBe(true);
      expect(world.problems).toEqual([]);
      const current = world.spec.steps.find(({ weight }) => weight === at);
      // Without a step of this weight there is no hold to keep: an edit took it away.
      if (!asked && current !== undefined) {
        expect(this.#held?.key).toBe(`${status.started}:${at}`);
        const shortest = Math.min(...(this.#holds.get(`${status.started}:${at}`) ?? [Number.POSITIVE_INFINITY]));
        expect(this.#held?.ms ?? 0).toBeGreaterThanOrEqual(shortest);
        this.#count('hold over');
      }
    }
    const key = `${status.started}:${status.weight}`;
    if (status.stepStartedAt === undefined) this.#held = undefined;
    else if (this.#held?.key !== key) {
      expect(world.observed().routesConfirmed).toBe(true);
      this.#held = { key, ms: 0 };
    }
    this.#rememberHold(key);
  }

  /** All holds that the current step had while it was current: an edit takes effect on the hold that is not fixed yet. */
  readonly #holds = new Map<string, Set<number>>();
  #rememberHold(key: string): void {
    const { spec: current, status } = this.world;
    const text = current.steps.find(({ weight }) => weight === status?.weight)?.hold;
    if (text === undefined) return;
    const known = this.#holds.get(key) ?? new Set();
    known.add(text === 'manual' ? Number.POSITIVE_INFINITY : (parseDuration(text) ?? Number.NaN));
    this.#holds.set(key, known);
  }

  /** What was rolled back stays so, until someone asks for it again or for something else. */
  #checkStart(before: Before): void {
    const { status } = this.world;
    if (status === undefined || before.status === undefined || status.started === before.status.started) return;
    expect(status.started).toBe(before.status.started + 1);
    this.#count('start');
    expect(this.world.spec.suspend).toBe(false);
    const last = status.history[0];
    if (last?.outcome === 'RolledBack' && !this.#retryAsked) {
      const isSame =
        sameVersion(last.canary, status.canary) && sameVersion(last.stable, status.stable) && last.revision === status.revision;
      expect(isSame).toBe(false);
    }
    this.#retryAsked = false;
  }

  /** A rollback wins at once when stable can take everyone; every request is handled once. */
  #checkRequests(before: Before, askedBefore: string | undefined): void {
    const { world } = this;
    const { request, status } = world;
    const wasPending = request !== undefined && before.status?.lastRequest?.id !== request.id;
    if (wasPending && request.action === 'rollback' && before.status !== undefined && isExposed(before.status.phase)) {
      const ready = world.ready.get(describeVersion(before.status.stable ?? subset('none')));
      if (ready === true) expect(status?.history[0]?.outcome === 'RolledBack' || status?.phase === 'RollingBack').toBe(true);
      // Unless it is known that stable is gone, nothing may widen while the rollback waits.
      if (ready === undefined) expect(status?.weight).toBe(before.status.weight);
    }
    if (request !== undefined && request.id === askedBefore && !wasPending) expect(status?.lastRequest).toEqual(before.status?.lastRequest);
  }

  /** At rest: looking again changes nothing, the status is its own JSON, and whatever is due has a time to come back at. */
  #checkRest(): void {
    const { world } = this;
    const { status, routes, wakeAt } = world;
    const again = world.look();
    expect(again.events).toEqual([]);
    expect(again.status).toEqual(status);
    expect(again.routes).toEqual(routes);
    expect(again.wakeAt).toBe(wakeAt);
    expect(JSON.parse(JSON.stringify(again.status))).toStrictEqual(again.status);
    if (wakeAt !== undefined) expect(wakeAt).toBeGreaterThan(world.now);
    const until = status?.phase === 'Progressing' && status.holdUntil !== undefined ? Date.parse(status.holdUntil) : undefined;
    if (until !== undefined && until > world.now) expect(wakeAt).toBeLessThanOrEqual(until);
  }

  #count(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }
}

test('whatever happens, in whatever order', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(spec, fc.array(act, { minLength: 5, maxLength: 60 }), (first, acts) => {
      const world = new ReleaseWorld(first);
      world.look();
      const witness = new Witness(world, seen);
      for (const each of acts) witness.perform(each);
    }),
    { seed: 5, numRuns: runs(2500) },
  );
  // The property says something only if the runs went everywhere.
  for (const phase of PHASES) {
    expect(seen.get(`phase ${phase}`) ?? 0, phase).toBeGreaterThan(atLeast(500));
  }
  for (const action of [...REQUEST_ACTIONS, 'promote --full'])
    expect(seen.get(`request ${action}`) ?? 0, action).toBeGreaterThan(atLeast(40));
  expect(seen.get('hold over') ?? 0).toBeGreaterThan(atLeast(500));
  for (const phase of ['Progressing', 'Paused', 'Completing', 'Succeeded'])
    expect(seen.get(`RollingBack in ${phase}`) ?? 0, phase).toBeGreaterThan(atLeast(20));
  for (const phase of ['Progressing', 'Paused']) expect(seen.get(`Superseding in ${phase}`) ?? 0, phase).toBeGreaterThan(atLeast(50));
  for (const way of ['by buckets', 'by draws']) expect(seen.get(way) ?? 0, way).toBeGreaterThan(atLeast(2000));
});

test('a release that is left alone, with its routes served, always ends as Succeeded, at the earliest after all of its holds', () => {
  fc.assert(
    fc.property(spec, (first) => {
      const timed = first.steps.map((step) => ({ ...step, hold: step.hold === 'manual' ? '5m' : step.hold }));
      const world = new ReleaseWorld({ ...first, suspend: false, steps: timed });
      const begin = world.now;
      world.look();
      for (let turns = 0; turns < 20 && world.phase !== 'Succeeded'; turns++) {
        world.serve();
        // Only the time that the machine asked for: it must be enough.
        if (world.wakeAt !== undefined) world.pass(world.wakeAt - world.now);
      }
      expect(world.phase).toBe('Succeeded');
      const holds = timed.reduce((sum, step) => sum + (parseDuration(step.hold) ?? 0), 0);
      expect(world.now - begin).toBe(holds);
    }),
    { seed: 6, numRuns: runs(300) },
  );
});
