import { InvalidArgumentError, Option } from 'commander';
import { isLoopback } from '../../core/cookies/browser-refusal.ts';
import type { VersionSource } from '../../core/probe/version-telling.ts';
import { type AddCommand, type CliContext, examples } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import { outputOption, parseSpan } from '../options.ts';
import type { ProbeBounds, Probed } from '../probing/probe-site.ts';
import { writeValue } from '../terminal/output.ts';

interface DoctorOptions {
  readonly yes?: true;
  readonly visitors: number;
  readonly requests: number;
  readonly rate: number;
  readonly maxTime: number;
  readonly answerTime: number;
  readonly versionHeader?: string;
  readonly versionCookie?: string;
  readonly versionPattern?: string;
  readonly canary?: string;
  readonly output?: 'json' | 'yaml';
}

/** Answers are kept until the end: so many at most. */
const MOST_REQUESTS = 50_000;

/** Requests under way at a time. */
const PARALLEL = 5;

const ABOUT = `
Synthetic visitors, each with cookies of their own, come to the page for the
first time, return, load it with its parts and ask for it several times at once.
What they get tells whether the site pins visitors, pins the outcome of a draw,
or neither; and what in its cookies and caches breaks that. No request goes to
another host, redirects to one are not followed. Other hosts than this machine
need --yes: probe only what is yours to probe.`;

/** `perch doctor`. */
export const addDoctor: AddCommand = (program, context) => {
  program
    .command('doctor')
    .description('probe a live site from outside: do its visitors stay put, and what breaks that')
    .configureHelp({ showGlobalOptions: false })
    .argument('<url>', 'the page to ask for, such as http://localhost:8080/')
    .option('--yes', 'yes, I may probe that host, which is not this machine')
    .option('--visitors <count>', 'visitors who return (1 to 10000)', wholeNumber(1, 10_000), 200)
    .option('--requests <count>', 'requests of each of them (2 to 100)', wholeNumber(2, 100), 5)
    .option('--rate <count>', 'requests a second, at most (1 to 1000)', wholeNumber(1, 1_000), 20)
    .addOption(new Option('--max-time <duration>', 'end after this time, with what was seen').argParser(parseSpan).default(600_000, '10m'))
    .addOption(new Option('--answer-time <duration>', 'wait for one answer so long').argParser(parseSpan).default(10_000, '10s'))
    .addOption(new Option('--version-header <name>', 'the response header that tells the version').conflicts('versionCookie'))
    .addOption(new Option('--version-cookie <name>', 'the cookie whose value tells the version').conflicts('versionPattern'))
    .addOption(new Option('--version-pattern <regex>', 'RE2; its first group takes the version from the page').conflicts('versionHeader'))
    .option('--canary <version>', 'which version is the canary (default: told by what visitors do)')
    .addOption(outputOption('json', 'yaml'))
    .addHelpText('after', ABOUT)
    .addHelpText(
      'after',
      examples(
        ['perch doctor http://localhost:8080/', 'a site on this machine: takes a minute'],
        ['perch doctor http://localhost:8080/ --rate 500', 'the same in seconds'],
        ['perch doctor https://shop.example/ --yes --version-header x-version', 'a site elsewhere, which names its versions'],
        ["perch doctor http://localhost:8080/ --version-pattern 'version=(v[0-9])'", 'versions named in the page'],
      ),
    )
    .action(async (text: string, options: DoctorOptions) => {
      await examine(context, readAddress(text), options);
    });
};

async function examine(context: CliContext, url: URL, options: DoctorOptions): Promise<void> {
  const { terminal, signal } = context;
  const [{ compileCapture }, { diagnoseSite }, { plannedRequests, probeSite, SiteUnreachable }, { siteReport }] = await Promise.all([
    import('../../core/routing/capture-pattern.ts'),
    import('../../core/probe/diagnose-site.ts'),
    import('../probing/probe-site.ts'),
    import('../reports/site-report.ts'),
  ]);
  const { visitors, requests, rate, output } = options;
  const planned = plannedRequests(options);
  const about = `about ${planned.toLocaleString('en-US')} requests, ${rate} a second`;
  if (planned > MOST_REQUESTS) throw new CommandError(`these would be ${about}: ask for fewer --visitors or --requests`);
  if (!isLoopback(url.hostname) && options.yes !== true) {
    throw new CommandError(`${url.hostname} is not this machine, and would get ${about}: add --yes if you may probe it`);
  }
  const capture = options.versionPattern === undefined ? undefined : compileCapture(options.versionPattern);
  if (typeof capture === 'object') throw new CommandError(`--version-pattern ${options.versionPattern}: ${capture.problem}`);

  const bounds: ProbeBounds = { visitors, requests, rate, totalMs: options.maxTime, answerMs: options.answerTime, parallel: PARALLEL };
  const progress = await openProgress(context, planned, rate, output !== undefined);
  let probed: Probed;
  try {
    probed = await probeSite({ ...bounds, url, capture, signal, onProgress: progress.show });
  } catch (error) {
    if (error instanceof SiteUnreachable) throw new CommandError(error.message);
    throw error;
  } finally {
    progress.close();
  }
  const { observations, sent, seconds, stopped } = probed;
  if (observations.visitors.length === 0) throw new CommandError(`nothing was seen of ${url.href}: ${stopped ?? 'no answer came'}`);

  const canary = options.canary === undefined ? {} : { canary: options.canary };
  const diagnosis = diagnoseSite(observations, { source: sourceOf(options), ...canary });
  const run = { visitors, requests, rate, sent, seconds, stopped };
  if (output === undefined) {
    for (const line of siteReport(diagnosis, run, terminal.style, terminal.outColumns())) terminal.out(line);
  } else {
    await writeValue(terminal, output, { ...diagnosis, run });
  }
  const found = diagnosis.findings.filter(({ severity }) => severity !== 'info').length;
  if (found > 0) throw new CommandError(`${found === 1 ? '1 finding' : `${found} findings`} (perch explain CODE says more)`, 1);
}

function sourceOf({ versionHeader, versionCookie, versionPattern }: DoctorOptions): VersionSource {
  if (versionHeader !== undefined) return { by: 'header', name: versionHeader };
  if (versionCookie !== undefined) return { by: 'cookie', name: versionCookie };
  return versionPattern === undefined ? { by: 'guess' } : { by: 'pattern', pattern: versionPattern };
}

function readAddress(text: string): URL {
  if (!/^https?:\/\//i.test(text))
    throw new CommandError(`${text} is no http or https address: did you mean http://${text.replace(/^\w+:\/\//, '')}?`);
  if (!URL.canParse(text)) throw new CommandError(`${text} is no address such as http://localhost:8080/`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw new CommandError('the address has a user name or password in it: leave them out');
  url.hash = '';
  return url;
}

function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,6}$/.test(text) || Number(text) < from || Number(text) > to) {
      throw new InvalidArgumentError(`It is not a whole number from ${from} to ${to}.`);
    }
    return Number(text);
  };
}

/** One line on a terminal that is redrawn in place; nothing elsewhere. */
async function openProgress(
  { terminal }: CliContext,
  planned: number,
  rate: number,
  isQuiet: boolean,
): Promise<{ readonly show: (sent: number) => void; readonly close: () => void }> {
  if (!terminal.interactive || isQuiet) return { show: () => {}, close: () => {} };
  const { openLiveRegion } = await import('../terminal/live-region.ts');
  const region = openLiveRegion(terminal);
  const show = (sent: number): void => {
    const left = Math.max(planned - sent, 0) / rate;
    const time = left < 60 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} min`;
    region.show([
      `  ${sent.toLocaleString('en-US')} of about ${planned.toLocaleString('en-US')} requests, ${time} left (Ctrl-C ends it, with what was seen)`,
    ]);
  };
  show(0);
  return {
    show,
    close: () => {
      region.show([]);
      region.close();
    },
  };
}
