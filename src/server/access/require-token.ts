import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../api-guards.ts';
import { problem, problemResponse } from '../problem.ts';
import type { Role, Tokens } from './token-file.ts';

/** The token of an Authorization header (RFC 6750, section 2.1); undefined where it has none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1];
}

/** Lets those pass whose token is known, and says what its owner may do in the variable `role`, and in `isStillKnown` whether that still holds. Undefined tokens: everybody may do everything. */
export function requireToken(tokens: () => Tokens | undefined): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const token = bearerToken(c.req.header('authorization')) ?? '';
    const roleNow = (): Role | undefined => {
      const known = tokens();
      return known === undefined ? 'act' : known.roleOf(token);
    };
    const role = roleNow();
    if (role === undefined) {
      const isGiven = c.req.header('authorization') !== undefined;
      const detail = isGiven ? 'this API does not know the token' : 'this API takes a token, as Authorization: Bearer TOKEN';
      const challenge = `Bearer realm="perch"${isGiven ? ', error="invalid_token"' : ''}`;
      return problemResponse(problem(401, 'PERCH4090', detail), { 'www-authenticate': challenge });
    }
    c.set('role', role);
    c.set('isStillKnown', () => roleNow() !== undefined);
    await next();
    return undefined;
  };
}
