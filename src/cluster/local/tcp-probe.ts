import { connect } from 'node:net';
import type { Endpoint } from '../../core/routing/selection.ts';
import { afterArrivals, answerOfError, type ProbeAnswer } from './probe-answer.ts';

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
  const timeout = setTimeout(() => afterArrivals(() => end({ kind: 'fails', reason: `no answer within ${timeoutMs} ms` })), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  socket.once('connect', () => end({ kind: 'passes' }));
  // On, not once: an error after the end must not be thrown for want of a listener.
  socket.on('error', (error) => end(answerOfError(error)));
  if (signal.aborted) stop();
  return promise;
}
