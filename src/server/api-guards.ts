import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { problem, problemResponse } from './problem.ts';

/** What a handler of the API sees of the socket it serves. */
export interface ApiEnv {
  Bindings: HttpBindings;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Whether a Host header names this machine by a loopback name and the port that the request came in by. */
function isLoopbackHost(host: string, port: number | undefined): boolean {
  const wanted = host.toLowerCase();
  return LOOPBACK_NAMES.some((name) => wanted === `${name}:${port}` || (port === 80 && wanted === name));
}

/**
 * Refuses what a browser could be made to send on behalf of a foreign page: a Host that is not a loopback name with the
 * port (DNS rebinding), an Origin other than the API's own (cross-site requests), and bodies that are not declared as
 * JSON, which a plain HTML form could send.
 */
export function refuseForeignPages(): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { incoming } = c.env;
    const hosts = incoming.rawHeaders.filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === 'host');
    const [host] = hosts;
    if (host === undefined || hosts.length > 1 || !isLoopbackHost(host, incoming.socket.localPort)) {
      const port = incoming.socket.localPort;
      return problemResponse(
        problem(403, 'PERCH4001', `Host ${host ?? '(none)'} is not localhost:${port}, 127.0.0.1:${port} or [::1]:${port}`),
      );
    }
    const origin = c.req.header('origin');
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
      return problemResponse(problem(403, 'PERCH4002', `Origin ${origin} is not http://${host}`));
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
