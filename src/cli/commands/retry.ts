import type { AddCommand } from '../cli-context.ts';
import { stepText } from '../reports/release-text.ts';
import { addRequestCommand } from '../request-command.ts';
import { printable } from '../terminal/clip.ts';

/** `perch retry`. */
export const addRetry: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'retry',
    description: 'start a release that was rolled back once more, from its first step',
    examples: [
      ['perch retry reviews', 'the same pair again'],
      ['perch retry reviews --wait succeeded', 'and wait for its end'],
    ],
    done: (release) => {
      const { status } = release;
      if (status === undefined || status.step < 0) return `starts again: ${printable(status?.message ?? 'from its first step')}`;
      return `starts again, ${stepText(release)}`;
    },
  });
};
