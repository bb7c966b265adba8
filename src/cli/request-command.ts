import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import type { RequestAction } from '../core/release/status.ts';
import type { ReleaseView } from '../server/release-resource.ts';
import { type CliContext, examples, targetOf } from './cli-context.ts';
import { printable } from './clip.ts';
import { CommandError } from './command-error.ts';
import { missingObject } from './missing-object.ts';
import { outputOption, parseSpan } from './options.ts';
import { writeValue } from './output.ts';

/** A command that asks a release for something. */
export interface RequestCommand {
  readonly action: RequestAction;
  readonly description: string;
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** What holds now, in one clause, once the request is in effect. */
  readonly done: (release: ReleaseView) => string;
}

interface RequestOptions {
  readonly wait: boolean;
  readonly timeout: number;
  readonly by?: string;
  readonly output?: 'json' | 'yaml';
}

/** Who asks, as far as this machine knows. */
function whoAsks(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A user id without an entry in the password file, as in many containers.
    return `uid ${process.getuid?.() ?? '?'}@${hostname()}`;
  }
}

/** Adds `promote`, `pause`, `resume`, `rollback` or `retry`: post the request, wait for its outcome, say in one line what holds now. */
export function addRequestCommand(program: Command, context: CliContext, spec: RequestCommand): void {
  const { terminal } = context;
  program
    .command(spec.action)
    .description(spec.description)
    .argument('<name>', 'the release')
    .option('--no-wait', 'do not wait for the outcome')
    .addOption(new Option('--timeout <duration>', 'how long to wait for the outcome').argParser(parseSpan).default(60_000, '60s'))
    .option('--by <who>', 'who asks, for the record (default: you, on this machine)')
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', examples(...spec.examples))
    .action(async (name: string, options: RequestOptions, command) => {
      const { client, namespace } = targetOf(command, context);
      const request = { id: randomUUID(), action: spec.action, by: options.by ?? whoAsks() };
      const ref = { kind: 'CanaryRelease', namespace, name };
      const answer = await client.request(namespace, name, request, options.wait ? Math.min(options.timeout, 600_000) : 0);
      if (answer === undefined) throw await missingObject(client, ref);
      const release = await client.release(namespace, name);
      if (options.output !== undefined) {
        const { phase, step, weight } = release?.status ?? {};
        await writeValue(terminal, options.output, {
          namespace,
          name,
          ...request,
          outcome: answer.state,
          message: answer.message,
          phase,
          step,
          weight,
        });
      } else if (answer.state === 'done' && release !== undefined) {
        terminal.out(`${name}: ${spec.done(release)}`);
      } else if (!options.wait) {
        terminal.out(`${name}: ${spec.action} was asked for`);
      }
      if (options.wait && answer.state !== 'done') {
        const where = release?.status === undefined ? '' : `; ${printable(release.status.message)}`;
        throw new CommandError(`${name}: ${spec.action} was asked for, but is not in effect yet${where}`, 1);
      }
    });
}
