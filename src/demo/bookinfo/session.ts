import { createHmac, timingSafeEqual } from 'node:crypto';

const COOKIE = 'session';

/** Signs and reads the cookie that holds who is logged in: a name, no password, as in Bookinfo. */
export interface Sessions {
  /** The user of a Cookie header; undefined without one, or where the signature is not ours. */
  userOf(cookieHeader: string | undefined): string | undefined;
  /** `Set-Cookie` that logs `user` in. */
  login(user: string): string;
  /** `Set-Cookie` that logs out. */
  logout(): string;
}

/** Sessions signed with `key`; they end with the browser's session. */
export function createSessions(key: Uint8Array): Sessions {
  const sign = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  return {
    userOf: (cookieHeader) => {
      const value = cookieValue(cookieHeader, COOKIE);
      const [payload, signature] = value?.split('.') ?? [];
      if (payload === undefined || signature === undefined) return undefined;
      const given = Buffer.from(signature, 'base64url');
      const expected = sign(payload);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return Buffer.from(payload, 'base64url').toString('utf8');
    },
    login: (user) => {
      const payload = Buffer.from(user, 'utf8').toString('base64url');
      return `${COOKIE}=${payload}.${sign(payload).toString('base64url')}; Path=/; HttpOnly; SameSite=Lax`;
    },
    logout: () => `${COOKIE}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`,
  };
}

/** The value of the first cookie of that name in a Cookie header (RFC 6265 section 4.2.1). */
function cookieValue(cookieHeader: string | undefined, name: string): string | undefined {
  for (const pair of cookieHeader?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
