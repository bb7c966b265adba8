import type { Command } from 'commander';
import type { RouteTrialView } from '../../core/view/route-trial-view.ts';
import { isVisitorId } from '../../core/visitor/bucket.ts';
import type { Until } from '../../server/rehearsal/rehearsal.ts';
import type { AskedTrial } from '../../server/views/trial-request.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { readObjects } from '../objects/read-objects.ts';
import { outputOption } from '../options.ts';
import { type CircumstanceOptions, circumstancesOf, liveOption, startedOption } from '../planning/circumstances.ts';
import { parseStep, refuseMissingStep } from '../planning/planned-step.ts';
import { targetOf } from '../target.ts';
import { askedNamespace } from '../target-choice.ts';
import { writeValue } from '../terminal/output.ts';
import { countErrors, printDiagnostics } from '../terminal/print-diagnostics.ts';

interface RouteOptions extends CircumstanceOptions {
  readonly header?: readonly string[];
  readonly visitor?: string;
  readonly mesh?: true;
  readonly file?: readonly string[];
  readonly step?: Until;
  readonly output?: 'json' | 'yaml';
}

const ABOUT = `
Nothing is sent. The gateway's own checks read the request, and its own table
decides: of the runtime, with the routes that are served now; with -f, of the
files, as perch serve would. Of a cluster, the objects that you may read are
taken as Perch's gateway understands them: Services, endpoints and HTTPRoutes
are not looked at, and the answer says so. Without --visitor or a cookie it is a
new visitor, whose id is drawn anew each time.

The port is a declared one, or where perch serve has really opened it.

Exit codes: 0 there is an answer, whatever becomes of the request; 2 there is
none: bad input, unreachable.`;

/** `perch route`. */
export const addRoute: AddCommand = (program, context) => {
  program
    .command('route')
    .description('where one request would go, and why: each rule that it passes, and the one that takes it')
    .argument('<request...>', 'its method (default: GET) and address, such as GET http://localhost:8080/')
    .option('-H, --header <header>', '"Name: value", as it would be sent; once for each line', collect)
    .option('--visitor <id>', 'the id of a visitor, sent as each release has it: by its cookie or header')
    .option('--mesh', 'it comes from a service in the mesh (default: from outside, at a Gateway)')
    .option(
      '-f, --file <path>',
      'the routes of a file, a directory (recursively: .yaml, .yml, .json), or - for standard input; once for each; needs no runtime',
      collect,
    )
    .option('-s, --step <step>', 'with -f: the releases of the files at a step (a number from 1, base or end; default: base)', parseStep)
    .addOption(startedOption())
    .addOption(liveOption())
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', ABOUT)
    .addHelpText(
      'after',
      examples(
        ['perch route http://localhost:8080/productpage', 'a page, for somebody new'],
        ['perch route "GET http://localhost:8080/productpage" -H "Accept: text/html"', 'the same as a browser asks for it'],
        ['perch route http://a:8080/ --visitor 3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a', 'for a visitor who was here before'],
        ['perch route http://reviews:9080/ --mesh', 'from one service to another'],
        ['perch route -f examples/bookinfo --step 2 http://localhost:8080/', 'in files, at the second step of their release'],
      ),
    )
    .action(async (words: readonly string[], options: RouteOptions, command: Command) => {
      const { terminal } = context;
      const asked = await askedTrial(words, options);
      const view = await answerOf(asked, options, command, context);
      if (options.output !== undefined) {
        await writeValue(terminal, options.output, view);
        return;
      }
      const { trialReport } = await import('../reports/trial-report.ts');
      for (const line of trialReport(view, terminal.style, terminal.outColumns())) terminal.out(line);
    });
};

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Throws CommandError where it is no request. */
async function askedTrial(words: readonly string[], { header = [], visitor, mesh }: RouteOptions): Promise<AskedTrial> {
  const text = words.join(' ').trim();
  const [, method = 'GET', url = ''] = /^(?:([A-Za-z]+)\s+)?(\S+)$/.exec(text) ?? [];
  if (url === '') throw new CommandError(`"${text}" is no request such as GET http://localhost:8080/`);
  if (!/^https?:\/\/[^/?#]/i.test(url)) {
    throw new CommandError(`${url} is no http or https address: did you mean http://${url.replace(/^(?:\w*:)?\/+/, '')}?`);
  }
  if (url.includes('#')) throw new CommandError(`${url} has a fragment (#), which is never sent: leave it out`);
  if (visitor !== undefined && !isVisitorId(visitor)) {
    throw new CommandError(`--visitor ${visitor} is no visitor id: that is a UUID, as in the visitor’s cookie`);
  }
  const headers = header.map((line) => {
    const [, name = '', value = ''] = /^([^:\s]+)\s*:(.*)$/s.exec(line) ?? [];
    if (name === '') throw new CommandError(`-H "${line}" is no header: write "Name: value"`);
    return [name, value.trim()];
  });
  const { routeTrialRequest } = await import('../../core/view/route-trial-view.ts');
  const read = routeTrialRequest.safeParse({
    listener: mesh === true ? 'mesh' : 'ingress',
    method: method.toUpperCase(),
    url,
    headers,
    ...(visitor === undefined ? {} : { visitorId: visitor }),
  });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const [field, index] = issue?.path ?? [];
  const what = field === 'headers' && typeof index === 'number' ? `-H "${header[index]}"` : String(field);
  throw new CommandError(`${what}: ${issue?.message}`);
}

async function answerOf(asked: AskedTrial, options: RouteOptions, command: Command, context: CliContext): Promise<RouteTrialView> {
  if (options.file !== undefined) return await answerOfFiles(asked, options.file, options, command, context);
  for (const [option, value] of [
    ['--step', options.step] as const,
    ['--started', options.started] as const,
    ['--live', options.live] as const,
  ]) {
    if (value !== undefined) throw new CommandError(`${option} is about releases in files: name them with -f`);
  }
  const { client, namespace } = await targetOf(command, context);
  return await client.tryRequest(asked, [namespace]);
}

async function answerOfFiles(
  asked: AskedTrial,
  paths: readonly string[],
  options: RouteOptions,
  command: Command,
  context: CliContext,
): Promise<RouteTrialView> {
  const { terminal } = context;
  const files = await readObjects(context, paths, 'tried', askedNamespace(command));
  const { tryInFiles } = await import('../planning/try-in-files.ts');
  const { locateDiagnostics } = await import('../../server/locate-diagnostics.ts');
  const objects = files.objects.map(({ object }) => object);
  const { step = { kind: 'before' } } = options;
  if (step.kind === 'before') return viewOf(await tryInFiles(asked, objects, []));

  const { releasesNamed } = await import('../planning/releases-named.ts');
  const { renderRoutes } = await import('../planning/render-routes.ts');
  const found = releasesNamed(objects, []);
  refuseMissingStep(found, step);
  const rendered = await renderRoutes(objects, found, step, circumstancesOf(options, found));
  printDiagnostics(terminal, locateDiagnostics(rendered.diagnostics, files.objects), files.texts);
  if (rendered.kind === 'refused') throw new CommandError(`${countErrors(rendered.diagnostics)}; nothing was tried`);
  if (rendered.kind === 'waiting') throw new CommandError(rendered.reasons.join('\n'));
  return viewOf(await tryInFiles(asked, objects, rendered.routes));
}

function viewOf(answer: Awaited<ReturnType<typeof import('../planning/try-in-files.ts').tryInFiles>>): RouteTrialView {
  if (!answer.ok) throw new CommandError(answer.detail);
  return answer.view;
}
