import { OFFSETS, type Offset } from './bucket.ts';

/** What a visitor gets from a release. */
export type Cohort = 'canary' | 'stable';

/** What the choice of a draw depends on. */
export interface DrawFacts {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number | string | undefined;
  /** Count of releases started on the object before this one. */
  readonly started: number;
  readonly cohort: 'auto' | number;
}

/**
 * Which digits decide a release: 3 x ((hash(namespace, name) + n) mod 4), n = `revision` when it is an integer, else the count of started
 * releases; `cohort` 0..3 overrides it. So neighbours of a chain draw independently, and clusters agree when `revision` is an integer.
 */
export function offsetOf(facts: DrawFacts): Offset {
  const { cohort } = facts;
  if (cohort !== 'auto') return draw(cohort);
  const hash = fnv1a32(`${facts.namespace}/${facts.name}`);
  return draw(((hash ^ (hash >>> 16)) & 3) + (countOf(facts) % OFFSETS.length));
}

/** What decides `offsetOf` beside the release's name: only `started` needs to be known from elsewhere than the spec. */
export function drawOrigin({ revision, cohort }: Pick<DrawFacts, 'revision' | 'cohort'>): 'cohort' | 'revision' | 'started' {
  if (cohort !== 'auto') return 'cohort';
  return typeof revision === 'number' && Number.isInteger(revision) ? 'revision' : 'started';
}

function countOf(facts: DrawFacts): number {
  return typeof facts.revision === 'number' && drawOrigin(facts) === 'revision' ? facts.revision : facts.started;
}

function draw(count: number): Offset {
  return OFFSETS[((count % OFFSETS.length) + OFFSETS.length) % OFFSETS.length] ?? 0;
}

/** Longest release name, in characters of the regex, that stands in a baggage key as it is: an RE2 program of 83, measured with google-re2. */
const LONGEST_NAME = 40;
const HASH_DIGITS = 8;

/**
 * The W3C baggage key under which the cohort travels: `perch.NAME`; a long name is cut and followed by a hash of namespace and name,
 * so that the pattern stays within 100 characters and an RE2 program of 100.
 */
export function baggageKey(namespace: string, name: string): string {
  if (escaped(name).length <= LONGEST_NAME) return `perch.${name}`;
  const hash = fnv1a32(`${namespace}/${name}`).toString(16).padStart(HASH_DIGITS, '0');
  let kept = name.slice(0, LONGEST_NAME - HASH_DIGITS - 1);
  while (escaped(kept).length > LONGEST_NAME - HASH_DIGITS - 1) kept = kept.slice(0, -1);
  return `perch.${kept}-${hash}`;
}

/** The list member that says a cohort, as stamped on requests: `perch.reviews=canary`. */
export function baggageMember(key: string, cohort: Cohort): string {
  return `${key}=${cohort}`;
}

/**
 * Matches a baggage line (W3C Baggage: members separated by commas, properties by semicolons) that has the member `key=cohort`,
 * whole: neither `key=canaryx` nor `otherkey=canary`.
 */
export function baggagePattern(key: string, cohort: Cohort): string {
  return `(?:.*, ?)?${escaped(key)}=${cohort}(?:[ ;,].*)?`;
}

function escaped(text: string): string {
  return text.replaceAll('.', '\\.');
}

/**
 * FNV-1a, 32 bits, of an ASCII text (Fowler, Noll, Vo: draft-eastlake-fnv; offset basis 2166136261, prime 16777619).
 * For few buckets fold the halves, as its authors advise: the low bits alone are weak.
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
