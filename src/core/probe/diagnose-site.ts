import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type CacheUse, cacheFindings, cacheUseOf } from './cache-findings.ts';
import { cookieFindings } from './cookie-findings.ts';
import { type CookieUse, cookiesOf } from './cookie-use.ts';
import { type Answer, allAnswers, isTold, type Observations } from './observations.ts';
import { type RequestIdUse, requestIdFindings, requestIdsOf } from './request-ids.ts';
import { judgeStickiness, type Stickiness } from './stickiness.ts';
import { evidenceSentence, verdictSentence } from './verdict-sentence.ts';
import { tellVersions, type VersionSource, type VersionTelling } from './version-telling.ts';

/** Answers by whether they came from the canary. */
export interface CanaryCount {
  readonly answers: number;
  readonly onCanary: number;
  /** Those that set a cookie. */
  readonly givenCookie: number;
}

/** Groups of parallel requests, and how many of them got answers of several versions. */
export interface MixCount {
  readonly groups: number;
  readonly mixed: number;
}

/** Everything that a probe tells about a site. */
export interface SiteDiagnosis {
  readonly url: string;
  /** In words. */
  readonly verdict: string;
  readonly stickiness: Stickiness;
  /** How versions were told; undefined where they cannot be. */
  readonly told: { readonly how: string; readonly isGuess: boolean } | undefined;
  /** Pages whose parts came from another version than their document. */
  readonly pages: MixCount;
  /** New visitors whose first requests went out at once, without a cookie. */
  readonly races: MixCount;
  readonly withoutCookies: { readonly documents: CanaryCount; readonly assets: CanaryCount };
  readonly cookies: readonly CookieUse[];
  readonly caches: CacheUse;
  readonly requestIds: RequestIdUse;
  readonly failures: { readonly answers: number; readonly failed: number; readonly examples: readonly string[] };
  /** The worst first. */
  readonly findings: readonly Diagnostic[];
}

/** What the user says about the versions. */
export interface DiagnoseOptions {
  readonly source: VersionSource;
  /** Which version is the canary. */
  readonly canary?: string;
}

const RANK = { error: 0, warning: 1, info: 2 } as const;

/** Turns what a probe saw into a verdict and findings. */
export function diagnoseSite(seen: Observations, { source, canary }: DiagnoseOptions): SiteDiagnosis {
  const telling = tellVersions(seen, source);
  const stickiness = judgeStickiness(seen, telling ?? TELLS_NOTHING, canary);
  const isUntold = stickiness.verdict === 'untold';
  const known = isUntold ? undefined : telling;
  const splits = stickiness.versions.length > 1 && !isUntold;
  const { hostname, protocol, pathname } = addressParts(seen.url);
  const caches = cacheUseOf(seen);
  const cookies = cookiesOf(seen, splits ? known : undefined, caches.fromCache > 0);
  const requestIds = requestIdsOf(seen);
  const pages = mixes(
    seen.pages.map(({ document, parts }) => [document, ...parts]),
    known,
  );
  const failures = failuresOf(seen);
  const verdict = verdictSentence(stickiness);
  const findings = [
    ...verdictFindings(stickiness, source),
    ...pageFindings(pages),
    ...cookieFindings(cookies, { secure: protocol === 'https:', host: hostname }, pathname, splits),
    ...cacheFindings(caches, splits),
    ...requestIdFindings(requestIds),
    ...failureFindings(failures),
  ];
  const { documents, assets } = seen.withoutCookies;
  const count = (answers: readonly Answer[]): CanaryCount => countCanary(answers, known, stickiness.canary?.version);
  return {
    url: seen.url,
    verdict,
    stickiness,
    told: known === undefined ? undefined : { how: known.how, isGuess: known.isGuess },
    pages,
    races: mixes(seen.races, known),
    withoutCookies: { documents: count(documents), assets: count(assets) },
    cookies,
    caches,
    requestIds,
    failures,
    findings: findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]),
  };
}

const TELLS_NOTHING: VersionTelling = { how: 'nothing', isGuess: true, of: () => undefined };

/** The parts of an absolute http or https address; `core` has no URL of the platform. */
function addressParts(url: string): { readonly protocol: string; readonly hostname: string; readonly pathname: string } {
  const [, protocol = '', hostname = '', pathname = ''] = /^(https?:)\/\/(\[[^\]]*\]|[^/:?#]*)(?::\d+)?([^?#]*)/.exec(url) ?? [];
  return { protocol, hostname: hostname.toLowerCase(), pathname: pathname === '' ? '/' : pathname };
}

function mixes(groups: readonly (readonly Answer[])[], telling: VersionTelling | undefined): MixCount {
  const versions = groups.map((answers) => answers.flatMap((answer) => telling?.of(answer) ?? [])).filter(({ length }) => length > 1);
  return { groups: versions.length, mixed: versions.filter((each) => new Set(each).size > 1).length };
}

function countCanary(answers: readonly Answer[], telling: VersionTelling | undefined, canary: string | undefined): CanaryCount {
  const told = answers.filter(isTold);
  return {
    answers: told.length,
    onCanary: canary === undefined ? 0 : told.filter((answer) => telling?.of(answer) === canary).length,
    givenCookie: told.filter(({ setCookies }) => setCookies.length > 0).length,
  };
}

function verdictFindings(stickiness: Stickiness, source: VersionSource): readonly Diagnostic[] {
  const message = evidenceSentence(stickiness);
  switch (stickiness.verdict) {
    case 'notSticky':
      return [{ code: 'PERCH5001', severity: 'error', message }];
    case 'pinsOutcome':
      return [{ code: 'PERCH5002', severity: 'error', message }];
    case 'moving':
      return [{ code: 'PERCH5003', severity: 'warning', message }];
    case 'undecided':
      return [{ code: 'PERCH5042', severity: 'warning', message, hint: 'send more: --visitors and --requests' }];
    case 'untold': {
      const hint =
        source.by === 'guess'
          ? 'say what tells them: --version-header, --version-cookie or --version-pattern'
          : 'look at an answer (curl -i) and name what differs between versions';
      return [{ code: 'PERCH5040', severity: 'warning', message: verdictSentence(stickiness), hint }];
    }
    case 'pinsVisitor':
    case 'oneVersion':
      return [];
  }
}

function pageFindings({ groups, mixed }: MixCount): readonly Diagnostic[] {
  if (mixed === 0) return [];
  const message = `${mixed} of ${groups} pages got parts of another version than their document, asked for with the cookies that it had set`;
  return [{ code: 'PERCH5004', severity: 'warning', message }];
}

function failuresOf(seen: Observations): SiteDiagnosis['failures'] {
  const answers = allAnswers(seen);
  const failed = answers.filter((answer) => !isTold(answer));
  return {
    answers: answers.length,
    failed: failed.length,
    examples: [...new Set(failed.map(({ failure, status }) => failure ?? `status ${status}`))].slice(0, 3),
  };
}

function failureFindings({ answers, failed, examples }: SiteDiagnosis['failures']): readonly Diagnostic[] {
  if (failed === 0) return [];
  return [{ code: 'PERCH5041', severity: 'warning', message: `${failed} of ${answers} requests failed (${examples.join('; ')})` }];
}
