import { Command, CommanderError, Help, type Option } from 'commander';
import { wrap } from '../core/diagnostics/wrap.ts';
import { ApiProblem } from './api-problem.ts';
import type { AddCommand, CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import { addApply } from './commands/apply.ts';
import { addCompletion } from './commands/completion.ts';
import { addController } from './commands/controller.ts';
import { addDelete } from './commands/delete.ts';
import { addDemo } from './commands/demo.ts';
import { addDescribe } from './commands/describe.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addGet } from './commands/get.ts';
import { addHelp } from './commands/help.ts';
import { addHistory } from './commands/history.ts';
import { addManifests } from './commands/manifests.ts';
import { addPause } from './commands/pause.ts';
import { addPlan } from './commands/plan.ts';
import { addPromote } from './commands/promote.ts';
import { addRender } from './commands/render.ts';
import { addResume } from './commands/resume.ts';
import { addRetry } from './commands/retry.ts';
import { addRollback } from './commands/rollback.ts';
import { addRoute } from './commands/route.ts';
import { addServe } from './commands/serve.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStatus } from './commands/status.ts';
import { addVersion } from './commands/version.ts';
import { COMPLETE } from './completion/completion-script.ts';
import { perchVersion } from './perch-version.ts';
import { targetOptions } from './target-choice.ts';
import type { Terminal } from './terminal/terminal.ts';

/** In the order of the help, each group under its title. */
const GROUPS: readonly (readonly [title: string, commands: readonly AddCommand[]])[] = [
  ['Run', [addDemo, addServe, addController, addManifests]],
  ['Objects', [addApply, addGet, addDescribe, addDelete]],
  ['Releases', [addStatus, addHistory, addPromote, addPause, addResume, addRollback, addRetry]],
  ['Examine', [addRoute, addPlan, addRender, addSimulate, addDoctor]],
  ['More', [addHelp, addExplain, addCompletion, addVersion]],
];

/** Help is read on terminals of 80 columns, and so written for them, wherever it is shown. */
const HELP_COLUMNS = 80;

const EXIT_CODES = `
Exit codes: 0 done; 1 findings, or a release that failed; 2 could not run;
130 interrupted.`;

const ABOUT = `
Perch runs on this machine: perch demo shows it, perch serve -f DIR serves your
own Istio files. Or in a cluster: --kubeconfig FILE or --context NAME, or
kubectl perch. perch help COMMAND has examples.
${EXIT_CODES}`;

const ABOUT_PLUGIN = `
Commands talk to the cluster that kubectl talks to, with your rights there.
Options that name another one stand behind the word perch. perch without kubectl
talks to a runtime on this machine. kubectl perch help COMMAND has examples.
${EXIT_CODES}`;

/** The whole command line, ready to parse. */
export function createProgram(context: CliContext): Command {
  const { terminal } = context;
  const name = context.isPlugin === true ? 'kubectl perch' : 'perch';
  const program = new Command(name)
    .description('Canary releases where every visitor stays put.')
    .usage('COMMAND [options]')
    .version(perchVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'say what a command does, with examples')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.raw(text),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text) => fail(terminal, misuse(text)),
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
    })
    .configureHelp({ showGlobalOptions: true, helpWidth: HELP_COLUMNS, visibleGlobalOptions, subcommandTerm: (command) => command.name() })
    .addHelpText('after', context.isPlugin === true ? ABOUT_PLUGIN : ABOUT);
  for (const option of targetOptions()) program.addOption(option);
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(`${title}:`);
    for (const add of commands) add(program, context);
  }
  for (const command of program.commands) command.showHelpAfterError(`(${name} ${command.name()} --help says more)`);
  program.showHelpAfterError(`(${name} --help lists the commands)`);
  return program;
}

/** The program's options that a command has too: asking for the version is none of them. */
function visibleGlobalOptions(this: Help, command: Command): Option[] {
  return Help.prototype.visibleGlobalOptions.call(this, command).filter(({ long }) => long !== '--version');
}

/** Commander's own words for a mistake in a command line, in one line: `error: unknown command 'staus'\n(Did you mean status?)`. */
function misuse(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, ': did you mean $1?');
}

/** Says why a command failed: a line for each reason, broken between words on a terminal. */
function fail(terminal: Terminal, message: string): void {
  const width = terminal.errColumns() ?? Number.POSITIVE_INFINITY;
  for (const line of message.split('\n')) {
    for (const part of wrap(`${terminal.errStyle.bad('error:')} ${line}`, width, 'error: '.length)) terminal.err(part);
  }
}

/** Says why a command failed; gives the exit code. */
function report(error: unknown, { terminal, signal }: CliContext): number {
  // Commander has said what is wrong, or has printed the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandError) {
    fail(terminal, error.message);
    return error.exitCode;
  }
  if (error instanceof ApiProblem) {
    fail(terminal, `${error.message} (${error.problem.code})`);
    return error.problem.code === 'PERCH4008' ? 1 : 2;
  }
  if (signal.aborted) return 130;
  terminal.err(`${terminal.errStyle.bad('error:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
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
    if (args[0] === COMPLETE) {
      // For the shells' completion scripts, not for people: no part of the help.
      const { printCompletion } = await import('./completion/print-completion.ts');
      await printCompletion(program, args.slice(1), context);
      return 0;
    }
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, context);
  }
}
