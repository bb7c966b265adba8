import type { RequestEvent } from '../core/evidence/request-event.ts';
import type { Outcome } from './outcome.ts';

const NO_LINES: readonly string[] = [];

/** A request as observers see it: what none of them asks for is not looked up. */
export class ReportedRequest implements RequestEvent {
  readonly durationMs: number;
  readonly #outcome: Outcome;
  #at: number | undefined;

  constructor(outcome: Outcome, durationMs: number) {
    this.#outcome = outcome;
    this.durationMs = durationMs;
  }

  /** Observers are called when the response has ended, and few ask: a look at the clock is a share of what telling costs. */
  get at(): number {
    this.#at ??= Date.now();
    return this.#at;
  }

  get listener(): RequestEvent['listener'] {
    return this.#outcome.listener.kind;
  }

  get method(): string {
    return this.#outcome.exchange.method;
  }

  get path(): string {
    return this.#outcome.request?.path ?? this.#outcome.exchange.target;
  }

  get scheme(): RequestEvent['scheme'] {
    return this.#outcome.request?.scheme ?? this.#outcome.exchange.downstream.scheme;
  }

  get version(): string {
    return this.#outcome.exchange.version;
  }

  get authority(): string {
    return this.#outcome.request?.authority ?? '';
  }

  get requestId(): string {
    return this.#outcome.requestId ?? '';
  }

  get cookies(): readonly string[] {
    return this.lines('cookie');
  }

  get userAgent(): string | undefined {
    return this.#outcome.request?.userAgent;
  }

  get accept(): string | undefined {
    return this.lines('accept')[0];
  }

  get fetchMode(): string | undefined {
    return this.lines('sec-fetch-mode')[0];
  }

  get fetchSite(): string | undefined {
    return this.lines('sec-fetch-site')[0];
  }

  get rule(): string | undefined {
    return this.#outcome.rule;
  }

  get destination(): RequestEvent['destination'] {
    return this.#outcome.destination;
  }

  get endpoint(): RequestEvent['endpoint'] {
    return this.#outcome.endpoint;
  }

  get trace(): RequestEvent['trace'] {
    return this.#outcome.trace;
  }

  get bytesReceived(): number {
    return this.#outcome.bytesReceived;
  }

  get bytesSent(): number {
    return this.#outcome.bytesSent;
  }

  get status(): number {
    return this.#outcome.status;
  }

  get flag(): string {
    return this.#outcome.flag;
  }

  lines(name: string): readonly string[] {
    return this.#outcome.request?.lines(name) ?? NO_LINES;
  }
}
