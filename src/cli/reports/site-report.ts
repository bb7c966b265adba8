import { wrap } from '../../core/diagnostics/wrap.ts';
import type { Interval } from '../../core/probe/binomial.ts';
import type { CookieUse } from '../../core/probe/cookie-use.ts';
import type { CanaryCount, SiteDiagnosis } from '../../core/probe/diagnose-site.ts';
import type { VerdictKind } from '../../core/probe/stickiness.ts';
import { percent } from '../../core/probe/verdict-sentence.ts';
import { formatDuration } from '../../core/release/durations.ts';
import { printable } from '../terminal/clip.ts';
import type { Style } from '../terminal/style.ts';
import { table } from '../terminal/table.ts';
import { count } from './release-text.ts';
import { factLines, findingLines, section } from './report-lines.ts';

/** How the probe went. */
export interface ProbeRun {
  readonly sent: number;
  readonly seconds: number;
  /** Why it ended early. */
  readonly stopped: string | undefined;
}

const TONES: Readonly<Record<VerdictKind, 'good' | 'bad' | 'attention'>> = {
  pinsVisitor: 'good',
  pinsOutcome: 'bad',
  notSticky: 'bad',
  moving: 'attention',
  oneVersion: 'attention',
  undecided: 'attention',
  untold: 'attention',
};

/** What `perch doctor` says about a site, for people. */
export function siteReport(diagnosis: SiteDiagnosis, run: ProbeRun, style: Style, columns: number): readonly string[] {
  const { verdict, stickiness, findings, cookies } = diagnosis;
  const [head = '', ...rest] = printable(verdict).split(/(?<=[:,]) /);
  const tone = style[TONES[stickiness.verdict]];
  return [
    '',
    ...wrap(`${tone(head)} ${rest.join(' ')}`, columns - 2).map((line) => `  ${line}`),
    '',
    ...factLines(facts(diagnosis, run), columns),
    ...section(`Visitors who have seen ${printable(stickiness.canary?.version ?? '')}`, driftLines(diagnosis, columns - 2), style),
    ...section('Cookies', cookieLines(cookies), style),
    ...section('Findings', findingLines(findings, style, columns - 2), style),
    '',
  ];
}

type Fact = readonly [label: string, text: string];

function facts(diagnosis: SiteDiagnosis, { sent, seconds, stopped }: ProbeRun): readonly Fact[] {
  const { url, stickiness, told, pages, races, withoutCookies, requestIds } = diagnosis;
  const { canary, moves, versions, firstVisits } = stickiness;
  const ended = stopped === undefined ? '' : `; ended early: ${stopped}`;
  const lines: Fact[] = [
    ['site', printable(url)],
    ['sent', `${count(sent)} requests in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s, all from one address${ended}`],
  ];
  if (told !== undefined) {
    const seen = versions.map(({ version, firstVisits: visits }) => `${printable(version)} ${count(visits)}`).join(', ');
    const guess = told.isGuess ? ' (a guess: nobody said what tells them)' : '';
    lines.push(['versions', `${seen} of ${count(firstVisits)} first visits; told by ${printable(told.how)}${guess}`]);
  }
  if (canary !== undefined) {
    const name = printable(canary.version);
    lines.push(['canary', `${name}: ${canary.why}`]);
    lines.push([
      'returns',
      `${count(moves.toCanary)} of ${count(moves.fromStable)} moved to ${name}, ${count(moves.back)} of ${count(moves.fromCanary)} left it, cookies kept`,
    ]);
    if (pages.groups > 0) lines.push(['pages', `${pages.mixed} of ${pages.groups} mixed versions (two parts at once, after the document)`]);
    if (races.groups > 0)
      lines.push(['at once', `${races.mixed} of ${races.groups} new visitors who asked three times at once got several versions`]);
    const { documents, assets } = withoutCookies;
    if (documents.answers > 0)
      lines.push(['without', `any cookie kept: pages ${countText(documents, name)}; assets ${countText(assets, name)}`]);
  }
  if (requestIds.form !== 'none') lines.push(['ids', `answers show x-request-id, such as ${printable(requestIds.example ?? '')}`]);
  return lines;
}

function countText({ answers, onCanary, givenCookie }: CanaryCount, canary: string): string {
  return `${onCanary} of ${answers} on ${canary}, ${givenCookie} given a cookie`;
}

function driftLines({ stickiness }: SiteDiagnosis, columns: number): readonly string[] {
  if (stickiness.drift.length === 0) return [];
  const rows = stickiness.drift.map(({ requests, visitors, share, pinned, drawn }) => [
    String(requests),
    count(visitors),
    percent(share),
    bandText(pinned),
    bandText(drawn),
  ]);
  return [
    ...table(['REQUESTS', 'VISITORS', 'SEEN BY', 'IF PINNED', 'IF DRAWN EACH TIME'], rows),
    ...wrap('Bands: the weights that explain the first visits (binomial, 95 %, Wilson), and what they come to.', columns),
  ];
}

function bandText([from, to]: Interval): string {
  return `${(100 * from).toFixed(1)} … ${(100 * to).toFixed(1)} %`;
}

const ROLES = { visitor: 'a visitor', outcome: 'an outcome', other: '-' } as const;

function cookieLines(cookies: readonly CookieUse[]): readonly string[] {
  if (cookies.length === 0) return [];
  const rows = cookies.map(({ name, set, role, given, values }) => [
    printable(name),
    ROLES[role],
    `${count(values)} for ${count(given)}`,
    set.lifetime === undefined ? 'session' : formatDuration(Math.max(Math.round(set.lifetime), 1) * 1000),
    printable(set.path ?? '-'),
    [...(set.secure ? ['Secure'] : []), ...(set.sameSite === undefined ? [] : [`SameSite=${printable(set.sameSite)}`])].join(' ') || '-',
  ]);
  return table(['NAME', 'TELLS', 'VALUES', 'LASTS', 'PATH', 'FURTHER'], rows);
}
