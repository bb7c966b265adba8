/** The cookies of one simulated person, for one origin. */
export interface CookieJar {
  /** The Cookie header for a path; undefined where there is nothing to send. */
  header(path: string): string | undefined;
  /** Takes in a response's `Set-Cookie` lines. */
  store(lines: readonly string[]): void;
}

interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly expiresAt: number;
}

/**
 * A browser's cookies by RFC 6265 section 5, as far as one origin needs them: Max-Age before Expires, path matching, replacement by name
 * and path. `now` is in milliseconds since the epoch.
 */
export function createCookieJar(now: () => number): CookieJar {
  const cookies = new Map<string, StoredCookie>();
  return {
    header: (path) => {
      const sent: string[] = [];
      for (const [key, cookie] of cookies) {
        if (cookie.expiresAt <= now()) cookies.delete(key);
        else if (pathMatches(path, cookie.path)) sent.push(`${cookie.name}=${cookie.value}`);
      }
      return sent.length === 0 ? undefined : sent.join('; ');
    },
    store: (lines) => {
      for (const line of lines) {
        const cookie = parseSetCookie(line, now());
        if (cookie !== undefined) cookies.set(`${cookie.name};${cookie.path}`, cookie);
      }
    },
  };
}

function parseSetCookie(line: string, now: number): StoredCookie | undefined {
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  if (equals <= 0) return undefined;
  const found = new Map<string, string>();
  for (const attribute of attributes) {
    const [name = '', value = ''] = attribute.split('=', 2);
    found.set(name.trim().toLowerCase(), value.trim());
  }
  const path = found.get('path');
  return {
    name: pair.slice(0, equals).trim(),
    value: pair.slice(equals + 1).trim(),
    path: path?.startsWith('/') === true ? path : '/',
    expiresAt: expiry(found, now),
  };
}

function expiry(attributes: ReadonlyMap<string, string>, now: number): number {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0 ? Number.NEGATIVE_INFINITY : now + 1000 * Number(maxAge);
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires;
}

function pathMatches(requestPath: string, cookiePath: string): boolean {
  if (!requestPath.startsWith(cookiePath)) return false;
  return requestPath.length === cookiePath.length || cookiePath.endsWith('/') || requestPath[cookiePath.length] === '/';
}
