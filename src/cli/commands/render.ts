import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { Until } from '../../server/rehearsal/rehearsal.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { readObjects } from '../objects/read-objects.ts';
import { outputOption } from '../options.ts';
import { type CircumstanceOptions, circumstancesOf, liveOption, startedOption } from '../planning/circumstances.ts';
import { parseStep, refuseMissingStep } from '../planning/planned-step.ts';
import { askedNamespace } from '../target-choice.ts';
import { listOf, writeValue } from '../terminal/output.ts';
import { countErrors, printDiagnostics } from '../terminal/print-diagnostics.ts';

interface RenderOptions extends CircumstanceOptions {
  readonly file: readonly string[];
  readonly step: Until;
  readonly output?: 'json' | 'yaml';
}

const NOTES = `
Prints the VirtualServices and HTTPRoutes that the releases are woven into, in
order of their names: the same ones at every step, and the same bytes for the
same files. Of releases that are not named nothing is woven.

Which visitors come first depends on how many releases were started on the
object before. An integer spec.revision, or spec.cohort, fixes it in the file;
otherwise --started N has to stay the same for all steps of one release, and
to grow by one with the next.

Exit codes: 0 rendered; 1 the release would not start, endpoints apart, which
only perch plan looks for; 2 bad input.`;

/** `perch render`. */
export const addRender: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('render')
    .description('the routes of one step of a release in files, as YAML for git; needs no runtime')
    .argument('[release...]', 'releases by name (default: all in the files)')
    .requiredOption('-f, --file <path...>', 'files, directories (recursively: .yaml, .yml, .json), or - for standard input')
    .requiredOption('-s, --step <step>', 'a number from 1, as status shows it; base: before the release; end: after its success', parseStep)
    .addOption(startedOption())
    .addOption(liveOption())
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', NOTES)
    .addHelpText(
      'after',
      examples(
        ['perch render -f examples/bookinfo --step 1', 'the first step'],
        ['perch render reviews -f examples/bookinfo --step end > routes.yaml', 'after its success, into a file'],
        ['perch render -f examples/bookinfo --step 2 | kubectl apply -f -', 'into a cluster'],
      ),
    )
    .action(async (names: readonly string[], options: RenderOptions, command) => {
      const files = await readObjects(context, options.file, 'rendered', askedNamespace(command));
      const { releasesNamed } = await import('../planning/releases-named.ts');
      const { renderRoutes } = await import('../planning/render-routes.ts');
      const { locateDiagnostics } = await import('../../server/locate-diagnostics.ts');
      const { yamlDocuments } = await import('../../cluster/object-yaml.ts');

      const objects = files.objects.map(({ object }) => object);
      const found = releasesNamed(objects, names);
      const circumstances = circumstancesOf(options, found);
      refuseMissingStep(found, options.step);
      const rendered = await renderRoutes(objects, found, options.step, circumstances);
      const print = (diagnostics: readonly Diagnostic[]): void =>
        printDiagnostics(terminal, locateDiagnostics(diagnostics, files.objects), files.texts);
      print(rendered.diagnostics);
      if (rendered.kind === 'refused') throw new CommandError(`${countErrors(rendered.diagnostics)}; nothing was rendered`);
      if (rendered.kind === 'waiting') throw new CommandError(rendered.reasons.join('\n'), 1);
      if (options.output === 'json') await writeValue(terminal, 'json', listOf(rendered.routes));
      else terminal.raw(await yamlDocuments(rendered.routes));
    });
};
