import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** A command line that asks for something that there is not; the message says what there is. */
export class UsageError extends Error {}

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

/**
 * What a bench that only repeats itself is asked for by `--rounds` (default: `rounds`) and `--record`; `usage` where that is asked for.
 * @throws UsageError for anything else.
 */
export function readRounds(
  args: readonly string[],
  usage: string,
  rounds: number,
): { readonly rounds: number; readonly record: boolean } | string {
  const values = readOptions(args, {
    rounds: { type: 'string', default: String(rounds) },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return values.help ? usage : { rounds: readCount('rounds', values.rounds), record: values.record };
}
