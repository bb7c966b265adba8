import { describeVersion } from '../../core/release/version.ts';
import type { AddCommand } from '../cli-context.ts';
import { pairOf, stepText } from '../reports/release-text.ts';
import { addRequestCommand } from '../request-command.ts';

/** `perch promote`. */
export const addPromote: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'promote',
    description: 'go to the next step now, without waiting for the hold',
    full: 'to the end at once, past all steps that are left',
    examples: [
      ['perch promote reviews', 'the next step; after the last one v2 is the live version'],
      ['perch promote reviews --wait succeeded', 'and wait for the end of the release'],
      ['perch promote reviews --full', 'everyone, now; v2 is the live version'],
      ['perch promote reviews --no-wait', 'ask for it and return at once'],
    ],
    done: (release) => {
      if (release.status?.phase !== 'Succeeded') return stepText(release);
      return `${describeVersion(pairOf(release).canary)} is the live version, for everyone`;
    },
  });
};
