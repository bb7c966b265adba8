import { InvalidArgumentError, Option } from 'commander';
import { SCHEMES } from '../../core/simulation/scheme.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { parseCount, parseSpan } from '../options.ts';
import type { SimulateOptions } from '../run-simulate.ts';

const MAX_STEPS = 50;
const DEFAULT_STEPS: readonly number[] = [10, 20, 30, 40, 50, 60, 80, 100];
const DEFAULT_HOLD_MS = 600_000;

/** `10,20,50,100`: percent, as in the steps of a release, but that a weight may come again, and the last need not be 100. */
function parseSteps(text: string): readonly number[] {
  const weights = text.split(',').map((part) => (/^\d{1,3}(?:\.\d)?$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (!weights.every((weight) => weight > 0 && weight <= 100)) {
    throw new InvalidArgumentError('Steps are weights in percent with commas between, over 0, up to 100, in steps of 0.1: 10,50,100.');
  }
  if (!weights.every((weight, index) => weight >= (weights[index - 1] ?? 0))) throw new InvalidArgumentError('Weights must not decrease.');
  if (weights.length > MAX_STEPS) throw new InvalidArgumentError(`There can be ${MAX_STEPS} steps at most.`);
  return weights;
}

/** A duration of a second or more, in ms. */
function parseLength(text: string): number {
  const ms = parseSpan(text);
  if (ms < 1000) throw new InvalidArgumentError('It must be 1s or longer.');
  return ms;
}

/** A whole number from 1 to a million. */
function parseRate(text: string): number {
  const rate = parseCount(text);
  if (rate === 0) throw new InvalidArgumentError('It must be at least 1: without visitors there is nothing to see.');
  return rate;
}

/** A percentage, as a share of 1. */
function parsePercent(text: string): number {
  const percent = /^\d{1,3}(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent <= 100)) throw new InvalidArgumentError('It is not a percentage from 0 to 100.');
  return percent / 100;
}

/** `perch simulate`. */
export const addSimulate: AddCommand = (program, context) => {
  program
    .command('simulate')
    .description('who would see a canary under this scheme, the article’s and Flagger’s: simulated visitors, no runtime')
    .configureHelp({ showGlobalOptions: false })
    .addOption(
      new Option('--steps <weights>', 'percent, one step after the other')
        .argParser(parseSteps)
        .default(DEFAULT_STEPS, DEFAULT_STEPS.join(',')),
    )
    .addOption(
      new Option('--hold <duration>', 'how long each step lasts; with -f: each that is manual')
        .argParser(parseLength)
        .default(DEFAULT_HOLD_MS, '10m'),
    )
    .addOption(new Option('-f, --file <path>', 'take the steps of the release in this file, or - for standard input').conflicts('steps'))
    .addOption(new Option('--scheme <name...>', 'only these').choices(SCHEMES).default([...SCHEMES], 'all of them'))
    .addOption(
      new Option(
        '--interval <duration>',
        'Flagger’s analysis interval, after which its primary cookie expires (default: the shortest hold)',
      ).argParser(parseLength),
    )
    .addOption(new Option('--visitors-per-minute <count>', 'new visitors').argParser(parseRate).default(1000))
    .addOption(
      new Option('--racing <percent>', 'visitors whose first page asks for all its parts at once, before any cookie is there')
        .argParser(parsePercent)
        .default(0, '0'),
    )
    .addOption(new Option('--seed <number>', 'the same seed, the same visitors').argParser(parseCount).default(1))
    .addOption(new Option('-o, --output <format>', 'the form of the output; without it, a chart').choices(['json', 'csv', 'svg']))
    .addHelpText(
      'after',
      examples(
        ['perch simulate', 'four schemes over eight steps of ten minutes'],
        ['perch simulate --steps 10,10,10,10,10,10 --interval 1m', 'an hour at 10 %: who is drawn again and again'],
        ['perch simulate -f examples/bookinfo/release.yaml', 'the steps of a release'],
        ['perch simulate --scheme perch article --seed 7', 'two schemes, other visitors'],
        ['perch simulate --racing 2', 'with first pages that race their own cookie'],
        ['perch simulate -o svg > exposure.svg', 'a picture; -o csv and -o json for programs'],
      ),
    )
    .action(async (options: SimulateOptions) => {
      const { runSimulate } = await import('../run-simulate.ts');
      await runSimulate(context, options);
    });
};
