import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { ObjectRef } from '../cluster/store.ts';
import type { Phase, RequestAction } from '../core/release/status.ts';
import type { ReleaseView } from '../server/release-resource.ts';
import { type CliContext, examples } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import type { Invocation } from './invocation.ts';
import { missingObject } from './objects/missing-object.ts';
import { outputOption, parseSpan } from './options.ts';
import type { ReleaseClient } from './release-client.ts';
import { targetOf } from './target.ts';
import { printable } from './terminal/clip.ts';
import { writeValue } from './terminal/output.ts';
import { WAIT_HELP, waitForPhase, waitOption } from './watching/wait-for-phase.ts';
import { byOption, whoAsks } from './who-asks.ts';

/** A command that asks a release for something. */
export interface RequestCommand {
  readonly action: RequestAction;
  readonly description: string;
  /** What `--full` does, where there is such an option. */
  readonly full?: string;
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** What holds now, in one clause, once the request is in effect. */
  readonly done: (release: ReleaseView, invocation: Invocation) => string;
}

interface RequestOptions {
  /** A phase to wait for, after the outcome; false: not even for that. */
  readonly wait?: Phase | false;
  readonly timeout?: number;
  readonly full?: boolean;
  readonly by?: string;
  readonly output?: 'json' | 'yaml';
}

/** How long the outcome is waited for unless told otherwise, in ms. */
const OUTCOME_MS = 60_000;

/** Adds `promote`, `pause`, `resume`, `rollback` or `retry`: post the request, wait for its outcome, say in one line what holds now. */
export function addRequestCommand(program: Command, context: CliContext, spec: RequestCommand): void {
  const command = program.command(spec.action).description(spec.description).argument('<release>', 'its name');
  if (spec.full !== undefined) command.option('--full', spec.full);
  command
    .addOption(waitOption())
    .option('--no-wait', 'do not wait for the outcome')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait (default: 60s for the outcome, without end for a phase)').argParser(parseSpan),
    )
    .addOption(byOption())
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', WAIT_HELP)
    .addHelpText('after', examples(...spec.examples))
    .action(async (name: string, options: RequestOptions) => {
      const { client, namespace } = await targetOf(command, context);
      await ask({ context, client, spec, options, ref: { kind: 'CanaryRelease', namespace, name } });
    });
}

interface Asking {
  readonly context: CliContext;
  readonly client: ReleaseClient;
  readonly spec: RequestCommand;
  readonly options: RequestOptions;
  readonly ref: ObjectRef;
}

/** Posts the request, waits as told, and says what came of it. Throws CommandError where it is not in effect in time. */
async function ask({ context, client, spec, options, ref }: Asking): Promise<void> {
  const { namespace, name } = ref;
  const { wait, timeout, output } = options;
  const { terminal } = context;
  const started = performance.now();
  const request = { id: randomUUID(), action: spec.action, ...(options.full ? { full: true } : {}), by: options.by ?? whoAsks() };
  const waitMs = wait === false ? 0 : (timeout ?? OUTCOME_MS);
  const answer = await client.request(namespace, name, request, waitMs);
  if (answer === undefined) throw await missingObject(client, ref);
  const isDone = answer.state === 'done';
  const release = await client.release(namespace, name);
  if (output === undefined) {
    if (isDone && release !== undefined) terminal.out(`${name}: ${spec.done(release, client.invocation)}`);
    else if (wait === false) terminal.out(`${name}: ${spec.action} was asked for`);
  }
  if (isDone && typeof wait === 'string') {
    const left = timeout === undefined ? undefined : Math.max(timeout - (performance.now() - started), 0);
    await waitForPhase(context, client, [ref], { goal: wait, timeoutMs: left, isQuiet: output !== undefined });
  }
  if (output !== undefined) {
    const { phase, step, weight } = (await client.release(namespace, name))?.status ?? {};
    const { state: outcome, message } = answer;
    await writeValue(terminal, output, { namespace, name, ...request, outcome, message, phase, step, weight });
  }
  if (wait !== false && !isDone) {
    const why = answer.note ?? (release?.status === undefined ? undefined : printable(release.status.message));
    const where = why === undefined ? '' : `; ${why}`;
    throw new CommandError(`${name}: ${spec.action} was asked for, but is not in effect yet${where}`, 1);
  }
}
