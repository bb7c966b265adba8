import { browserRefusal, type CookieSite, isLoopback } from '../cookies/browser-refusal.ts';
import { defaultPath, pathMatches } from '../cookies/parse-set-cookie.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type CookieUse, looksLikeId } from './cookie-use.ts';

/** Shorter than this, in seconds, a visitor of today is unknown tomorrow. */
const SHORT = 86_400;

/**
 * What about the site's cookies breaks stickiness. `path` is that of the page; `splits`: whether the site shows several versions.
 * Cookies that have one value for everybody, whatever the version, have nothing to do with it.
 */
export function cookieFindings(cookies: readonly CookieUse[], site: CookieSite, path: string, splits: boolean): readonly Diagnostic[] {
  const judged = cookies.filter(({ role }) => role !== 'other').map((use) => ({ use, attributes: attributeFindings(use, site, path) }));
  // A session's cookie beside the one that pins is none of our business, and from outside nobody can tell which is which.
  const hasLasting = judged.some(({ use, attributes }) => use.role === 'visitor' && attributes.length === 0);
  return judged.flatMap(({ use, attributes }) => [
    ...(use.role === 'visitor' && hasLasting ? attributes.map(asNote) : attributes),
    ...(use.role === 'outcome' && splits ? outcomeFindings(use) : []),
    ...(use.role === 'visitor' ? leakFindings(use) : []),
  ]);
}

function asNote(finding: Diagnostic): Diagnostic {
  return { ...finding, severity: 'info', message: `${finding.message} (no harm, if another cookie pins the visitor)` };
}

function attributeFindings({ name, set }: CookieUse, site: CookieSite, page: string): readonly Diagnostic[] {
  const object = `cookie ${name}`;
  const found: Diagnostic[] = [];
  const refusal = browserRefusal(set, site);
  const path = set.path ?? defaultPath(page);
  if (refusal !== undefined) {
    found.push({ code: 'PERCH5010', severity: 'error', object, message: `it ${refusal}: browsers drop it, so it pins nobody` });
  } else if (set.secure && !site.secure && isLoopback(site.host)) {
    found.push({
      code: 'PERCH5010',
      severity: 'warning',
      object,
      message: 'it has Secure, and the page comes by HTTP: only some browsers keep it, and only from this machine',
    });
  }
  if (!pathMatches(page, path)) {
    found.push({
      code: 'PERCH5011',
      severity: 'error',
      object,
      message: `it has Path=${path}, so it is never sent to ${page}, the page that sets it`,
    });
  } else if (path !== '/') {
    const why = set.path === undefined ? `it has no Path, so it is for ${path} and below` : `it has Path=${path}`;
    found.push({
      code: 'PERCH5011',
      severity: 'warning',
      object,
      message: `${why}: elsewhere on the site the visitor is unknown`,
      hint: 'set it with Path=/',
    });
  }
  if (set.lifetime === undefined || set.lifetime < SHORT) {
    const ends =
      set.lifetime === undefined ? 'when the browser is closed: it has neither Max-Age nor Expires' : `after ${spanText(set.lifetime)}`;
    found.push({
      code: 'PERCH5012',
      severity: 'warning',
      object,
      message: `it ends ${ends}`,
      hint: 'give it a Max-Age longer than the release',
    });
  }
  if (set.sameSite?.toLowerCase() === 'strict') {
    found.push({
      code: 'PERCH5013',
      severity: 'warning',
      object,
      message: 'it has SameSite=Strict, so a visitor who follows a link from elsewhere comes without it',
      hint: 'set it with SameSite=Lax',
    });
  }
  return found;
}

function outcomeFindings({ name, values, given, commonest, version }: CookieUse): readonly Diagnostic[] {
  const message =
    values === 1
      ? `all ${given} new visitors who got it, those on ${version ?? 'one version'}, got the same value ${quoted(commonest.value)}: it pins the outcome, not the visitor`
      : `${given} new visitors got one of ${values} values, and the value names the version: it pins the outcome, not the visitor`;
  return [{ code: 'PERCH5014', severity: 'warning', object: `cookie ${name}`, message }];
}

function leakFindings({ name, given, values, commonest, isUuid }: CookieUse): readonly Diagnostic[] {
  if (commonest.visitors < 2 || !looksLikeId(commonest.value)) return [];
  const looks = isUuid ? 'the id' : 'the value';
  return [
    {
      code: 'PERCH5015',
      severity: 'error',
      object: `cookie ${name}`,
      message: `${commonest.visitors} new visitors got ${looks} ${quoted(commonest.value)}, and ${given} new visitors ${values} ${values === 1 ? 'value' : 'values'} in all`,
    },
  ];
}

/** A value that others must not learn from a report: its end is enough to recognise it. */
function quoted(value: string): string {
  return value.length > 24 ? `…${value.slice(-6)}` : value;
}

function spanText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
