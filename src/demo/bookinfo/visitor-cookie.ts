import type { IncomingHttpHeaders } from 'node:http';

/** The attributes with which the release sets the visitor id cookie: a browser forgets a cookie only by its own name, path, domain and partition. */
export interface VisitorCookie {
  readonly name: string;
  readonly path: string;
  readonly domain?: string;
  /** Absent: as the browser's own connection, told by X-Forwarded-Proto. */
  readonly secure?: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly partitioned?: boolean;
}

/** The defaults of CanaryRelease's `visitorId.cookie`. */
export const DEFAULT_VISITOR_COOKIE: VisitorCookie = { name: 'perch', path: '/', httpOnly: true, sameSite: 'Lax' };

/** `Set-Cookie` that makes the browser forget its visitor id: the next document draws a new one. */
export function expireVisitorCookie(cookie: VisitorCookie, headers: IncomingHttpHeaders): string {
  const secure = cookie.secure ?? headers['x-forwarded-proto'] === 'https';
  const attributes = [`${cookie.name}=`, 'Max-Age=0', `Path=${cookie.path}`];
  if (cookie.domain !== undefined) attributes.push(`Domain=${cookie.domain}`);
  if (secure) attributes.push('Secure');
  if (cookie.httpOnly) attributes.push('HttpOnly');
  attributes.push(`SameSite=${cookie.sameSite}`);
  if (cookie.partitioned === true) attributes.push('Partitioned');
  return attributes.join('; ');
}
