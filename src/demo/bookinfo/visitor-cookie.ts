import type { IncomingHttpHeaders } from 'node:http';

/** The attributes with which the release sets the visitor id cookie: a browser forgets a cookie only by its own name and path. */
export interface VisitorCookie {
  readonly name: string;
  readonly path: string;
  /** auto: as the browser's own connection, told by X-Forwarded-Proto. */
  readonly secure: boolean | 'auto';
  readonly httpOnly: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
}

/** The defaults of CanaryRelease's `visitorId.cookie`. */
export const DEFAULT_VISITOR_COOKIE: VisitorCookie = { name: 'perch', path: '/', secure: 'auto', httpOnly: true, sameSite: 'Lax' };

/** `Set-Cookie` that makes the browser forget its visitor id: the next document draws a new one. */
export function expireVisitorCookie(cookie: VisitorCookie, headers: IncomingHttpHeaders): string {
  const secure = cookie.secure === 'auto' ? headers['x-forwarded-proto'] === 'https' : cookie.secure;
  const attributes = [`${cookie.name}=`, 'Max-Age=0', `Path=${cookie.path}`];
  if (secure) attributes.push('Secure');
  if (cookie.httpOnly) attributes.push('HttpOnly');
  attributes.push(`SameSite=${cookie.sameSite}`);
  return attributes.join('; ');
}
