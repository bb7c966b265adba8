import { watchInterruption } from './interruption.ts';
import { runCli } from './run-cli.ts';
import { processTerminal } from './terminal/terminal.ts';

/** The word that bin/kubectl-perch.js puts before the others: kubectl runs this. */
const PLUGIN = '__kubectl';

/** Runs the command line that this process was started with, and gives the process its exit code. */
export async function runProcess(): Promise<void> {
  const interruption = watchInterruption();
  const [first, ...others] = process.argv.slice(2);
  const isPlugin = first === PLUGIN;
  const code = await runCli(isPlugin ? others : process.argv.slice(2), {
    terminal: processTerminal(process.env),
    signal: interruption.signal,
    environment: process.env,
    runsUntilEnded: interruption.runsUntilEnded,
    onHangup: interruption.onHangup,
    ...(isPlugin ? { isPlugin } : {}),
  });
  // At the very end: that output could not be written may be known only then.
  process.once('exit', () => {
    process.exitCode = interruption.exitCode() ?? code;
  });
  // Everything is closed by now; if something keeps the process alive nevertheless, its user should not have to wait for it.
  setTimeout(() => process.exit(), 1000).unref();
}
