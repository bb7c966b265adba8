import type { CanaryCookie } from '../release/canary-cookie.ts';
import type { CanaryReleaseSpec } from '../release/canary-release.ts';
import { parseDuration } from '../release/durations.ts';

type CookieSpec = CanaryReleaseSpec['visitorId']['cookie'];

/**
 * The Set-Cookie value that issues an id: Envoy fills in `%REQ(x-request-id)%`, which it has set before it selects the route. A literal
 * percent sign is doubled, since Envoy reads `%...%` as a command (istio-semantics 1.10). Attributes: RFC 6265bis; Partitioned: CHIPS.
 */
export function issuingSetCookie(cookie: CookieSpec, secure: boolean): string {
  return [`${literal(cookie.name)}=%REQ(x-request-id)%`, `Max-Age=${maxAgeSeconds(cookie.maxAge)}`, ...attributes(cookie, secure)].join(
    '; ',
  );
}

/** The Set-Cookie value that remembers what a visitor chose, or forgets it (`maxAge` below 0), with the attributes of the visitor id's. */
export function choosingSetCookie({ name, value, maxAge }: CanaryCookie, like: CookieSpec, secure: boolean): string {
  return [`${name}=${value}`, `Max-Age=${maxAge}`, ...attributes(like, secure)].join('; ');
}

function attributes(cookie: CookieSpec, secure: boolean): readonly string[] {
  return [
    `Path=${literal(cookie.path)}`,
    ...(cookie.domain === undefined ? [] : [`Domain=${cookie.domain}`]),
    ...(secure ? ['Secure'] : []),
    ...(cookie.httpOnly ? ['HttpOnly'] : []),
    `SameSite=${cookie.sameSite}`,
    ...(cookie.partitioned ? ['Partitioned'] : []),
  ];
}

/** The Set-Cookie value that keeps its holder on the canary. Without `path` it is the article's, letter for letter: browsers take the path of the request's folder. */
export function canarySetCookie(cookie: CanaryCookie, path: '/' | undefined): string {
  return withPath(`${cookie.name}=${cookie.value}; Max-Age=${Math.max(1, cookie.maxAge)}`, path);
}

/** Takes that cookie back: browsers know a cookie by name, domain and path, so the attributes are those that it was set with. */
export function expiringSetCookie(cookie: CanaryCookie, path: '/' | undefined): string {
  return withPath(`${cookie.name}=${cookie.value}; Max-Age=-1`, path);
}

/** Whether a Set-Cookie value is one that takes the canary's cookie back. */
export function takesCookieBack(value: string): boolean {
  return /; Max-Age=-1(?:;|$)/.test(value);
}

function withPath(text: string, path: '/' | undefined): string {
  return path === undefined ? text : `${text}; Path=${path}`;
}

/** What about the cookie makes browsers drop it where it is not Secure (RFC 6265bis section 4.1.3; CHIPS), and its field; undefined where nothing does. */
export function needsSecure(cookie: CookieSpec): { readonly field: 'name' | 'partitioned'; readonly what: string } | undefined {
  if (/^__(?:host|secure)-/i.test(cookie.name)) return { field: 'name', what: 'its name asks for Secure' };
  return cookie.partitioned ? { field: 'partitioned', what: 'Partitioned asks for Secure' } : undefined;
}

/** Whole seconds, at least 1: Max-Age=0 would delete the cookie. */
export function maxAgeSeconds(duration: string): number {
  return Math.max(1, Math.round((parseDuration(duration) ?? 0) / 1000));
}

function literal(text: string): string {
  return text.replaceAll('%', '%%');
}
