import { connect } from 'node:net';
import type { Endpoint } from '../../core/routing/selection.ts';

/** What a probe found: that the endpoint accepts, or why not; or that this process could not ask, which says nothing about it. */
export type ProbeAnswer =
  | { readonly kind: 'accepts' }
  | { readonly kind: 'fails'; readonly reason: string }
  | { readonly kind: 'notAsked'; readonly reason: string };

/**
 * Whether an endpoint accepts a TCP connection within `timeoutMs`; reasons are in words (`connection refused`). The connection is
 * closed at once; nothing is sent. `signal` gives up early.
 */
export function probeTcp(endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<ProbeAnswer> {
  const { promise, resolve } = Promise.withResolvers<ProbeAnswer>();
  const socket = connect({ host: endpoint.address, port: endpoint.port });
  const end = (answer: ProbeAnswer): void => {
    clearTimeout(timeout);
    signal.removeEventListener('abort', stop);
    socket.destroy();
    resolve(answer);
  };
  const stop = (): void => end({ kind: 'notAsked', reason: 'given up' });
  const timeout = setTimeout(() => end({ kind: 'fails', reason: `no answer within ${timeoutMs} ms` }), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  socket.once('connect', () => end({ kind: 'accepts' }));
  // On, not once: an error after the end must not be thrown for want of a listener.
  socket.on('error', (error) => end(answerOf(error)));
  if (signal.aborted) stop();
  return promise;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'host name cannot be looked up now',
  ETIMEDOUT: 'no answer',
};

/** What this process or its machine has run out of; the endpoint was not even tried. */
const SHORTAGES: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no file descriptor left: raise its limit (ulimit -n)',
  ENFILE: 'this machine has no file descriptor left',
  ENOBUFS: 'this machine has no memory left for sockets',
  ENOMEM: 'this machine has no memory left for sockets',
  EADDRNOTAVAIL: 'this machine has no local port left',
};

/** Where a name has several addresses, Node gathers their errors in one AggregateError, whose code is the first one's. */
function answerOf(error: Error): ProbeAnswer {
  const code = 'code' in error ? String(error.code) : error.message;
  const shortage = SHORTAGES[code];
  return shortage === undefined ? { kind: 'fails', reason: REASONS[code] ?? code } : { kind: 'notAsked', reason: shortage };
}
