import type { AddCommand } from '../cli-context.ts';
import { percent } from '../reports/release-text.ts';
import { addRequestCommand } from '../request-command.ts';
import { spanText } from '../terminal/age.ts';

/** `perch resume`. */
export const addResume: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'resume',
    description: 'go on with a paused release',
    examples: [['perch resume reviews', 'the step goes on with the time that it had left']],
    done: ({ status }) => {
      const next = status?.holdUntil === undefined ? '' : `, next step in ${spanText(Date.parse(status.holdUntil) - Date.now())}`;
      return `goes on at ${percent(status?.weight ?? 0)}${next}`;
    },
  });
};
