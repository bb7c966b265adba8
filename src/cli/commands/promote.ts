import { describeVersion } from '../../core/release/version.ts';
import type { AddCommand } from '../cli-context.ts';
import { percent } from '../reports/release-text.ts';
import { addRequestCommand } from '../request-command.ts';

/** `perch promote`. */
export const addPromote: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'promote',
    description: 'go to the next step now, without waiting for the hold',
    examples: [
      ['perch promote reviews', 'the next step; after the last one v2 is the live version'],
      ['perch promote reviews --wait succeeded', 'and wait for the end of the release'],
      ['perch promote reviews --no-wait', 'ask for it and return at once'],
    ],
    done: ({ spec, status }) => {
      const canary = describeVersion(status?.canary ?? spec.canary);
      if (status?.phase === 'Succeeded') return `${canary} is the live version, for everyone`;
      return `step ${(status?.step ?? 0) + 1} of ${spec.steps.length}, ${canary} for ${percent(status?.weight ?? 0)} of visitors`;
    },
  });
};
