import type { CanaryReleaseSpec } from './canary-release.ts';
import { asksForNewRelease } from './change.ts';
import { parseDuration } from './durations.ts';
import type { ReleaseStatus } from './status.ts';
import { sameVersion } from './version.ts';

/**
 * When the former version of a release that has succeeded is to be scaled down, in ms since the epoch; undefined where it is not, was already, or is none that this
 * release brought visitors away from.
 */
export function scaleDownAt(
  spec: Pick<CanaryReleaseSpec, 'canary' | 'stable' | 'revision' | 'scaling'>,
  status: ReleaseStatus | undefined,
): number | undefined {
  const { delay } = spec.scaling?.afterSuccess ?? {};
  if (delay === undefined || status?.phase !== 'Succeeded' || asksForNewRelease(spec, status)) return undefined;
  const { stable, liveVersion, scaling, history } = status;
  const [ended] = history;
  const isThis = ended?.outcome === 'Succeeded' && sameVersion(ended.canary, liveVersion) && sameVersion(ended.stable, stable);
  if (!isThis || stable === undefined || sameVersion(stable, liveVersion)) return undefined;
  if (scaling?.former?.isDone === true && sameVersion(scaling.former.version, stable)) return undefined;
  const ms = parseDuration(delay);
  if (ms === undefined) throw new Error(`${delay} passed validation but is no duration`);
  return Date.parse(ended.endedAt) + ms;
}
