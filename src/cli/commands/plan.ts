import type { UsualNamespace } from '../../core/source/kube-object.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { readObjects } from '../objects/read-objects.ts';
import { outputOption, parseCount, parseSpan } from '../options.ts';
import { circumstancesOf, liveOption, startedOption } from '../planning/circumstances.ts';
import type { ReleasePlan } from '../planning/release-plan.ts';
import { askedNamespace } from '../target-choice.ts';
import { writeValue } from '../terminal/output.ts';
import { countErrors, printDiagnostics } from '../terminal/print-diagnostics.ts';

interface PlanOptions {
  readonly file: readonly string[];
  readonly diff?: true;
  readonly visitorsPerMinute?: number;
  readonly manualHold?: number;
  readonly started?: number;
  readonly live?: string;
  readonly output?: 'json' | 'yaml';
}

const MODEL = `
How visitors are counted: so many new ones come in every minute, evenly, each
with a random bucket. Of n new visitors binomial(n, cutoff / 4096) are on the
canary; of those who came in earlier steps, binomial(n, what the step adds)
move to it, as far as they come again. In brackets: where 95 of 100 releases
lie. With canaryOnly each new visitor's first draw is counted, never visitors:
whoever drew stable draws again.

Exit codes: 0 it would start; 1 it would not, as things stand; 2 bad input.
Endpoints are not asked: a version is taken as ready unless the files say
otherwise.`;

/** `perch plan`. */
export const addPlan: AddCommand = (program, context) => {
  program
    .command('plan')
    .description('what releases in files would do: steps and times, who sees them, what changes in which object; needs no runtime')
    .argument('[release...]', 'releases by name (default: all in the files)')
    .requiredOption('-f, --file <path...>', 'files, directories (recursively: .yaml, .yml, .json), or - for standard input')
    .option('--diff', 'show how each object changes, from one step to the next')
    .option('--visitors-per-minute <count>', 'new visitors a minute: count them by step and cohort', parseCount)
    .option('--manual-hold <duration>', 'take manual holds to last this long', parseSpan)
    .addOption(startedOption())
    .addOption(liveOption())
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', MODEL)
    .addHelpText(
      'after',
      examples(
        ['perch plan -f examples/bookinfo', 'every release of a directory'],
        ['perch plan -f examples/bookinfo --visitors-per-minute 200', 'with visitors'],
        ['perch plan reviews -f examples/bookinfo --diff', 'with what changes, as diffs'],
        ['perch plan reviews -f examples/delegate --started 3 -o json', 'the fourth release, for programs'],
      ),
    )
    .action(async (names: readonly string[], options: PlanOptions, self) => {
      const { terminal } = context;
      const plans = await makePlans(names, options, askedNamespace(self), context);
      if (options.output !== undefined) {
        await writeValue(terminal, options.output, { releases: plans });
      } else {
        const { planReport } = await import('../planning/plan-report.ts');
        const reports = plans.map((plan) => planReport(plan, terminal.style, terminal.outColumns()));
        for (const [index, lines] of reports.entries()) terminal.out([...(index === 0 ? [] : ['', '']), ...lines].join('\n'));
      }
      const waiting = plans.filter(({ outcome }) => outcome === 'waits');
      if (waiting.length > 0) throw new CommandError(`${waiting.map(({ name }) => name).join(', ')} would not start as things stand`, 1);
    });
};

async function makePlans(
  names: readonly string[],
  options: PlanOptions,
  namespace: UsualNamespace | undefined,
  context: CliContext,
): Promise<readonly ReleasePlan[]> {
  const { terminal } = context;
  const files = await readObjects(context, options.file, 'planned', namespace);
  const { releasesNamed } = await import('../planning/releases-named.ts');
  const { rehearseAlone } = await import('../../server/rehearsal/rehearse-alone.ts');
  const { planRelease } = await import('../planning/release-plan.ts');
  const { locateDiagnostics } = await import('../../server/locate-diagnostics.ts');

  const objects = files.objects.map(({ object }) => object);
  const found = releasesNamed(objects, names);
  const circumstances = {
    ...circumstancesOf(options, found),
    ...(options.manualHold === undefined ? {} : { manualHoldMs: options.manualHold }),
  };
  const rehearsed = await rehearseAlone(
    objects,
    found.map(({ ref }) => ref),
    circumstances,
  );
  if (!rehearsed.ok) {
    const refused = locateDiagnostics(rehearsed.diagnostics, files.objects);
    printDiagnostics(terminal, refused, files.texts);
    throw new CommandError(`${countErrors(refused)}; nothing was planned`);
  }
  const traffic = options.visitorsPerMinute === undefined ? {} : { visitorsPerMinute: options.visitorsPerMinute };
  const question = { ...circumstances, ...traffic, withDiffs: options.diff === true };
  const plans: ReleasePlan[] = [];
  for (const [index, { release }] of found.entries()) {
    const performance = rehearsed.performances[index];
    if (performance === undefined) throw new Error(`${release.metadata.name} was not rehearsed`);
    const findings = locateDiagnostics(performance.findings, files.objects);
    if (options.output === undefined) printDiagnostics(terminal, findings, files.texts);
    plans.push(await planRelease(release, { ...performance, findings }, question));
  }
  return plans;
}
