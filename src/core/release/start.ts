import { offsetOf } from '../visitor/cohort.ts';
import { canaryCookieOf } from './canary-cookie.ts';
import type { Version } from './canary-release.ts';
import { capacityShortage } from './capacity.ts';
import { asksForNewRelease } from './change.ts';
import { describeStep } from './describe-step.ts';
import { graceIsOver } from './endpoints.ts';
import { replicasMissing } from './replicas.ts';
import type { ReleaseStatus } from './status.ts';
import { atWeight, NO_HOLD, withChanges, withScaling } from './status-change.ts';
import { event, type Move, readinessOf, type Turn } from './turn.ts';
import { describeVersion, sameVersion } from './version.ts';

/** Succeeded and RolledBack: another pair or a new revision begins a new release; the same pair never starts again by itself. */
export function leaveSettled(turn: Turn, status: ReleaseStatus): Move | undefined {
  if (!asksForNewRelease(turn.release.spec, status)) return undefined;
  return { status: toPending(status), events: [] };
}

/** What a release that has not started looks like; the live version, the last pair and the history stay. */
function toPending(status: ReleaseStatus): ReleaseStatus {
  const next = withScaling(status, { last: undefined });
  return withChanges(next, { ...NO_HOLD, phase: 'Pending', step: -1, ...atWeight(status, 0), canaryLostSince: undefined });
}

/** As above, with the last pair forgotten: whatever the spec asks for is new, also the same pair again. */
export function toNewStart(status: ReleaseStatus): ReleaseStatus {
  return withChanges(toPending(status), { stable: undefined, canary: undefined, revision: undefined, rollback: undefined });
}

/** Pending: start once nothing is missing, or find that there is nothing to do. */
export function pending(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { spec } = turn.release;
  // Going back comes first, once it is known whether there is a version to go back to.
  if (turn.rollbackWaits) return undefined;
  if (!asksForNewRelease(spec, status)) {
    // The spec went back to the last release's pair before anything new began.
    return { status: backToSettled(status), events: [] };
  }
  return nothingToRelease(turn, status) ?? watchStable(turn, status) ?? start(turn, status);
}

/** What a release that has not started waits for, in sentences; empty when it can start. */
export function missingToStart(turn: Turn, status: ReleaseStatus): readonly string[] {
  const { canary, steps } = turn.release.spec;
  const weight = steps[0]?.weight ?? 0;
  const replicas = replicasMissing(turn, status, weight);
  const unready = replicas === undefined ? notReady(turn, canary) : [replicas];
  const short = [readinessOf(turn, canary).rollout, capacityShortage(turn, canary, weight)];
  return [...missingBesideCanary(turn, status), ...(unready.length > 0 ? unready : short.filter((each) => each !== undefined))];
}

/** The same without what the canary lacks itself. */
export function missingBesideCanary(turn: Turn, status: ReleaseStatus): readonly string[] {
  const { release, observed } = turn;
  const { liveVersion } = status;
  const stable = release.spec.stable ?? liveVersion;
  const missing = [...held(turn), ...observed.problems];
  if (stable === undefined) missing.push('spec.stable is missing: the first release has to name the version before');
  else if (liveVersion !== undefined && !sameVersion(stable, liveVersion)) {
    const live = describeVersion(liveVersion);
    missing.push(`spec.stable is ${describeVersion(stable)}, but ${live} is live: write ${live}, or leave spec.stable out`);
  } else missing.push(...notReady(turn, stable));
  return [...missing, ...cookieInUse(turn, status)];
}

/** What keeps anything from starting, whatever is there. */
function held({ release, rollbackWaits }: Turn): readonly string[] {
  return [...(release.spec.suspend ? ['spec.suspend is true: nothing starts'] : []), ...(rollbackWaits ? ['a rollback is asked for'] : [])];
}

/** A cookie value of the user's own that another canary's release had: its holders would be on this canary at once, whatever its weight. */
function cookieInUse({ release }: Turn, { history, started }: ReleaseStatus): readonly string[] {
  const { namespace, name, spec } = release;
  const next = canaryCookieOf({ namespace, name, started, spec });
  const former = history.find(
    ({ canary, canaryCookie }) =>
      next !== undefined && canaryCookie?.name === next.name && canaryCookie.value === next.value && !sameVersion(canary, spec.canary),
  );
  if (next === undefined || former === undefined) return [];
  const why = `is that of the release of ${describeVersion(former.canary)}, whose holders would go to ${describeVersion(spec.canary)} at once`;
  return [`spec.affinity.cookie.value ${next.value} ${why}: write another value, or leave it out`];
}

function notReady(turn: Turn, version: Version): readonly string[] {
  const { ready, reason } = readinessOf(turn, version);
  if (ready === true) return [];
  const name = describeVersion(version);
  return [ready === undefined ? `not known yet whether ${name} is ready` : `${name} is not ready: ${reason}`];
}

/** The wanted version is what everyone gets already: with no status to say so, the base does. Nothing starts, nothing moves backwards. */
function nothingToRelease(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { canary, stable } = turn.release.spec;
  const { liveVersion } = status;
  const baseIsThere = liveVersion === undefined && sameVersion(turn.observed.baseVersion, canary);
  const liveIsThere = stable === undefined && sameVersion(liveVersion, canary);
  if (!baseIsThere && !liveIsThere) return undefined;
  return settleAtCanary(turn, status, `${describeVersion(canary)} is the live version already: nothing to release`);
}

/**
 * Before a first release, stable without endpoints beside a ready canary is what a rebuilt cluster looks like after a release that had
 * succeeded. The grace keeps a stable that merely starts a moment later than the canary from losing its traffic.
 */
function watchStable(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { canary, stable } = turn.release.spec;
  const first = status.liveVersion === undefined && turn.observed.problems.length === 0;
  const lost = first && readinessOf(turn, stable).ready === false && readinessOf(turn, canary).ready === true;
  if (!lost) {
    return status.stableLostSince === undefined ? undefined : { status: withChanges(status, { stableLostSince: undefined }), events: [] };
  }
  if (status.stableLostSince === undefined) return { status: withChanges(status, { stableLostSince: turn.at }), events: [] };
  if (!graceIsOver(turn, status.stableLostSince) || turn.release.spec.suspend) return undefined;
  return settleAtCanary(turn, status, `only ${describeVersion(canary)} has ready endpoints: it is taken as the live version`);
}

function settleAtCanary(turn: Turn, status: ReleaseStatus, message: string): Move {
  const { canary, stable, revision } = turn.release.spec;
  const next = withChanges(backToSettled(withChanges(status, { canary, liveVersion: canary })), {
    stable,
    revision,
    stableLostSince: undefined,
  });
  return { status: next, events: [event(turn, 'Succeeded', message)] };
}

/** The phase that a release without anything under way has: it is told by which of its pair is live. */
function backToSettled(status: ReleaseStatus): ReleaseStatus {
  const succeeded = sameVersion(status.liveVersion, status.canary);
  return withChanges(status, {
    phase: succeeded ? 'Succeeded' : 'RolledBack',
    ...atWeight(status, succeeded ? 100 : 0),
  });
}

function start(turn: Turn, status: ReleaseStatus): Move | undefined {
  const { release, at } = turn;
  const { canary, revision, cohort, steps } = release.spec;
  const stable = release.spec.stable ?? status.liveVersion;
  const first = steps[0];
  if (missingToStart(turn, status).length > 0 || stable === undefined || first === undefined) return undefined;
  const { namespace, name, spec } = release;
  const { started } = status;
  const canaryCookie = canaryCookieOf({ namespace, name, started, spec });
  const offset = canaryCookie === undefined ? offsetOf({ namespace, name, revision, started, cohort }) : undefined;
  const next = withChanges(withScaling(status, { former: undefined }), {
    phase: 'Progressing',
    step: 0,
    ...atWeight({ offset }, first.weight),
    offset,
    canaryCookie,
    started: started + 1,
    liveVersion: stable,
    stable,
    canary,
    revision,
    startedAt: at,
    rollback: undefined,
    promotion: undefined,
    stableLostSince: undefined,
  });
  const pair = `${describeVersion(stable)} to ${describeVersion(canary)}`;
  return {
    status: next,
    events: [
      event(turn, 'Started', `release from ${pair} starts`),
      event(turn, 'StepStarted', `step 1 of ${steps.length}: ${describeStep(first)}`),
    ],
  };
}
