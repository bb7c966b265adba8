import type { RequestObserver } from '../core/evidence/request-event.ts';
import { accessLogLine, refusedLine } from './access-log-line.ts';
import type { Downstream } from './downstream.ts';
import { unreadable } from './local-reply.ts';
import type { Outcome } from './outcome.ts';
import { ReportedRequest } from './reported-request.ts';

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
    const durationMs = performance.now() - outcome.startedAt;
    const event = new ReportedRequest(outcome, durationMs);
    this.observe?.(event);
    this.accessLog?.(accessLogLine(outcome, event.at, durationMs));
  }

  /** A request so malformed that there is no head to report. */
  reportRefused(status: number, downstream: Downstream): void {
    this.accessLog?.(refusedLine(status, unreadable(status), downstream));
  }
}
