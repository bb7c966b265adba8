import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** A command line that asks for something that there is not; the message says what there is. */
class UsageError extends Error {}

/**
 * The options of a bench.
 * @throws UsageError for one that it does not have.
 */
export function readOptions<const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Names by comma, each one of `known`, in any case. */
export function readNames<Name extends string>(option: string, text: string, known: readonly Name[]): readonly Name[] {
  return text.split(',').map((name) => {
    const found = known.find((each) => each.toLowerCase() === name.trim().toLowerCase());
    if (found === undefined) {
      throw new UsageError(`--${option}: there is no ${JSON.stringify(name)}; there are ${known.join(', ').toLowerCase()}`);
    }
    return found;
  });
}

/** A whole number from 1 on. */
export function readCount(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw new UsageError(`--${option}: ${JSON.stringify(text)} is not a whole number from 1 to 9999`);
  return Number(text);
}

/** Tells the one who waits; results alone go to stdout. */
export function say(text: string): void {
  console.error(text);
}

/** Runs a bench and sets the exit code that it gives: 0 done, 2 could not run. `bench`: its path, for the hint after a wrong option. */
export async function runBench(bench: string, main: (args: readonly string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    say(`${error.message}\nnode ${bench} --help says more`);
    process.exitCode = 2;
  }
}
