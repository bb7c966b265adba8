import type { AddCommand } from '../cli-context.ts';
import { printable } from '../clip.ts';
import { addRequestCommand } from '../request-command.ts';

/** `perch retry`. */
export const addRetry: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'retry',
    description: 'start a release that was rolled back once more, from its first step',
    examples: [['perch retry reviews', 'the same pair again']],
    done: ({ status }) => `starts again: ${printable(status?.message ?? 'from its first step')}`,
  });
};
