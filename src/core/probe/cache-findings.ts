import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { type Answer, allAnswers, isTold, type Observations } from './observations.ts';

/** What caches had to do with the answers of a probe. */
export interface CacheUse {
  /** Answers that set a cookie although a shared cache may keep them. */
  readonly settingAndKept: number;
  /** Other answers that a shared cache may keep, for whoever asks. */
  readonly kept: number;
  /** Answers that a cache gave. */
  readonly fromCache: number;
  /** Answers looked at. */
  readonly answers: number;
  /** Cache-Control of the first such answer, to be recognised by. */
  readonly example: string | undefined;
}

/** Looks at what the answers say about being kept (RFC 9111, sections 3 and 5.2). */
export function cacheUseOf(seen: Observations): CacheUse {
  const answers = allAnswers(seen).filter(isTold);
  const kept = answers.filter(mayBeKept);
  const setting = kept.filter(({ setCookies }) => setCookies.length > 0);
  return {
    settingAndKept: setting.length,
    kept: kept.length - setting.length,
    fromCache: answers.filter(isFromCache).length,
    answers: answers.length,
    example: (setting[0] ?? kept[0])?.headers.get('cache-control'),
  };
}

/** What breaks stickiness there. `splits`: whether the site shows several versions; else a page may be kept for everybody. */
export function cacheFindings(caches: CacheUse, splits: boolean): readonly Diagnostic[] {
  const { settingAndKept, kept, fromCache, answers, example } = caches;
  const said = example === undefined ? '' : ` (Cache-Control: ${example})`;
  const found: Diagnostic[] = [];
  if (settingAndKept > 0) {
    found.push({
      code: 'PERCH5020',
      severity: 'error',
      message: `${settingAndKept} of ${answers} answers set a cookie, and a shared cache may keep them${said}`,
      hint: 'add Cache-Control: private to answers that set a cookie',
    });
  }
  if (kept > 0 && splits) {
    found.push({
      code: 'PERCH5021',
      severity: 'warning',
      message: `${kept} of ${answers} answers may be kept by a shared cache for whoever asks${said}, and there are several versions`,
      hint: 'add Cache-Control: private while the release runs',
    });
  }
  if (fromCache > 0) {
    found.push({
      code: 'PERCH5022',
      severity: 'warning',
      message: `${fromCache} of ${answers} answers came from a cache (Age, or X-Cache: HIT), which does not know who is on the canary`,
    });
  }
  return found;
}

/** Whether a shared cache may keep the answer and give it to somebody else: only where the answer says so, not where caches might guess. */
function mayBeKept({ headers, status }: Answer): boolean {
  const control = (headers.get('cache-control') ?? '').toLowerCase();
  if (status >= 400 || /\b(?:private|no-store|no-cache)\b/.test(control)) return false;
  if (/\bcookie\b|\*/i.test(headers.get('vary') ?? '')) return false;
  const age = /\bs-maxage="?(\d+)/.exec(control)?.[1] ?? /\bmax-age="?(\d+)/.exec(control)?.[1];
  if (age !== undefined) return Number(age) > 0;
  return /\bpublic\b/.test(control) || Date.parse(headers.get('expires') ?? '') > Date.parse(headers.get('date') ?? '');
}

function isFromCache({ headers }: Answer): boolean {
  return (
    Number(headers.get('age') ?? 0) > 0 ||
    /\bhit\b/i.test(headers.get('x-cache') ?? headers.get('x-cache-status') ?? headers.get('cf-cache-status') ?? '')
  );
}
