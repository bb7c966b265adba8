import { parseDuration } from './durations.ts';
import { paused } from './pause.ts';
import { isExposed } from './phase.ts';
import { rollBack } from './roll-back.ts';
import type { ReleaseStatus } from './status.ts';
import { withChanges } from './status-change.ts';
import { event, type Move, readinessOf, type Turn } from './turn.ts';
import { describeVersion } from './version.ts';

/** How long a version may be without ready endpoints before the machine acts on it, in ms. */
export function graceOf({ release }: Pick<Turn, 'release'>): number {
  const ms = parseDuration(release.spec.readiness.grace);
  if (ms === undefined) throw new Error(`${release.spec.readiness.grace} passed validation but is no duration`);
  return ms;
}

/** Whether a version has been lost for the whole grace. */
export function graceIsOver(turn: Turn, since: string | undefined): boolean {
  return since !== undefined && turn.now - Date.parse(since) >= graceOf(turn);
}

/**
 * Watches the canary's endpoints while visitors are on it: lost for longer than the grace, everyone goes back to stable, or the release is
 * paused where it stands, as `onCanaryUnavailable` says. Paused is a stop for the release only: its visitors get errors until it returns.
 */
export function watchCanary(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!isExposed(status.phase) || status.canary === undefined) return undefined;
  const canary = readinessOf(turn, status.canary);
  const name = describeVersion(status.canary);
  if (canary.ready === true && status.canaryLostSince !== undefined) {
    return {
      status: withChanges(status, { canaryLostSince: undefined }),
      events: [event(turn, 'CanaryFound', `${name} has ready endpoints again`)],
    };
  }
  // Not known is not lost: just after a start nobody has asked the endpoints yet.
  if (canary.ready !== false) return undefined;
  const { onCanaryUnavailable, grace } = turn.release.spec.readiness;
  if (status.canaryLostSince === undefined) {
    const follows = onCanaryUnavailable === 'pause' ? 'paused' : 'rolled back';
    const message = `${name} has no ready endpoints (${canary.reason}): ${follows} in ${grace} unless they return`;
    return {
      status: withChanges(status, { canaryLostSince: turn.at }),
      events: [event(turn, 'CanaryLost', message, { type: 'Warning' })],
    };
  }
  if (!graceIsOver(turn, status.canaryLostSince)) return undefined;
  const cause = `${name} had no ready endpoints for ${grace}`;
  if (onCanaryUnavailable === 'rollback')
    return readinessOf(turn, status.stable).ready === true ? rollBack(turn, status, cause) : undefined;
  if (status.phase !== 'Progressing') return undefined;
  const message = `paused at ${status.weight} %: ${cause}; visitors on it get errors until they return`;
  return { status: paused(turn, status, 'canaryLost'), events: [event(turn, 'Paused', message, { type: 'Warning' })] };
}

/**
 * Watches stable's endpoints while visitors are on it. Nothing can be done about them: the canary was chosen for a share of the visitors,
 * not for all. So everyone stays, and it is said, once.
 */
export function watchStable(turn: Turn, status: ReleaseStatus): Move | undefined {
  // Before a release it is start.ts that watches.
  if (status.phase === 'Pending') return undefined;
  const isWatched = (status.phase === 'Progressing' || status.phase === 'Paused') && status.stable !== undefined;
  const ready = isWatched ? readinessOf(turn, status.stable).ready : true;
  if (ready === true) {
    if (status.stableLostSince === undefined) return undefined;
    const found = isWatched ? [event(turn, 'StableFound', `${nameOf(status.stable)} has ready endpoints again`)] : [];
    return { status: withChanges(status, { stableLostSince: undefined }), events: found };
  }
  if (ready === undefined || status.stableLostSince !== undefined) return undefined;
  const { reason } = readinessOf(turn, status.stable);
  const message = `${stableLoss(status)} (${reason})`;
  return {
    status: withChanges(status, { stableLostSince: turn.at }),
    events: [event(turn, 'StableLost', message, { type: 'Warning' })],
  };
}

/** Whether visitors have been on a canary without ready endpoints for longer than the grace. */
export function canaryIsGone(turn: Turn, status: ReleaseStatus): boolean {
  if (!isExposed(status.phase) || !graceIsOver(turn, status.canaryLostSince)) return false;
  return readinessOf(turn, status.canary).ready === false;
}

/** Whether visitors are on a canary that is gone, and stable could not take them either. */
export function nothingIsReady(turn: Turn, status: ReleaseStatus): boolean {
  return canaryIsGone(turn, status) && readinessOf(turn, status.stable).ready !== true;
}

/** What is lost while visitors are on it, and what follows, in sentences. */
export function lossMessages(turn: Turn, status: ReleaseStatus): readonly string[] {
  if (nothingIsReady(turn, status)) return ['neither version has ready endpoints: everyone stays where they are'];
  const messages: string[] = [];
  const { canaryLostSince: since, phase } = status;
  if (isExposed(phase) && since !== undefined) {
    const name = nameOf(status.canary);
    const isPause = turn.release.spec.readiness.onCanaryUnavailable === 'pause';
    const follows = `${isPause ? 'paused' : 'rolled back'} at ${new Date(Date.parse(since) + graceOf(turn)).toISOString()} unless they return`;
    const stays = 'visitors on it get errors; roll back, or resume once they are back';
    messages.push(`${name} has no ready endpoints since ${since}: ${graceIsOver(turn, since) && isPause ? stays : follows}`);
  }
  if (phase !== 'Pending' && status.stableLostSince !== undefined) messages.push(stableLoss(status));
  return messages;
}

/** Why a paused release may not go on: it would stop again at once. `unknown`: that is not known yet. */
export function resumeBlocked(turn: Turn, status: ReleaseStatus): { readonly reason: string } | 'unknown' | undefined {
  if (status.pausedBy !== 'canaryLost') return undefined;
  const { ready, reason } = readinessOf(turn, status.canary);
  if (ready === undefined) return 'unknown';
  return ready ? undefined : { reason: `${nameOf(status.canary)} has no ready endpoints: ${reason}` };
}

function stableLoss({ stable, weight }: ReleaseStatus): string {
  const visitors = weight < 100 ? 'visitors on it get errors, and ' : '';
  return `${nameOf(stable)} has no ready endpoints: ${visitors}no rollback is possible until they return`;
}

function nameOf(version: ReleaseStatus['canary']): string {
  return version === undefined ? 'a version' : describeVersion(version);
}
