import type { Version } from './canary-release.ts';
import type { ReleaseStatus } from './status.ts';
import { nextStepIndex, readinessOf, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** How often a release looks again at what it lacks capacity for, in ms: as often as the rate that is measured can change. */
export const CAPACITY_AGAIN_MS = 10_000;

/** Floating point must not ask for one endpoint more than the arithmetic does. */
const ROUNDING = 1e-9;

/** How many endpoints a share of the requests needs: at least one, whatever the rate. Percent; requests per second. */
export function endpointsNeeded(rate: number, weight: number, capacity: number): number {
  return Math.max(1, Math.ceil((rate * weight) / 100 / capacity - ROUNDING));
}

/** What a version lacks to take this share of the requests, in a sentence; undefined where it lacks nothing, or nothing is known of it. */
export function capacityShortage(turn: Turn, version: Version | undefined, weight: number): string | undefined {
  const { capacity } = turn.release.spec.readiness;
  const { requestRate: rate } = turn.observed;
  const { endpoints } = readinessOf(turn, version);
  if (capacity === undefined || rate === undefined || version === undefined || endpoints === undefined) return undefined;
  const name = describeVersion(version);
  if (rate === 'measuring') return `how many requests there are for ${name} to take is still being measured`;
  const needed = endpointsNeeded(rate, weight, capacity);
  if (endpoints.ready >= needed) return undefined;
  const has = `${name} has ${endpoints.ready} ready ${endpoints.ready === 1 ? 'endpoint' : 'endpoints'}`;
  return `${has}; ${weight} % of ${rate} requests/s at ${capacity} per endpoint needs ${needed}`;
}

/** Why the capacity that the release states cannot be held against anything; undefined where it can, or it states none. */
export function capacityUnchecked({ release, observed }: Turn): string | undefined {
  if (release.spec.readiness.capacity === undefined || observed.requestRate !== undefined) return undefined;
  return 'capacity is not checked: the request rate is not known';
}

/** The weight that a release goes to next. */
export function nextWeight(turn: Turn, status: ReleaseStatus): number {
  return turn.release.spec.steps[nextStepIndex(turn, status)]?.weight ?? 100;
}

/** Whether a release would go on by itself, but for the capacity: nothing tells when the rate has changed. */
export function waitsForCapacity(turn: Turn, status: ReleaseStatus): boolean {
  const { spec } = turn.release;
  if (status.phase === 'Pending') return capacityShortage(turn, spec.canary, spec.steps[0]?.weight ?? 0) !== undefined;
  const isOver = status.holdUntil === undefined || turn.now >= Date.parse(status.holdUntil);
  return status.phase === 'Progressing' && isOver && capacityShortage(turn, status.canary, nextWeight(turn, status)) !== undefined;
}
