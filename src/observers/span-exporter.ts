import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestEvent, RequestObserver } from '../core/evidence/request-event.ts';
import { encodeSpans, type RequestSpan } from './request-span.ts';

/** Bounds of OpenTelemetry's own batch processor (its specification's defaults). */
const MAXIMUM_WAITING = 2048;
const BATCH = 512;
const PAUSE_MS = 5000;
const TIMEOUT_MS = 10_000;
/** From one try to the next, when the collector cannot take spans. */
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
/** How long the last spans may take. */
const CLOSE_MS = 2000;
/** Answers that ask to try again (OTLP specification, section failures). */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Where spans go, and what they say of this process. */
export interface SpanExporterOptions {
  /** The whole URL of the collector's traces, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Further headers, such as credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  /** Told at most once until spans get through again. */
  readonly warn: (message: string) => void;
  /** How long spans wait for others, ms; default: 5 s. */
  readonly pauseMs?: number;
  /** The first wait before a batch is tried again, ms; default: 1 s. */
  readonly retryMs?: number;
}

/** Sends a span for each sampled request. */
export interface SpanExporter {
  readonly observe: RequestObserver;
  /** Spans so far: taken by the collector, and given up. */
  counts(): { readonly exported: number; readonly dropped: number };
  /** Sends what waits, for 2 s at most. */
  close(): Promise<void>;
}

/**
 * Starts to export spans to an OpenTelemetry collector: OTLP/HTTP with JSON, in batches, beside the requests. What does not fit into a queue of 2,048 is dropped
 * and counted; a batch that the collector cannot take for now is tried again, one that it refuses is dropped.
 */
export function startSpanExporter(options: SpanExporterOptions): SpanExporter {
  const { url, headers, serviceName, version, warn, pauseMs = PAUSE_MS, retryMs = FIRST_RETRY_MS } = options;
  const closing = new AbortController();
  let waiting: RequestSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let exported = 0;
  let dropped = 0;
  let isFailing = false;

  function observe(event: RequestEvent): void {
    const { trace } = event;
    if (trace?.sampled !== true) return;
    if (waiting.length >= MAXIMUM_WAITING) {
      dropped++;
      return;
    }
    waiting.push(spanOf(event, trace));
    if (waiting.length >= BATCH) start();
    else timer ??= setTimeout(start, pauseMs);
  }

  function start(): void {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (waiting.length >= BATCH) start();
      else if (waiting.length > 0) timer ??= setTimeout(start, pauseMs);
    });
  }

  async function sendAll(): Promise<void> {
    for (let batch = take(); batch.length > 0; batch = take()) await send(batch);
  }

  function take(): readonly RequestSpan[] {
    const batch = waiting.slice(0, BATCH);
    waiting = waiting.slice(BATCH);
    return batch;
  }

  async function send(batch: readonly RequestSpan[]): Promise<void> {
    const body = encodeSpans(batch, serviceName, version);
    for (let wait = retryMs; ; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      const outcome = await post(body);
      if (outcome.kind === 'taken') {
        exported += batch.length - outcome.rejected;
        dropped += outcome.rejected;
        isFailing = false;
        return;
      }
      tellOnce(outcome.why);
      if (outcome.kind === 'refused' || closing.signal.aborted) {
        dropped += batch.length;
        return;
      }
      await sleep(outcome.afterMs ?? wait, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  type Outcome =
    | { readonly kind: 'taken'; readonly rejected: number }
    | { readonly kind: 'later'; readonly why: string; readonly afterMs?: number | undefined }
    | { readonly kind: 'refused'; readonly why: string };

  async function post(body: string): Promise<Outcome> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing.signal]),
      });
      const text = await response.text();
      if (response.ok) return { kind: 'taken', rejected: rejectedSpans(text) };
      const why = `the collector at ${url} answers ${response.status}`;
      if (!RETRYABLE.has(response.status)) return { kind: 'refused', why };
      return { kind: 'later', why, afterMs: retryAfter(response.headers.get('retry-after')) };
    } catch (error) {
      const { cause = error } = error as Error;
      return { kind: 'later', why: `the collector at ${url} cannot be reached (${(cause as Error).message})` };
    }
  }

  function tellOnce(why: string): void {
    if (!isFailing) warn(`spans are not exported: ${why}`);
    isFailing = true;
  }

  return {
    observe,
    counts: () => ({ exported, dropped }),
    close: async () => {
      start();
      const timeout = setTimeout(() => closing.abort(), CLOSE_MS);
      await sending;
      clearTimeout(timeout);
      clearTimeout(timer);
    },
  };
}

function spanOf(event: RequestEvent, trace: NonNullable<RequestEvent['trace']>): RequestSpan {
  const { at, durationMs, method, path, scheme, version, authority, userAgent, requestId, status, flag, rule, destination } = event;
  return {
    ...{ trace, startMs: at - durationMs, endMs: at, method, path, scheme, version, authority },
    ...{ userAgent, requestId, status, flag, rule, destination },
  };
}

/** Spans that a collector took no part of (`partialSuccess`). */
function rejectedSpans(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { readonly partialSuccess?: { readonly rejectedSpans?: string | number } };
    const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}

/** Seconds, as collectors write it; dates are as good as nothing. */
function retryAfter(text: string | null): number | undefined {
  const seconds = Number(text ?? Number.NaN);
  return seconds >= 0 ? Math.min(1000 * seconds, LAST_RETRY_MS) : undefined;
}
