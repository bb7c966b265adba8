/** A cookie as a `Set-Cookie` line gives it (RFC 6265, section 5.2). */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** Undefined where the line has none, or one that does not begin with a slash: the default path counts then. */
  readonly path: string | undefined;
  /** Lower-case, without a leading dot. */
  readonly domain: string | undefined;
  readonly secure: boolean;
  /** CHIPS: kept apart for each site around the page. */
  readonly partitioned: boolean;
  /** As it is written. */
  readonly sameSite: string | undefined;
  /** Seconds from when it was set to when it ends, Max-Age before Expires; undefined for a cookie of the browser's session. */
  readonly lifetime: number | undefined;
}

/** Reads a line; undefined for one that is no cookie. `now` is in milliseconds since the epoch. */
export function parseSetCookie(line: string, now: number): SetCookie | undefined {
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
    path: path?.startsWith('/') === true ? path : undefined,
    domain: found.get('domain')?.toLowerCase().replace(/^\./, '') || undefined,
    secure: found.has('secure'),
    partitioned: found.has('partitioned'),
    sameSite: found.get('samesite'),
    lifetime: lifetimeOf(found, now),
  };
}

function lifetimeOf(attributes: ReadonlyMap<string, string>, now: number): number | undefined {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge);
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : (expires - now) / 1000;
}

/** Whether a cookie with this path is sent to a request's path (RFC 6265, section 5.1.4). */
export function pathMatches(requestPath: string, cookiePath: string): boolean {
  if (!requestPath.startsWith(cookiePath)) return false;
  return requestPath.length === cookiePath.length || cookiePath.endsWith('/') || requestPath[cookiePath.length] === '/';
}

/** The path of a cookie that names none: the folder of the address that set it (RFC 6265, section 5.1.4). */
export function defaultPath(requestPath: string): string {
  return requestPath.slice(0, requestPath.lastIndexOf('/')) || '/';
}
