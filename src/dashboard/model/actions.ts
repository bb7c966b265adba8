import { describeStep } from '../../core/release/describe-step.ts';
import { requestEffect } from '../../core/release/requests.ts';
import type { RequestAction } from '../../core/release/status.ts';
import { nextStepIndex, type Release, versionNames } from './release.ts';

/** Something that can be asked of a release now. */
export interface Action {
  readonly action: RequestAction;
  /** Beside promote: to the end at once. */
  readonly isFull: boolean;
  /** What the button says: a verb first. */
  readonly label: string;
  /** What the dialog asks. */
  readonly question: string;
}

const ORDER: readonly RequestAction[] = ['promote', 'pause', 'resume', 'rollback', 'retry'];

/** What a release would do if it were asked now, in the order of its buttons: what it would refuse in its phase is not among it. */
export function actionsOf(release: Release): readonly Action[] {
  const { metadata, status } = release;
  if (status === undefined || metadata.deletionTimestamp !== undefined) return [];
  if (status.phase === 'Pending' && status.history.at(0)?.outcome !== 'Succeeded') return [];
  const possible = ORDER.filter((action) => requestEffect(status.phase, action).kind !== 'refuse')
    // To resume from a manual hold is to promote.
    .filter((action) => action !== 'resume' || status.pausedBy !== 'hold');
  return possible.flatMap((action) => (action === 'promote' ? promotions(release) : [otherAction(release, action)]));
}

function promotions(release: Release): readonly Action[] {
  const { canary, service } = versionNames(release);
  const { steps } = release.spec;
  const index = nextStepIndex(release);
  const step = steps[index];
  const full: Action = {
    action: 'promote',
    isFull: true,
    label: 'Promote to the end',
    question: `Promote ${service} ${canary} to the end, past all steps that are left?`,
  };
  if (step === undefined) return [{ ...full, isFull: false, question: `Make ${service} ${canary} the live version now?` }];
  const to = describeStep(step);
  const next: Action = {
    action: 'promote',
    isFull: false,
    label: `Promote to ${to}`,
    question: `Promote ${service} ${canary} to ${to} now?`,
  };
  return index === steps.length - 1 ? [next] : [next, full];
}

function otherAction(release: Release, action: Exclude<RequestAction, 'promote'>): Action {
  const { stable, canary, service } = versionNames(release);
  const { phase } = release.status ?? {};
  const name = `${service} ${canary}`;
  switch (action) {
    case 'pause':
      return { action, isFull: false, label: 'Pause', question: `Pause ${name} where it is?` };
    case 'resume':
      return { action, isFull: false, label: 'Resume', question: `Let ${name} go on?` };
    case 'retry':
      return { action, isFull: false, label: 'Retry', question: `Start ${name} again, from its first step?` };
    case 'rollback': {
      const to = phase === 'Pending' ? 'the version before the live one' : stable;
      return { action, isFull: false, label: 'Roll back', question: `Roll back to ${to}?` };
    }
  }
}
