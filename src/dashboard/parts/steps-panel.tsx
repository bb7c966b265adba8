import type { PlannedStep } from '../model/step-plan.ts';
import { clockText, spanText } from '../model/time-text.ts';
import { Panel } from './panel.tsx';

interface StepsPanelProps {
  readonly plan: readonly PlannedStep[];
  readonly now: number;
}

const SIGNS: Readonly<Record<PlannedStep['state'], string>> = { past: '✓', current: '▸', next: '·', 'passed over': '–' };
const WORDS: Readonly<Record<PlannedStep['state'], string>> = {
  past: 'was',
  current: 'now',
  next: 'to come',
  'passed over': 'passed over',
};

/** What was, is and comes. */
export function StepsPanel({ plan, now }: StepsPanelProps) {
  return (
    <Panel name="steps" title="Steps">
      <ol class="steps">
        {plan.map((step) => (
          <li key={step.what} class={`is-${step.state.replace(' ', '-')}`} aria-current={step.state === 'current' ? 'step' : undefined}>
            <span class="sign" aria-hidden="true">
              {SIGNS[step.state]}
            </span>
            <span class="what">{step.what}</span>
            <span class="state">{WORDS[step.state]}</span>
            <span class="times">{timesOf(step, now)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function timesOf({ state, from, until, hold }: PlannedStep, now: number): string {
  const held = hold === 'manual' ? 'until somebody promotes' : `for ${hold}`;
  if (state === 'past' && from !== undefined)
    return `${clockText(from, now)}${until === undefined ? '' : ` for ${spanText(until - from)}`}`;
  if (state === 'current') {
    const since = from === undefined ? '' : `since ${clockText(from, now)}, `;
    return until === undefined || until <= now ? `${since}${held}` : `${since}${spanText(until - now)} left`;
  }
  if (state === 'next') return from === undefined || from <= now ? held : `in ${spanText(from - now)}, ${held}`;
  return held;
}
