import fc from 'fast-check';
import { expect, test } from 'vitest';
import { atLeast, runs } from '../property-runs.cases.ts';
import type { ScaleOrder } from './observed.ts';
import { MINUTE, ReleaseWorld, specOf } from './release-world.cases.ts';
import { REQUEST_ACTIONS } from './requests.ts';
import type { ReleaseStatus, RequestAction } from './status.ts';
import { describeVersion, sameVersion } from './version.ts';

type Act =
  | { readonly do: 'serve' | 'rollOut' | 'suspend' }
  | { readonly do: 'restart' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'ask'; readonly action: RequestAction }
  | { readonly do: 'replicas'; readonly version: string; readonly replicas: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act>({ do: 'serve' }) },
  { weight: 4, arbitrary: fc.constant<Act>({ do: 'rollOut' }) },
  { weight: 10, arbitrary: fc.constantFrom(1, MINUTE, 10 * MINUTE).map((ms): Act => ({ do: 'pass', ms })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...REQUEST_ACTIONS, 'promote' as const, 'rollback' as const).map((action): Act => ({ do: 'ask', action })),
  },
  { weight: 1, arbitrary: fc.constantFrom<Act>({ do: 'suspend' }, { do: 'restart' }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('replicas' as const), version: fc.constantFrom('v1', 'v2'), replicas: fc.nat({ max: 6 }) }),
  },
);
const spec = fc
  .record({
    weights: fc.constantFrom([100], [50, 100], [10, 50, 100]),
    hold: fc.constantFrom('1m', '10m', 'manual'),
    beforeStep: fc.boolean(),
    afterSuccess: fc.option(fc.record({ replicas: fc.constantFrom(0, 1), delay: fc.constantFrom('1m', '15m') }), { nil: undefined }),
  })
  .map(({ weights, hold, beforeStep, afterSuccess }) =>
    specOf({
      steps: weights.map((weight) => ({ weight, hold })),
      scaling: {
        ...(beforeStep ? { beforeStep: 'matchWeight' as const } : {}),
        ...(afterSuccess === undefined ? {} : { afterSuccess }),
      },
    }),
  );

const TO_THE_END: readonly Act[] = [{ do: 'serve' }, { do: 'pass', ms: MINUTE }, { do: 'ask', action: 'promote' }, { do: 'rollOut' }];

function perform(world: ReleaseWorld, { do: what, ...step }: Act): void {
  if (what === 'serve') world.serve();
  else if (what === 'restart') world.restart();
  else if (what === 'suspend') world.edit({ ...world.spec, suspend: !world.spec.suspend });
  else if ('ms' in step) world.pass(step.ms);
  else if ('action' in step) world.ask(step.action);
  else if ('replicas' in step) world.setReplicas(step.version, step.replicas);
  else for (const version of ['v1', 'v2']) world.rollOut(version);
}

/** Whether an order, given to a release in this status, is one that may be. */
function judge(world: ReleaseWorld, order: ScaleOrder, before: ReleaseStatus | undefined): void {
  const { cause, from, to, version, weight } = order;
  if (cause === 'success') {
    const { phase, liveVersion, history = [], scaling } = world.status ?? {};
    expect([phase, history[0]?.outcome, world.routes?.kind]).toEqual(['Succeeded', 'Succeeded', 'settled']);
    expect(sameVersion(version, liveVersion)).toBe(false);
    expect(to).toBeLessThan(from);
    // Never again for the same success, and how many to bring back is known.
    expect(before?.scaling?.former?.isDone).not.toBe(true);
    expect(scaling?.former).toEqual({ version, replicas: from, isDone: true });
    const delay = world.spec.scaling?.afterSuccess?.delay === '1m' ? MINUTE : 15 * MINUTE;
    expect(world.now - Date.parse(history[0]?.endedAt ?? '')).toBeGreaterThanOrEqual(delay);
  } else {
    expect(to).toBeGreaterThan(from);
    expect(describeVersion(version)).toBe(cause === 'step' ? 'v2' : 'v1');
  }
  if (cause === 'rollback') expect(world.request?.action).toBe('rollback');
  else expect(world.spec.suspend).toBe(false);
  // At 100 % what is left is to complete, for which the live version may have grown.
  if (cause === 'step' && before?.phase !== 'Pending') expect(weight).toBeGreaterThanOrEqual(before?.weight ?? 0);
}

test('whatever happens: nothing is scaled twice for one decision, the live version never down, a canary on its way never', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(spec, fc.boolean(), fc.array(act, { minLength: 5, maxLength: 30 }), (scaled, isEnded, acts) => {
      const world = new ReleaseWorld(scaled);
      world.setReplicas('v1', 4);
      world.setReplicas('v2', 1);
      world.look();
      for (let left = isEnded ? 12 : 0; left > 0 && world.phase !== 'Succeeded'; left--) {
        for (const step of TO_THE_END) perform(world, step);
      }
      for (const step of acts) {
        const count = world.orders.length;
        const before = world.status;
        perform(world, step);
        const orders = world.orders.slice(count);
        // One act is one decision at most: a request, the end of a hold or a delay, or replicas that changed.
        expect(orders.length).toBeLessThanOrEqual(1);
        for (const order of orders) {
          judge(world, order, before);
          seen.set(order.cause, (seen.get(order.cause) ?? 0) + 1);
        }
        if (step.do !== 'replicas') {
          const again = world.orders.length;
          world.look();
          world.look();
          expect(world.orders.length).toBe(again);
        }
      }
    }),
    { numRuns: runs(1000), seed: 11 },
  );
  for (const cause of ['step', 'success', 'rollback']) expect(seen.get(cause) ?? 0).toBeGreaterThan(atLeast(20));
});
