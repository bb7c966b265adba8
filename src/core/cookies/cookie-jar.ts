import { browserRefusal, type CookieSite } from './browser-refusal.ts';
import { defaultPath, parseSetCookie, pathMatches } from './parse-set-cookie.ts';

/** The cookies of one simulated person, for one origin. */
export interface CookieJar {
  /** The Cookie header for a path; undefined where there is nothing to send. */
  header(path: string): string | undefined;
  /** What is sent to a path, by name. */
  sent(path: string): ReadonlyMap<string, string>;
  /** Takes in the `Set-Cookie` lines of an answer to a path; by default that of the site's root. */
  store(lines: readonly string[], path?: string): void;
}

interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly expiresAt: number;
}

/**
 * A browser's cookies by RFC 6265 section 5, as far as one origin needs them: Max-Age before Expires, path matching, replacement by name
 * and path. With a site, what browsers drop there is dropped. `now` is in milliseconds since the epoch.
 */
export function createCookieJar(now: () => number, site?: CookieSite): CookieJar {
  const cookies = new Map<string, StoredCookie>();
  const forPath = (path: string): readonly StoredCookie[] => {
    for (const [key, { expiresAt }] of cookies) if (expiresAt <= now()) cookies.delete(key);
    return [...cookies.values()].filter((cookie) => pathMatches(path, cookie.path));
  };
  return {
    header: (path) => {
      const sent = forPath(path).map(({ name, value }) => `${name}=${value}`);
      return sent.length === 0 ? undefined : sent.join('; ');
    },
    sent: (path) => new Map(forPath(path).map(({ name, value }) => [name, value])),
    store: (lines, requestPath = '/') => {
      for (const line of lines) {
        const cookie = parseSetCookie(line, now());
        if (cookie === undefined || (site !== undefined && browserRefusal(cookie, site) !== undefined)) continue;
        const { name, value, path = defaultPath(requestPath) } = cookie;
        cookies.set(`${name};${path}`, { name, value, path, expiresAt: expiry(cookie.lifetime, now()) });
      }
    },
  };
}

function expiry(lifetime: number | undefined, now: number): number {
  if (lifetime === undefined) return Number.POSITIVE_INFINITY;
  return lifetime <= 0 ? Number.NEGATIVE_INFINITY : now + 1000 * lifetime;
}
