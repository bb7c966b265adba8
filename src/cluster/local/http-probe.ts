import { type IncomingMessage, request } from 'node:http';
import { PROBE_USER_AGENT } from '../../core/evidence/synthetic-visitor.ts';
import type { Endpoint } from '../../core/routing/selection.ts';
import { afterArrivals, answerOfError, type ProbeAnswer } from './probe-answer.ts';

/** As much of a body as is read, in bytes, as kubelet does (kubernetes pkg/probe/http): nobody looks at it. */
const MOST_BODY = 10 * 1024;

/**
 * Whether an endpoint answers GET `path` with a status from 200 to 399 within `timeoutMs`, as a Kubernetes readinessProbe counts it. The
 * whole answer has to be there in time, or its first 10 KiB; redirects are not followed. One connection, closed at the end. `signal`
 * gives up early.
 */
export function probeHttp(endpoint: Endpoint, path: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeAnswer> {
  const { promise, resolve } = Promise.withResolvers<ProbeAnswer>();
  let status: number | undefined;
  const asked = request({
    host: endpoint.address,
    port: endpoint.port,
    path,
    agent: false,
    headers: { 'user-agent': PROBE_USER_AGENT, accept: '*/*', connection: 'close' },
  });
  const end = (answer: ProbeAnswer): void => {
    clearTimeout(timeout);
    signal.removeEventListener('abort', stop);
    asked.destroy();
    resolve(answer);
  };
  const stop = (): void => end({ kind: 'notAsked', reason: 'given up' });
  const judge = (code: number): void => {
    end(code >= 200 && code < 400 ? { kind: 'passes' } : { kind: 'fails', reason: `answers ${code} at ${path}` });
  };
  const late = (): string => (status === undefined ? 'no answer' : `answers ${status} at ${path}, but not to its end`);
  const timeout = setTimeout(() => afterArrivals(() => end({ kind: 'fails', reason: `${late()} within ${timeoutMs} ms` })), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  // An upgrade that nobody asked for.
  asked.on('upgrade', ({ statusCode = 101 }: IncomingMessage) => judge(statusCode));
  asked.on('response', (answer) => {
    const code = answer.statusCode ?? 0;
    status = code;
    let read = 0;
    answer.on('data', (chunk: Buffer) => {
      read += chunk.length;
      if (read >= MOST_BODY) judge(code);
    });
    answer.on('end', () => judge(code));
    answer.on('error', (error) => end(answerOfError(error)));
  });
  // On, not once: an error after the end must not be thrown for want of a listener.
  asked.on('error', (error) => end(answerOfError(error)));
  asked.end();
  if (signal.aborted) stop();
  return promise;
}
