import { connect } from 'node:net';
import type { Endpoint } from '../../core/routing/selection.ts';

/**
 * Whether an endpoint accepts a TCP connection within `timeoutMs`: undefined when it does, else what went wrong, in words
 * (`connection refused`). The connection is closed at once; nothing is sent. `signal` gives up early.
 */
export function probeTcp(endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host: endpoint.address, port: endpoint.port });
  const end = (answer: string | undefined): void => {
    clearTimeout(timeout);
    signal.removeEventListener('abort', stop);
    socket.destroy();
    resolve(answer);
  };
  const stop = (): void => end('given up');
  const timeout = setTimeout(() => end(`no answer within ${timeoutMs} ms`), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  socket.once('connect', () => end(undefined));
  // On, not once: an error after the end must not be thrown for want of a listener.
  socket.on('error', (error) => end(reasonOf(error)));
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

/** Where a name has several addresses, Node gathers their errors in one AggregateError, whose code is the first one's. */
function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  return REASONS[code] ?? code;
}
