import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../tools/repository.ts';
import { say, UsageError } from './command-line.ts';
import { leaveMeasuredCore } from './cores.ts';
import { missingPrograms, type ProgramName } from './machine.ts';
import { recordResults } from './record.ts';

/** A bench as a program of its own. */
export interface Bench<Plan extends { readonly record: boolean }> {
  /** `import.meta.url` of the program: results are recorded in its folder. */
  readonly file: string;
  /** Of the recorded results. */
  readonly title: string;
  /** What has to be installed. */
  readonly programs: readonly ProgramName[];
  /** Whether what is measured has a core for itself; true where absent. */
  readonly hasOwnCore?: boolean;
  /** What the arguments ask for; a text is only to be printed: how the bench is used. */
  readPlan(args: readonly string[]): Plan | string;
  /** Measures, off the measured core where there is one, and gives the results as Markdown. */
  measure(plan: Plan): Promise<string>;
}

/** Runs a bench by this process's arguments, prints its results and records them where asked to. Sets the exit code: 0 done, 2 could not run. */
export async function runBench<Plan extends { readonly record: boolean }>(bench: Bench<Plan>): Promise<void> {
  try {
    process.exitCode = await run(bench, process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`${error.message}\nnode ${relative(ROOT, fileURLToPath(bench.file))} --help says more`);
    process.exitCode = 2;
  }
}

async function run<Plan extends { readonly record: boolean }>(bench: Bench<Plan>, args: readonly string[]): Promise<number> {
  const plan = bench.readPlan(args);
  if (typeof plan === 'string') {
    console.log(plan);
    return 0;
  }
  const missing = await missingPrograms(bench.programs);
  if (missing.length > 0) {
    say(missing.join('\n'));
    return 2;
  }
  if (bench.hasOwnCore !== false) await leaveMeasuredCore();
  const text = await bench.measure(plan);
  console.log(text);
  if (plan.record) say(`recorded in ${recordResults(new URL('.', bench.file), bench.title, text)}`);
  return 0;
}
