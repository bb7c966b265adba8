import { runCommand } from '../tools/run-command.ts';

/** The core that what is measured has for itself. */
export const MEASURED_CORE = 0;

/** The core of everything else: load generator, origins, and the bench itself. */
export const LOAD_CORE = 1;

/** Keeps this process, and what it starts from now on without saying otherwise, off the measured core. */
export async function leaveMeasuredCore(): Promise<void> {
  await runCommand('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)]);
}
