import { normalizePath } from '../core/routing/path.ts';

/** Where a request goes, read from its target and Host. `port` is the target's own (absolute form), else undefined. */
export interface RequestTarget {
  readonly authority: string;
  readonly path: string;
  readonly port: number | undefined;
}

/** An answer of the gateway to a request that it does not route. */
export interface Refusal {
  readonly status: number;
  /** Why, for the log and the body; empty: no body. */
  readonly detail: string;
}

const AUTHORITY = /^(?:\[[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;
const MAXIMUM_AUTHORITY = 1024;

/** Most requests name the host that the one before named. */
let lastValid = '';

/** Whether `authority` is a host with an optional port (RFC 3986, without user information; a port that exists). */
export function isAuthority(authority: string): boolean {
  if (authority === lastValid) return authority !== '';
  if (authority.length > MAXIMUM_AUTHORITY || !AUTHORITY.test(authority) || portOf(authority) === undefined) return false;
  lastValid = authority;
  return true;
}

/**
 * Reads a request target (RFC 9112 section 3.2): origin form, or absolute form, which the proxy listener requires and whose
 * authority replaces Host. Its scheme is that of the connection: https through a proxy is a CONNECT, which is not offered; Envoy answers 403.
 */
export function readTarget(
  method: string,
  target: string,
  host: string,
  served: 'http' | 'https',
  proxy: boolean,
): RequestTarget | Refusal {
  if (target.charCodeAt(0) === 0x2f) {
    if (proxy) return { status: 400, detail: 'a proxy needs the whole URL in the request line' };
    const path = normalizePath(target);
    return path === undefined ? { status: 400, detail: 'invalid path' } : { authority: host, path, port: undefined };
  }
  if (target === '*')
    return method === 'OPTIONS' && !proxy ? { status: 404, detail: '' } : { status: 400, detail: 'invalid request target' };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(target);
  if (scheme === null) return { status: 400, detail: 'invalid request target' };
  if ((scheme[1] as string).toLowerCase() !== served) return { status: 403, detail: `only ${served} URLs are served` };
  return readAbsolute(target.slice(scheme[0].length));
}

function readAbsolute(rest: string): RequestTarget | Refusal {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  if (!isAuthority(authority)) return { status: 400, detail: 'invalid host or port in the URL' };
  const tail = end < 0 ? '/' : rest.slice(end);
  const path = normalizePath(tail.charCodeAt(0) === 0x2f ? tail : `/${tail}`);
  if (path === undefined) return { status: 400, detail: 'invalid path' };
  return { authority, path, port: portOf(authority) };
}

/** Port of an authority, 80 where it names none; undefined where it is out of range. */
function portOf(authority: string): number | undefined {
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || colon < authority.indexOf(']') || colon === authority.length - 1) return 80;
  const port = Number(authority.slice(colon + 1));
  return port >= 1 && port <= 65535 ? port : undefined;
}
