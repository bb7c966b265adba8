import type { Command } from 'commander';
import { ApiClient } from './api-client.ts';
import type { Terminal } from './terminal/terminal.ts';

/** Where `perch serve` and `perch demo` listen unless told otherwise. */
export const DEFAULT_SERVER = 'http://127.0.0.1:7070';

/** What every command works with. */
export interface CliContext {
  readonly terminal: Terminal;
  /** Aborts when the user, or the system, wants the command to end. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** To be called by a command that runs until it is ended, before anything else: SIGTERM ends it with exit code 0. */
  readonly runsUntilEnded: () => void;
}

/** Adds one command to the program. Modules that cost time to load are imported inside its action. */
export type AddCommand = (program: Command, context: CliContext) => void;

/** Options of the program itself, which every command has. */
export interface GlobalOptions {
  readonly server: string;
  readonly namespace: string;
}

/** Where a command finds what it is about. */
export interface Target {
  readonly client: ApiClient;
  readonly namespace: string;
  /** The namespace as far as `--namespace` names one: files have their own. */
  readonly askedNamespace: string | undefined;
}

/** The runtime and namespace that `--server` and `--namespace` name. */
export function targetOf(command: Command, context: CliContext): Target {
  const { server, namespace } = command.optsWithGlobals<GlobalOptions>();
  const isAsked = command.getOptionValueSourceWithGlobals('namespace') !== 'default';
  // PERCH_SERVER set to nothing, as in many a shell script, is not set.
  const isUnset = server === '' && command.getOptionValueSourceWithGlobals('server') === 'env';
  return {
    client: new ApiClient(isUnset ? DEFAULT_SERVER : server, context.signal),
    namespace,
    askedNamespace: isAsked ? namespace : undefined,
  };
}

/** Columns that help texts take at most. */
const HELP_COLUMNS = 80;

/** The examples at the end of a command's help: what to type, and what it does; below each other where the lines would be too long. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const isShort = lines.every(([, does]) => 2 + width + 3 + does.length <= HELP_COLUMNS);
  const texts = lines.map(([command, does]) => (isShort ? `  ${command.padEnd(width)}   ${does}` : `  ${command}\n      ${does}`));
  return `\nExamples:\n${texts.join('\n')}`;
}
