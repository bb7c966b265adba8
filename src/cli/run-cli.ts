import { Command, CommanderError, Option } from 'commander';
import { ApiProblem } from './api-client.ts';
import { type AddCommand, type CliContext, DEFAULT_SERVER } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { addApply } from './commands/apply.ts';
import { addDelete } from './commands/delete.ts';
import { addDemo } from './commands/demo.ts';
import { addDescribe } from './commands/describe.ts';
import { addGet } from './commands/get.ts';
import { addPause } from './commands/pause.ts';
import { addPromote } from './commands/promote.ts';
import { addResume } from './commands/resume.ts';
import { addRetry } from './commands/retry.ts';
import { addRollback } from './commands/rollback.ts';
import { addServe } from './commands/serve.ts';
import { addStatus } from './commands/status.ts';
import { addVersion } from './commands/version.ts';

/** In the order of the help. */
const COMMANDS: readonly AddCommand[] = [
  addDemo,
  addServe,
  addApply,
  addGet,
  addDescribe,
  addStatus,
  addPromote,
  addPause,
  addResume,
  addRollback,
  addRetry,
  addDelete,
  addVersion,
];

/** The whole command line, ready to parse. */
export function createProgram(context: CliContext): Command {
  const { terminal } = context;
  const program = new Command('perch')
    .description('Canary releases where every visitor stays put.')
    .addOption(new Option('--server <url>', 'the runtime to talk to').env('PERCH_SERVER').default(DEFAULT_SERVER))
    .addOption(new Option('-n, --namespace <name>', 'the namespace to look in').default('default'))
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.raw(text),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true, helpWidth: 100 })
    .showHelpAfterError('(perch COMMAND --help says more)')
    .addHelpText('after', '\nPerch runs on this machine: perch demo shows it, perch serve -f DIR serves your own Istio files.');
  for (const add of COMMANDS) add(program, context);
  return program;
}

/** Says why a command failed; gives the exit code. */
function report(error: unknown, { terminal, signal }: CliContext): number {
  const fail = (message: string): void => terminal.err(`${terminal.errStyle.bad('error:')} ${message}`);
  // Commander has said what is wrong, or has printed the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError) {
    fail(error.message);
    return error.exitCode;
  }
  if (error instanceof ApiProblem) {
    fail(`${error.message} (${error.problem.code})`);
    return error.problem.code === 'PERCH4008' ? 1 : 2;
  }
  if (signal.aborted) return 130;
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return 2;
}

/** Runs one command line; gives its exit code: 0 done, 1 findings or a release that failed, 2 could not run, 130 interrupted. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const program = createProgram(context);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, context);
  }
}
