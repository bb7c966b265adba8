import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { Role } from './access/token-file.ts';
import { problem, problemResponse } from './problem.ts';

/** What a handler of the API sees of the socket it serves, and of who asks. */
export interface ApiEnv {
  Bindings: HttpBindings;
  /** What the caller’s token allows; absent where tokens are none of this API’s business. */
  Variables: {
    role?: Role;
    /** Whether the caller’s token still is one, for answers that last; absent as `role`. */
    isStillKnown?: () => boolean;
  };
}

/** By which names an API may be asked for. */
export interface OwnNames {
  /** Beside loopback names and the address that the call came in at; in lower case, IPv6 addresses in brackets. */
  readonly hosts: readonly string[];
  /** Whether something in front of it may be asked by https, although this is plain HTTP. */
  readonly isBehindTls?: boolean;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
/** uri-host and port (RFC 9110, section 7.2), without userinfo and what else a lenient parser would take. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/;
/** Lines of a head; the bytes of all are bounded by the listener. */
const MOST_HEADERS = 100;

function isEncrypted(socket: Socket): boolean {
  return 'encrypted' in socket && socket.encrypted === true;
}

/** As in a URL: IPv6 in brackets; an IPv4 address in IPv6's form is that address. */
function addressName(socket: Socket): string | undefined {
  const address = socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, '');
  return address?.includes(':') === true ? `[${address}]` : address;
}

/**
 * Whether a Host header names this API: by a loopback name or the address that the call came in at, with its port, which no foreign page can
 * be at; or by a name that its owner gave, with any port, as a proxy may be before it.
 */
function isOwnHost(host: string, socket: Socket, { hosts }: OwnNames): boolean {
  const [, name = '', port] = HOST.exec(host.toLowerCase()) ?? [];
  if (hosts.includes(name)) return true;
  const isOwnPort = Number(port ?? (isEncrypted(socket) ? 443 : 80)) === socket.localPort;
  return isOwnPort && (LOOPBACK_NAMES.includes(name) || name === addressName(socket));
}

function isOwnOrigin(origin: string, host: string, socket: Socket, { isBehindTls = false }: OwnNames): boolean {
  const [scheme, rest] = origin.toLowerCase().split('://');
  const schemes = isEncrypted(socket) ? ['https'] : isBehindTls ? ['http', 'https'] : ['http'];
  return rest === host.toLowerCase() && schemes.includes(scheme ?? '');
}

/**
 * Whether a browser says that a page of another site, or of another port of this machine, asks, other than by a link that its user followed
 * (Fetch Metadata; https://www.w3.org/TR/fetch-metadata/). Programs send none of it.
 */
function isForeignFetch({ method, headers }: IncomingMessage): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  return !((method === 'GET' || method === 'HEAD') && mode === 'navigate' && destination === 'document');
}

function hostsOf({ rawHeaders }: IncomingMessage): readonly string[] {
  return rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'host');
}

/**
 * Refuses what a browser could be made to send on behalf of a foreign page: a Host that is not the API's own (DNS rebinding), an Origin other
 * than the API's own or a fetch that says it is of another site (cross-site requests), and bodies that are not declared as JSON, which a plain
 * HTML form could send. And heads of more lines than anybody needs.
 */
export function refuseForeignPages(names: OwnNames): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { incoming } = c.env;
    const { socket } = incoming;
    if (incoming.rawHeaders.length > 2 * MOST_HEADERS) {
      return problemResponse(problem(431, 'PERCH4097', `the request has more than ${MOST_HEADERS} headers`));
    }
    const hosts = hostsOf(incoming);
    const [host] = hosts;
    if (host === undefined || hosts.length > 1 || !isOwnHost(host, socket, names)) {
      const port = socket.localPort;
      const own = [...names.hosts, `localhost:${port}`, `127.0.0.1:${port}`].join(', ');
      return problemResponse(problem(403, 'PERCH4001', `Host ${host ?? '(none)'} is not ${own} or [::1]:${port}`));
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && !isOwnOrigin(origin, host, socket, names)) {
      return problemResponse(problem(403, 'PERCH4002', `Origin ${origin} is not ${isEncrypted(socket) ? 'https' : 'http'}://${host}`));
    }
    if (isForeignFetch(incoming)) {
      return problemResponse(problem(403, 'PERCH4002', `Sec-Fetch-Site is ${c.req.header('sec-fetch-site')}: another page asks`));
    }
    if (c.req.method === 'PUT' || c.req.method === 'POST') {
      const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/json') {
        return problemResponse(problem(415, 'PERCH4009', `Content-Type is ${type ?? 'missing'}, not application/json`));
      }
    }
    await next();
    return undefined;
  };
}
