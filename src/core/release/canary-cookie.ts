import { fnv1a32 } from '../visitor/cohort.ts';
import { CANARY_COOKIE_AGE, type CanaryReleaseSpec } from './canary-release.ts';
import { parseDuration } from './durations.ts';
import { describeVersion } from './version.ts';

/** The cookie that keeps its holders on the canary (`affinity.mode: canaryOnly`), as fixed when the release starts. */
export interface CanaryCookie {
  readonly name: string;
  readonly value: string;
  /** In seconds. */
  readonly maxAge: number;
}

/** What the cookie's own name and value are made of. */
export interface CanaryCookieFacts {
  readonly namespace: string;
  readonly name: string;
  /** Count of releases started on the object before this one. */
  readonly started: number;
  readonly spec: Pick<CanaryReleaseSpec, 'affinity' | 'canary' | 'revision'>;
}

/** Longest name and longest value: both at once stay within 100 characters of regex and an RE2 program of 100. */
const LONGEST = 32;
const HASH_DIGITS = 8;

/**
 * The cookie of the release that starts now; undefined in `mode: visitor`. A value of the release's own is the canary's version and a hash
 * of the release, the version and n (`revision` when it is an integer, else the count of started releases, as for the draw in visitor mode):
 * holders of an earlier release's cookie are drawn anew, and clusters agree when `revision` is an integer.
 */
export function canaryCookieOf({ namespace, name, started, spec }: CanaryCookieFacts): CanaryCookie | undefined {
  const { mode, cookie } = spec.affinity;
  if (mode !== 'canaryOnly') return undefined;
  const version = describeVersion(spec.canary);
  const count = typeof spec.revision === 'number' ? spec.revision : started;
  return {
    name: cookie?.name ?? cookieNameOf('perch', { namespace, name }),
    value: cookie?.value ?? hashed(version, `${namespace}/${name} ${version} ${count}`),
    maxAge: Math.round((parseDuration(cookie?.maxAge ?? CANARY_COOKIE_AGE) ?? 0) / 1000),
  };
}

/** `PREFIX-reviews`; a long name is cut and followed by a hash, as in the baggage key. */
export function cookieNameOf(prefix: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  const plain = `${prefix}-${name}`;
  return plain.length <= LONGEST ? plain : hashed(plain, `${namespace}/${name}`);
}

/** A cookie's value: the text, cut and in a cookie's characters, and a hash of what it stands for. */
export function hashed(text: string, of: string): string {
  const hash = fnv1a32(of).toString(16).padStart(HASH_DIGITS, '0');
  return `${text.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, LONGEST - HASH_DIGITS - 1)}-${hash}`;
}
