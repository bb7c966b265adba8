import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** How a command ended, with everything it wrote. */
export interface CommandResult {
  /** Exit code; 128 + signal number where a signal ended it; 127 where it could not be started. */
  readonly code: number;
  readonly stdout: string;
  /** stdout and stderr in the order they came. */
  readonly output: string;
}

/** Where a command runs, with which environment (default: this process's), and whether its output is shown. */
interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** `show` writes to this terminal instead of collecting; `stdout` and `output` are empty then. */
  readonly show?: boolean;
}

/** Runs a command without a shell and waits for it. Never rejects: a missing program is code 127 with the reason as output. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', (error) => resolve({ code: 127, stdout, output: `${output}${command}: ${error.message}\n` }));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), stdout, output }),
    );
  });
}
