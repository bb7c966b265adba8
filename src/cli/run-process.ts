import { watchInterruption } from './interruption.ts';
import { runCli } from './run-cli.ts';
import { processTerminal } from './terminal/terminal.ts';

/** Runs the command line that this process was started with, and gives the process its exit code. */
export async function runProcess(): Promise<void> {
  const interruption = watchInterruption();
  const code = await runCli(process.argv.slice(2), {
    terminal: processTerminal(process.env),
    signal: interruption.signal,
    environment: process.env,
    runsUntilEnded: interruption.runsUntilEnded,
  });
  // At the very end: that output could not be written may be known only then.
  process.once('exit', () => {
    process.exitCode = interruption.exitCode() ?? code;
  });
  // Everything is closed by now; if something keeps the process alive nevertheless, its user should not have to wait for it.
  setTimeout(() => process.exit(), 1000).unref();
}
