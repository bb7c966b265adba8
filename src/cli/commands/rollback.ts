import { describeVersion } from '../../core/release/version.ts';
import type { AddCommand } from '../cli-context.ts';
import { addRequestCommand } from '../request-command.ts';

/** `perch rollback`. */
export const addRollback: AddCommand = (program, context) => {
  addRequestCommand(program, context, {
    action: 'rollback',
    description: 'take everyone back to the version before, with their next request',
    examples: [
      ['perch rollback reviews', 'returns once the routes are in force; also after the release has succeeded'],
      ['perch rollback reviews --by "on-call: errors"', 'with a reason, for the record'],
    ],
    done: ({ spec, status }) => {
      const live = status?.liveVersion ?? status?.stable ?? spec.stable;
      const everyone = live === undefined ? 'everyone is on the version before' : `everyone is on ${describeVersion(live)}`;
      return `rolled back, ${everyone} with their next request`;
    },
  });
};
