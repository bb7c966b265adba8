import { asksForNewRelease, wantedInstead } from './change.ts';
import { withHistory } from './history.ts';
import { backToStable, stableName } from './roll-back.ts';
import { toNewStart } from './start.ts';
import type { ReleaseStatus } from './status.ts';
import { event, type Move, readinessOf, servedEvent, type Turn } from './turn.ts';

/** Whether the spec asks for another release than the one that visitors are on, step by step. */
export function isOvertaken({ release }: Pick<Turn, 'release'>, status: ReleaseStatus): boolean {
  return (status.phase === 'Progressing' || status.phase === 'Paused') && asksForNewRelease(release.spec, status);
}

/**
 * Progressing and Paused: another release is asked for, so everyone goes back to stable first; what starts then finds nobody on a canary. It
 * waits while stable could not take them, or while nothing is to move (`spec.suspend`).
 */
export function supersede(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!isOvertaken(turn, status) || turn.release.spec.suspend || readinessOf(turn, status.stable).ready !== true) return undefined;
  const reason = `superseded by ${wantedInstead(turn.release.spec, status)}`;
  const next = backToStable(status, 'Superseded', { reason, weight: status.weight });
  const message = `${reason}: everyone goes back to ${stableName(status)} from ${status.weight} %`;
  return { status: next, events: [event(turn, 'Superseding', message)] };
}

/** Superseded: over once the data plane serves stable to everyone; then whatever the spec wants by now begins. */
export function finishSuperseded(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!turn.confirmed) return undefined;
  const reason = status.rollback?.reason ?? 'superseded';
  const next = toNewStart(withHistory(turn, status, 'Superseded', { reason }));
  return { status: next, events: [servedEvent(turn, 'Superseded', `${reason}: everyone is on ${stableName(status)}`)] };
}

/** What keeps a release that is overtaken where it is. */
export function waitingToSupersede(turn: Turn, status: ReleaseStatus): string {
  const wanted = `superseded by ${wantedInstead(turn.release.spec, status)}`;
  if (turn.release.spec.suspend) return `${wanted} once spec.suspend is taken away`;
  return `${wanted} once ${stableName(status)} is ready: ${readinessOf(turn, status.stable).reason}`;
}
