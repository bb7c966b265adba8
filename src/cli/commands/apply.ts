import { refOf } from '../../cluster/manifest.ts';
import type { Phase } from '../../core/release/status.ts';
import { ApiProblem } from '../api-problem.ts';
import { type AddCommand, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { readObjects } from '../objects/read-objects.ts';
import { outputOption } from '../options.ts';
import type { ApplyAnswer } from '../release-client.ts';
import { outcomeText } from '../reports/outcome-text.ts';
import { targetOf } from '../target.ts';
import { writeValue } from '../terminal/output.ts';
import { countErrors, printDiagnostics } from '../terminal/print-diagnostics.ts';
import { WAIT_HELP, waitForPhase, waitOption, waitTimeoutOption } from '../watching/wait-for-phase.ts';
import { byOption, whoAsks } from '../who-asks.ts';

interface ApplyOptions {
  readonly file: readonly string[];
  readonly output?: 'json' | 'yaml';
  readonly wait?: Phase;
  readonly timeout?: number;
  readonly by?: string;
  readonly forceConflicts?: true;
}

/** `perch apply`. */
export const addApply: AddCommand = (program, context) => {
  const { terminal } = context;
  program
    .command('apply')
    .description('apply releases and Istio objects from files: all of them, or, where one has a mistake, none')
    .requiredOption('-f, --file <path...>', 'files, directories (recursively: .yaml, .yml, .json), or - for standard input')
    .option('--force-conflicts', 'in a cluster: take over fields that others manage')
    .addOption(waitOption())
    .addOption(waitTimeoutOption())
    .addOption(byOption())
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', WAIT_HELP)
    .addHelpText(
      'after',
      examples(
        ['perch apply -f release.yaml', 'one file'],
        ['perch apply -f examples/bookinfo', 'a directory'],
        ['perch apply -f release.yaml --wait succeeded', 'for CI: ends with the release'],
        ['perch get vs reviews --view base -o yaml | perch apply -f -', 'from standard input'],
      ),
    )
    .action(async (options: ApplyOptions, command) => {
      const { client, fileNamespace } = await targetOf(command, context);
      const { objects, diagnostics, texts } = await readObjects(context, options.file, 'applied', fileNamespace);
      const { locateDiagnostics } = await import('../../server/locate-diagnostics.ts');

      const releases = objects.map(({ object }) => refOf(object)).filter(({ kind }) => kind === 'CanaryRelease');
      if (options.timeout !== undefined && options.wait === undefined) throw new CommandError('--timeout goes with --wait PHASE');
      if (options.wait !== undefined && releases.length === 0) throw new CommandError('--wait is for releases, and the files hold none');

      let answer: ApplyAnswer;
      try {
        answer = await client.apply(
          objects.map(({ object }) => object),
          { by: options.by ?? whoAsks(), ...(options.forceConflicts === true ? { force: true } : {}) },
        );
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.problem.diagnostics === undefined) throw error;
        const found = locateDiagnostics(error.problem.diagnostics, objects);
        printDiagnostics(terminal, found, texts);
        throw new CommandError(`${countErrors(found)}; nothing was applied`);
      }
      // Warnings about single objects were shown above, with their lines.
      const known = new Set(diagnostics.map(({ code, object, path }) => `${code} ${object} ${path}`));
      const fresh = answer.warnings.filter(({ code, object, path }) => !known.has(`${code} ${object} ${path}`));
      printDiagnostics(terminal, locateDiagnostics(fresh, objects), texts);
      if (options.output !== undefined) await writeValue(terminal, options.output, { outcomes: answer.outcomes });
      else for (const outcome of answer.outcomes) terminal.out(outcomeText(outcome));
      if (options.wait === undefined) return;
      const isQuiet = options.output !== undefined;
      await waitForPhase(context, client, releases, { goal: options.wait, timeoutMs: options.timeout, isQuiet });
    });
};
