import { parseSetCookie, type SetCookie } from '../cookies/parse-set-cookie.ts';
import { type Answer, allAnswers, firstAnswers, type Observations } from './observations.ts';
import type { VersionTelling } from './version-telling.ts';

/**
 * What a cookie can have to do with sticking. `visitor`: its values differ from visitor to visitor. `outcome`: each of its values goes with one
 * version, and the same one to everybody. `other`: one value for all on both versions, such as a language.
 */
export type CookieRole = 'visitor' | 'outcome' | 'other';

/** A cookie that a site set during a probe. */
export interface CookieUse {
  readonly name: string;
  /** As it was set first. */
  readonly set: SetCookie;
  readonly role: CookieRole;
  /** Answers to new visitors that set it, and how many values they gave. */
  readonly given: number;
  readonly values: number;
  /** The value that most new visitors were given, and how many. */
  readonly commonest: { readonly value: string; readonly visitors: number };
  /** The version that all who were given it were on; undefined where there are several, or none is told. */
  readonly version: string | undefined;
  /** Whether all values end as a UUID does, in 12 hex digits: such a one can be a visitor id of Perch. */
  readonly isUuid: boolean;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Long enough to be made for one visitor, with a digit in it. */
const ID_LIKE = /^(?=.*\d)[\w.~%+/=|:-]{16,}$/;

/** Whether a value looks as if it were made for one visitor. */
export function looksLikeId(value: string): boolean {
  return UUID.test(value) || ID_LIKE.test(value);
}

/**
 * The cookies that are set, as new visitors get them; by name. Those that are only expired are left out. `telling` where there are several
 * versions; `hasCache`: whether answers came from a cache.
 */
export function cookiesOf(seen: Observations, telling: VersionTelling | undefined, hasCache: boolean): readonly CookieUse[] {
  const lines = Map.groupBy(settings(firstAnswers(seen)), ({ cookie }) => cookie.name);
  // What only returns are given counts as well; what new visitors get says more.
  for (const [name, all] of Map.groupBy(settings(allAnswers(seen)), ({ cookie }) => cookie.name))
    if (!lines.has(name)) lines.set(name, all);
  return [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, given]) => useOf(name, given, telling, hasCache) ?? []);
}

interface Setting {
  readonly cookie: SetCookie;
  readonly answer: Answer;
}

function settings(answers: readonly Answer[]): readonly Setting[] {
  // Lifetimes by Expires are measured against the server's own clock.
  return answers.flatMap((answer) => {
    const date = Date.parse(answer.headers.get('date') ?? '');
    return answer.setCookies.flatMap((line) => {
      const cookie = parseSetCookie(line, Number.isNaN(date) ? 0 : date);
      return cookie === undefined || (cookie.lifetime ?? 1) <= 0 ? [] : [{ cookie, answer }];
    });
  });
}

function useOf(name: string, given: readonly Setting[], telling: VersionTelling | undefined, hasCache: boolean): CookieUse | undefined {
  const [first] = given;
  if (first === undefined) return undefined;
  const byValue = Map.groupBy(given, ({ cookie }) => cookie.value);
  const [value, those] = [...byValue].reduce((most, each) => (each[1].length > most[1].length ? each : most));
  const versionsOf = (some: readonly Setting[]): ReadonlySet<string> => new Set(some.flatMap(({ answer }) => telling?.of(answer) ?? []));
  const [version, ...others] = versionsOf(given);
  return {
    name,
    set: first.cookie,
    role: roleOf(given.length, value, [...byValue.values()].map(versionsOf), hasCache),
    given: given.length,
    values: byValue.size,
    commonest: { value, visitors: those.length },
    version: others.length === 0 ? version : undefined,
    isUuid: [...byValue.keys()].every((each) => UUID.test(each)),
  };
}

/**
 * `versions` has those that each value went with. Values that few visitors share may name a version, a server, or a visitor whose answer was
 * kept by a cache: the last is said only of UUIDs, or where a cache was seen.
 */
function roleOf(given: number, value: string, versions: readonly ReadonlySet<string>[], hasCache: boolean): CookieRole {
  const isShared = given >= 2 * versions.length;
  if (!isShared) return versions.length > 1 || looksLikeId(value) ? 'visitor' : 'other';
  if (UUID.test(value) || (hasCache && looksLikeId(value))) return 'visitor';
  return versions.every(({ size }) => size === 1) ? 'outcome' : 'other';
}
