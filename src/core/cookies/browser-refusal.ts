import type { SetCookie } from './parse-set-cookie.ts';

/** Where a cookie was set. */
export interface CookieSite {
  /** Whether by HTTPS. */
  readonly secure: boolean;
  /** Lower-case, without a port. */
  readonly host: string;
}

/** Whether a host is this machine, to browsers too: they take Secure cookies from it by HTTP (not all of them do). */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Why browsers drop the cookie; undefined where they keep it. By the draft of RFC 6265bis, section 5.7: Domain, Secure, the name prefixes
 * and SameSite=None; Partitioned by CHIPS; each reason is a clause that goes on after "the cookie".
 */
export function browserRefusal(cookie: SetCookie, site: CookieSite): string | undefined {
  const { name, domain, secure, partitioned, path, sameSite } = cookie;
  const prefix = /^__(?:host|secure)-/i.exec(name)?.[0];
  if (domain !== undefined && domain !== site.host && !site.host.endsWith(`.${domain}`)) {
    return `has Domain=${domain}, which is not the site's`;
  }
  if (secure && !site.secure && !isLoopback(site.host)) return 'has Secure, and the page comes by HTTP';
  if (prefix !== undefined && !secure) return `has a name that begins with ${prefix}, and no Secure`;
  if (prefix?.toLowerCase() === '__host-' && (path !== '/' || domain !== undefined)) {
    return `has a name that begins with ${prefix}, and not Path=/ without Domain`;
  }
  if (sameSite?.toLowerCase() === 'none' && !secure) return 'has SameSite=None, and no Secure';
  if (partitioned && !secure) return 'has Partitioned, and no Secure';
  return undefined;
}
