import type { AddHelpTextContext, Command } from 'commander';
import type { Terminal } from './terminal/terminal.ts';

/** What every command works with. */
export interface CliContext {
  readonly terminal: Terminal;
  /** Aborts when the user, or the system, wants the command to end. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Set where kubectl runs it: `kubectl perch`. */
  readonly isPlugin?: true;
  /** To be called by a command that runs until it is ended, before anything else: SIGTERM ends it with exit code 0. */
  readonly runsUntilEnded: () => void;
  /** Has SIGHUP call the listener, where it does not mean that the terminal is gone. Absent where no signals come. */
  readonly onHangup?: (listener: () => void) => void;
}

/** Adds one command to the program. Modules that cost time to load are imported inside its action. */
export type AddCommand = (program: Command, context: CliContext) => void;

/** Columns that help texts take at most. */
const HELP_COLUMNS = 80;

/** The examples at the end of a command's help: what to type, and what it does; below each other where the lines would be too long. */
export function examples(...given: readonly (readonly [command: string, does: string])[]): (about: AddHelpTextContext) => string {
  return ({ command }) => exampleLines(given.map(([line, does]) => [asCalled(line, programOf(command)), does]));
}

function exampleLines(lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const isShort = lines.every(([, does]) => 2 + width + 3 + does.length <= HELP_COLUMNS);
  const texts = lines.map(([command, does]) => (isShort ? `  ${command.padEnd(width)}   ${does}` : `  ${command}\n      ${does}`));
  return `\nExamples:\n${texts.join('\n')}`;
}

function programOf(command: Command): string {
  return command.parent === null ? command.name() : programOf(command.parent);
}

/** A line for a shell with the program under the name by which it was called: `kubectl perch`. */
function asCalled(line: string, program: string): string {
  return line.replaceAll(/(^|\| (?:xargs )?)perch (?=[a-z-])/g, `$1${program} `);
}
