import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import { accessLogLine, refusedLine } from './access-log-line.ts';
import { unreadable } from './local-reply.ts';
import type { Outcome } from './outcome.ts';

const NO_LINES: readonly string[] = [];

/** Tells the observer and writes the access log, where there are any. */
export class RequestReporter {
  private readonly observe: RequestObserver | undefined;
  private readonly accessLog: ((line: string) => void) | undefined;

  constructor(observe: RequestObserver | undefined, accessLog: ((line: string) => void) | undefined) {
    this.observe = observe;
    this.accessLog = accessLog;
  }

  report(outcome: Outcome): void {
    if (this.observe === undefined && this.accessLog === undefined) return;
    const at = Date.now();
    const durationMs = performance.now() - outcome.startedAt;
    this.observe?.(requestEvent(outcome, at, durationMs));
    this.accessLog?.(accessLogLine(outcome, at, durationMs));
  }

  /** A request so malformed that there is no head to report. */
  reportRefused(status: number, connection: { readonly peer: string | undefined; readonly local: string | undefined }): void {
    this.accessLog?.(refusedLine(status, unreadable(status), connection));
  }
}

function requestEvent(outcome: Outcome, at: number, durationMs: number): RequestEvent {
  const { request, exchange } = outcome;
  return {
    at,
    listener: outcome.listener.kind,
    method: exchange.method,
    path: request?.path ?? exchange.target,
    authority: request?.authority ?? '',
    requestId: outcome.requestId ?? '',
    cookies: request?.lines('cookie') ?? NO_LINES,
    lines: (name) => request?.lines(name) ?? NO_LINES,
    userAgent: request?.userAgent,
    accept: request?.lines('accept')[0],
    fetchMode: request?.lines('sec-fetch-mode')[0],
    fetchSite: request?.lines('sec-fetch-site')[0],
    rule: outcome.rule,
    destination: outcome.destination,
    status: outcome.status,
    flag: outcome.flag,
    durationMs,
  };
}
