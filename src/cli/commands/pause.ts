import type { AddCommand } from '../cli-context.ts';
import { releaseCommand } from '../invocation.ts';
import { percent } from '../reports/release-text.ts';
import { addRequestCommand } from '../request-command.ts';

/** `perch pause`. */
export const addPause: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'pause',
    description: 'stay on this step until someone resumes or promotes',
    examples: [
      ['perch pause reviews', 'nobody moves; the clock of the step stops'],
      ['perch resume reviews', 'go on later'],
    ],
    done: ({ metadata, status }, invocation) =>
      `paused at ${percent(status?.weight ?? 0)}; ${releaseCommand(invocation, 'resume', metadata)} goes on`,
  });
};
