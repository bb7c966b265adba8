import { BUCKETS, type Offset } from './bucket.ts';

/**
 * The regexes by which a proxy tells visitors apart (docs/adr/0001). All are RE2, matched against the whole header value;
 * each stays within 100 characters, for cookie names of up to 14. They suppose an id that ends in 12 hex digits: a shorter last group gets no guarantee.
 */

/** Everything before the last hyphen of an id; what follows has none, so this cannot stop early. */
const EARLIER_GROUPS = '[0-9a-f-]*-';
const LAST_GROUP = '[0-9a-f]{12}';
/** Cookies before ours; browsers separate with `; `, other clients with `;`. */
const COOKIES_BEFORE = '(?:.*; ?)?';
const COOKIES_AFTER = '(?:;.*)?';

/** Matches a Cookie line with a visitor id whose bucket at `offset` is below `cutoff` (0..4096); undefined for 0: no visitor is. */
export function cookieBelow(name: string, cutoff: number, offset: Offset): string | undefined {
  const id = requestIdBelow(cutoff, offset);
  return id === undefined ? undefined : cookiePattern(name, id);
}

/** Matches a Cookie line with any visitor id in the cookie `name`. */
export function cookieValid(name: string): string {
  return cookiePattern(name, requestIdValid());
}

/** Matches a Cookie line in which the cookie `name` has exactly this value; both of letters, digits, `_` and `-` only, at most 32 each. */
export function cookieEqual(name: string, value: string): string {
  return cookiePattern(name, value);
}

/** Matches an `x-request-id` that puts a new visitor below `cutoff` (0..4096) at `offset`; undefined for 0: it puts none. */
export function requestIdBelow(cutoff: number, offset: Offset): string | undefined {
  if (cutoff <= 0) return undefined;
  if (cutoff >= BUCKETS) return requestIdValid();
  const skipped = offset === 0 ? '' : `[0-9a-f]{${offset}}`;
  return `${EARLIER_GROUPS}${skipped}${grouped(digitsBelow(cutoff))}[0-9a-f]*`;
}

/** Matches any `x-request-id` that can become a visitor id: hex digits and hyphens only, so nothing else ever reaches a Set-Cookie. */
export function requestIdValid(): string {
  return EARLIER_GROUPS + LAST_GROUP;
}

/**
 * Alternatives that match three hex digits exactly when their value is below `cutoff` (1..4095): `0|1(?:[0-8]|9[0-9])` for 0x19a.
 * Trailing zeros of the cutoff need no digit of their own (reference/statistics.md section 2).
 */
export function digitsBelow(cutoff: number): string {
  const digits = [cutoff >> 8, (cutoff >> 4) & 15, cutoff & 15];
  while (digits.at(-1) === 0) digits.pop();
  return alternativesBelow(digits);
}

function cookiePattern(name: string, value: string): string {
  return `${COOKIES_BEFORE}${name}=${value}${COOKIES_AFTER}`;
}

/** `digits` of the cutoff, the last one not 0. */
function alternativesBelow(digits: readonly number[]): string {
  const [first = 0, ...rest] = digits;
  if (rest.length === 0) return hexBelow(first);
  const equal = first.toString(16) + grouped(alternativesBelow(rest));
  return first === 0 ? equal : `${hexBelow(first)}|${equal}`;
}

/** One hex digit below `digit` (1..15). */
function hexBelow(digit: number): string {
  if (digit === 1) return '0';
  if (digit <= 10) return `[0-${digit - 1}]`;
  return digit === 11 ? '[0-9a]' : `[0-9a-${(digit - 1).toString(16)}]`;
}

/** A first alternative is one class or digit, so an alternation shows before any group. */
function grouped(alternatives: string): string {
  return /^[^(]*\|/.test(alternatives) ? `(?:${alternatives})` : alternatives;
}
