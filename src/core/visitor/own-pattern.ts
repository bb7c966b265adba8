import { BUCKETS, OFFSETS, type Offset } from './bucket.ts';
import { baggagePattern } from './cohort.ts';
import { isIdAt, lastGroup } from './last-group.ts';
import { someMember } from './list-members.ts';
import { cookieBelow, cookieValid, digitsBelow, requestIdBelow, requestIdValid } from './patterns.ts';

/** Whether a part of a header value, from `start` to `end`, is what a pattern wants. */
type PartMatcher = (value: string, start: number, end: number) => boolean;

const COOKIE = /^\(\?:\.\*; \?\)\?([A-Za-z0-9_-]+)=(\[0-9a-f-\]\*-.*)\(\?:;\.\*\)\?$/;
const CANARY_COOKIE = /^\(\?:\.\*; \?\)\?([A-Za-z0-9_-]+)=([A-Za-z0-9_-]+)\(\?:;\.\*\)\?$/;
const BAGGAGE = /^\(\?:\.\*, \?\)\?(perch\\\.(?:[a-z0-9-]|\\\.)+)=(canary|stable)\(\?:\[ ;,\]\.\*\)\?$/;
const REQUEST_ID = /^\[0-9a-f-\]\*-(?:\[0-9a-f\]\{([369])\})?(.+)\[0-9a-f\]\*$/;

/**
 * Code that decides what one of Perch's own regexes (cookie, request id, baggage) decides, with RE2's full match, in linear time and without
 * a regex engine; undefined for every other regex. RE2 in JavaScript costs microseconds per request on a long cookie.
 */
export function parseOwnPattern(regex: string): ((value: string) => boolean) | undefined {
  const cookie = COOKIE.exec(regex);
  if (cookie !== null) return cookieMatcher(regex, cookie[1] ?? '', cookie[2] ?? '');
  const canary = CANARY_COOKIE.exec(regex);
  if (canary !== null) return canaryCookieMatcher(`${canary[1]}=${canary[2]}`);
  const baggage = BAGGAGE.exec(regex);
  if (baggage !== null) return baggageMatcher(regex, baggage[1] ?? '', baggage[2] === 'canary' ? 'canary' : 'stable');
  const id = parseId(regex);
  return id === undefined ? undefined : (value) => id.matches(value, 0, value.length);
}

function cookieMatcher(regex: string, name: string, idPattern: string): ((value: string) => boolean) | undefined {
  const id = parseId(idPattern);
  if (id === undefined) return undefined;
  const expected = id.cutoff === undefined ? cookieValid(name) : cookieBelow(name, id.cutoff, id.offset);
  if (expected !== regex) return undefined;
  const beginning = `${name}=`;
  return (value) => someMember(value, ';', beginning, id.matches);
}

function canaryCookieMatcher(cookie: string): (value: string) => boolean {
  return (value) => someMember(value, ';', cookie, (_text, start, end) => start === end);
}

function baggageMatcher(regex: string, escapedKey: string, cohort: 'canary' | 'stable'): ((value: string) => boolean) | undefined {
  const key = escapedKey.replaceAll('\\.', '.');
  if (baggagePattern(key, cohort) !== regex) return undefined;
  const member = `${key}=${cohort}`;
  return (value) => someMember(value, ',', member, (text, start, end) => start === end || text[start] === ' ' || text[start] === ';');
}

interface IdPattern {
  /** Undefined: any valid id. */
  readonly cutoff: number | undefined;
  readonly offset: Offset;
  readonly matches: PartMatcher;
}

function parseId(pattern: string): IdPattern | undefined {
  if (pattern === requestIdValid()) {
    return { cutoff: undefined, offset: 0, matches: isIdAt };
  }
  const parts = REQUEST_ID.exec(pattern);
  if (parts === null) return undefined;
  const offset = OFFSETS.find((candidate) => candidate === Number(parts[1] ?? 0)) ?? 0;
  const cutoff = cutoffOfDigits((parts[2] ?? '').replace(/^\(\?:(.*)\)$/, '$1'));
  if (cutoff === undefined || requestIdBelow(cutoff, offset) !== pattern) return undefined;
  return { cutoff, offset, matches: (value, start, end) => belowAt(value, lastGroup(value, start, end), end, cutoff, offset) };
}

let cutoffsByDigits: ReadonlyMap<string, number> | undefined;

/** The inverse of `digitsBelow`, from a table made at the first call: 4,095 short texts. */
function cutoffOfDigits(alternatives: string): number | undefined {
  cutoffsByDigits ??= new Map(Array.from({ length: BUCKETS - 1 }, (_, index) => [digitsBelow(index + 1), index + 1]));
  return cutoffsByDigits.get(alternatives);
}

/** Compares digit by digit, as the alternatives do: an id that ends before the decision is not below. */
function belowAt(value: string, group: number, end: number, cutoff: number, offset: Offset): boolean {
  if (group < 0) return false;
  const start = group + offset;
  for (let place = 0; place < 3 && start + place < end; place++) {
    const digit = hexValue(value.charCodeAt(start + place));
    const limit = (cutoff >> (8 - 4 * place)) & 15;
    if (digit !== limit) return digit < limit;
  }
  return false;
}

/** Value of a lower-case hex digit, or -1. */
function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}
