import type { ExposureSummary } from '../evidence/exposure.ts';
import type { ForecastView } from '../view/forecast-view.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import type { Version } from './canary-release.ts';
import { describeStep } from './describe-step.ts';
import { formatDuration } from './durations.ts';
import { advance } from './machine.ts';
import { versionsToObserve } from './observed.ts';
import { isExposed } from './phase.ts';
import { handledRequest } from './requests.ts';
import { stableName } from './roll-back.ts';
import type { ReleaseStatus } from './status.ts';
import { initialStatus } from './status-change.ts';
import type { ReleaseInput } from './turn.ts';
import { describeVersion, sameVersion } from './version.ts';

/** What is asked for, by whatever id and whomever. */
type Asked = Pick<ForecastView, 'action' | 'full'>;

/** A release as it is now. `exposure`: undefined where visitors are not counted; `now` in ms since the epoch. */
interface ReleaseNow {
  readonly release: ReleaseInput;
  readonly status: ReleaseStatus | undefined;
  readonly deletion: boolean;
  readonly exposure: ExposureSummary | undefined;
  readonly now: number;
}

/** With a character that no request's id has. */
const ID = '(forecast)';

/**
 * What a request would do now. The release machine itself says it (`advance`), told that the endpoints are as its status last knew them and that nothing else
 * keeps routes from being woven, so a forecast cannot differ from what is done but by what is not known here.
 */
export function forecastRequest(now: ReleaseNow, { action, full }: Asked): ForecastView {
  const asked = { action, ...(full === undefined ? {} : { full }) };
  const before = now.status ?? initialStatus();
  const after = statusAfter(now, asked);
  const handled = handledRequest(after, ID);
  if (handled?.outcome === 'refused') return { ...asked, allowed: false, sentence: `Not now: ${handled.message}` };
  const moves = movesOf(before, after, now.exposure);
  const sentence = `${headline(now, asked, before, after)}: ${movesText(before, after, moves)}`;
  return { ...asked, allowed: handled !== undefined, sentence, ...(moves === undefined ? {} : { moves }) };
}

function statusAfter({ release, status, deletion, now }: ReleaseNow, { action, full }: Asked): ReleaseStatus {
  const request = { id: ID, action, ...(full === undefined ? {} : { full }), by: ID };
  const { canary, stable } = versionsToObserve(release.spec, status, request);
  const readiness = (version: Version) => {
    const known = status?.endpoints?.find((count) => sameVersion(count.version, version));
    return { ready: known === undefined || known.ready > 0, reason: 'none of its endpoints is ready' };
  };
  const observed = {
    ...{ canary: readiness(canary), stable: stable === undefined ? undefined : readiness(stable) },
    ...{ problems: [], baseVersion: stable, routesConfirmed: false, request, deletion },
  };
  return advance(release, status, observed, now).status;
}

/** The share of visitors on the canary, 0 to 1, and those whom a step picks left out. */
function shareOf({ phase, weight, cutoff, liveVersion, canary }: ReleaseStatus): number {
  switch (phase) {
    case 'Progressing':
    case 'Paused':
      return cutoff === undefined ? weight / 100 : cutoff / BUCKETS;
    case 'Completing':
    case 'Succeeded':
      return 1;
    case 'Pending':
      // Of the release before it, if that succeeded.
      return canary !== undefined && sameVersion(canary, liveVersion) ? 1 : 0;
    case 'RollingBack':
    case 'RolledBack':
    case 'Superseded':
      return 0;
  }
}

/** Where visitors go; undefined: nowhere. */
function directionOf(before: ReleaseStatus, after: ReleaseStatus): 'canary' | 'stable' | undefined {
  // Also of a step that picks visitors, who are no share.
  if (after.phase === 'RollingBack') return 'stable';
  return shareOf(after) > shareOf(before) ? 'canary' : undefined;
}

function movesOf(before: ReleaseStatus, after: ReleaseStatus, exposure: ExposureSummary | undefined): ForecastView['moves'] {
  const to = directionOf(before, after);
  if (exposure?.counts !== 'visitors' || exposure.visitors.total === 0 || to === undefined) return undefined;
  const { total, canary } = exposure.visitors;
  if (to === 'stable') return { visitors: canary, of: total, to, isEstimate: exposure.sampled };
  // Each of those on stable moves with the same chance.
  const chance = (shareOf(after) - shareOf(before)) / (1 - shareOf(before));
  return { visitors: Math.round((total - canary) * chance), of: total, to, isEstimate: chance < 1 || exposure.sampled };
}

function headline({ release, now }: ReleaseNow, { action, full }: Asked, before: ReleaseStatus, after: ReleaseStatus): string {
  const place = placeOf(release, after);
  switch (action) {
    case 'rollback':
      return `Roll back to ${stableName(after)}`;
    case 'pause':
      return `Pause at ${place}, and let the hold stand still`;
    case 'retry':
      return `Start again at ${place}`;
    case 'promote':
      return promotion(after, place, full);
    case 'resume': {
      if (before.pausedBy === 'hold') return promotion(after, place, full);
      const left = after.holdUntil === undefined ? undefined : Math.max(0, Date.parse(after.holdUntil) - now);
      return left === undefined
        ? `Resume at ${place}`
        : `Resume at ${place}, with ${formatDuration(Math.ceil(left / 1000) * 1000)} of the hold left`;
    }
  }
}

function promotion(after: ReleaseStatus, place: string, full: boolean | undefined): string {
  if (after.phase === 'Progressing') return `Promote to ${place}`;
  return full === true
    ? `Promote to the end: ${canaryName(after)} becomes the live version`
    : `End the last hold: ${canaryName(after)} becomes the live version`;
}

function placeOf({ spec }: ReleaseInput, { step, weight }: ReleaseStatus): string {
  const { match } = spec.steps[step] ?? {};
  return weight === 0 && match !== undefined ? `step ${step + 1} (${describeStep({ match })})` : `${weight} %`;
}

function movesText(before: ReleaseStatus, after: ReleaseStatus, moves: ForecastView['moves']): string {
  const [stable, canary] = [stableName(after), canaryName(after)];
  const isPicked = after.weight === 0 && after.phase === 'Progressing' && (after.step !== before.step || !isExposed(before.phase));
  if (isPicked) return `those picked move from ${stable} to ${canary} with their next request`;
  const to = directionOf(before, after);
  if (to === undefined) return 'nobody moves';
  const way = `${to === 'canary' ? `from ${stable} to ${canary}` : `from ${canary} back to ${stable}`} with their next request`;
  if (moves !== undefined) {
    const { visitors, of, isEstimate } = moves;
    const who = `${counted(visitors)} of ${counted(of)} ${of === 1 ? 'visitor' : 'visitors'}`;
    return `${isEstimate ? 'about ' : ''}${who} ${visitors === 1 ? 'moves' : 'move'} ${way}`;
  }
  if (to === 'stable') return `everyone on ${canary} moves ${way}`;
  if (shareOf(after) === 1) return `everyone still on ${stable} moves ${way}`;
  if (after.canaryCookie !== undefined) return `${after.weight} % of draws lead to ${canary}, and whoever holds its cookie stays`;
  return `${percent(shareOf(after) - shareOf(before))} % of visitors move ${way}`;
}

function canaryName({ canary }: ReleaseStatus): string {
  return canary === undefined ? 'the canary' : describeVersion(canary);
}

function counted(count: number): string {
  return count.toLocaleString('en-US');
}

function percent(share: number): number {
  return Math.round(share * 1000) / 10;
}
