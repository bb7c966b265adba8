import type { HTTPRoute } from '../istio/resources.ts';
import type { Cohort } from '../visitor/cohort.ts';
import type { ParsedRuleName } from './rule-name.ts';
import { takesCookieBack } from './set-cookie.ts';

/** Whose requests a woven rule takes, among those that the rules before it left; the rule itself tells those whose cookie it takes back. */
export function takenText(names: readonly ParsedRuleName[], rule: HTTPRoute): string {
  const [only] = names;
  if (only === undefined) return 'everyone';
  if (names.length > 1) return sharedText(names);
  const { role, cohort } = only;
  switch (role) {
    case 'known':
      if (takesBack(rule)) return 'holders of the canary’s cookie, taken back';
      return cohort === 'canary' ? 'known visitors of the canary' : 'all other known visitors';
    case 'told':
      return cohort === 'canary' ? 'told by the edge: canary' : 'told by the edge: stable';
    case 'new':
      if (cohort === 'drawn') return 'without the cookie, drawn by weight';
      return cohort === 'canary' ? 'new visitors drawn for the canary' : 'all other new visitors';
    case 'claimed':
      return claimText(cohort === 'canary' ? 'canary' : 'stable', rule);
    case 'rest':
      return 'everyone else';
  }
}

/** Who is not drawn: by a link, by what the browser remembers of one, or by what the release picks. */
function claimText(cohort: Cohort, { match = [] }: HTTPRoute): string {
  const [link] = match.flatMap(({ queryParams = {} }) => Object.entries(queryParams));
  if (link !== undefined) return `who follows ?${link[0]}=${'exact' in link[1] ? link[1].exact : ''}`;
  return match.some(({ headers = {} }) => 'cookie' in headers) ? `who chose ${cohort} by a link` : 'those who are picked';
}

/** Of a rule that several releases divide together. */
function sharedText(names: readonly ParsedRuleName[]): string {
  const role = names.find((each) => each.role !== 'claimed')?.role ?? 'claimed';
  const canaries = names.filter(({ cohort }) => cohort === 'canary').map(({ release }) => release);
  const of = `of the ${canaries.length === 1 ? 'canary' : 'canaries'} of ${canaries.toReversed().join(', ')}`;
  const claimed = names.filter((each) => each.role === 'claimed').map(({ release }) => release);
  const chosen = claimed.length === 0 ? '' : `, picked or chosen in ${claimed.toReversed().join(', ')}`;
  if (role === 'rest' || role === 'claimed') return canaries.length === 0 ? `everyone else${chosen}` : `requests ${of}${chosen}`;
  const who = role === 'known' ? 'known' : 'new';
  return `${canaries.length === 0 ? `all other ${who} visitors` : `${who} visitors ${of}`}${chosen}`;
}

function takesBack({ route = [] }: HTTPRoute): boolean {
  return route.some(({ headers }) => takesCookieBack(headers?.response?.add?.['Set-Cookie'] ?? ''));
}
