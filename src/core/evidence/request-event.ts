import type { Endpoint } from '../routing/selection.ts';

/** The place of a request in a trace (W3C Trace Context); ids in lower-case hex. */
export interface RequestTrace {
  readonly traceId: string;
  /** The gateway's own span. */
  readonly spanId: string;
  /** The caller's span; undefined where the trace begins here. */
  readonly parentId: string | undefined;
  readonly sampled: boolean;
}

/**
 * What the data plane tells its observers about one request, after its end: the only thing that crosses from the
 * gateway to the observers. It carries no release: `rule` is the name of the route that matched, which weaving chose.
 */
export interface RequestEvent {
  /** When the response ended, in milliseconds since the epoch. */
  readonly at: number;
  readonly listener: 'ingress' | 'mesh' | 'proxy';
  readonly method: string;
  readonly path: string;
  readonly scheme: 'http' | 'https';
  /** Of HTTP, as the client spoke it: `1.1`, `2`. */
  readonly version: string;
  readonly authority: string;
  /** `x-request-id` as the upstream saw it; at the ingress always one that the gateway drew. */
  readonly requestId: string;
  /** The request's Cookie lines, as received. */
  readonly cookies: readonly string[];
  /** The lines of any of its headers, by the name in lower case; to be asked while the observer is called, not later. */
  readonly lines: (name: string) => readonly string[];
  readonly userAgent: string | undefined;
  /** Accept, Sec-Fetch-Mode and Sec-Fetch-Site: what a browser says it asks for, and for whom; as received, undefined where absent. */
  readonly accept: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchSite: string | undefined;
  /** Name of the HTTP route that was selected; undefined where none was or it has none. */
  readonly rule: string | undefined;
  /** The destination chosen: resolved host, subset and port; undefined where the gateway answered itself. */
  readonly destination: { readonly host: string; readonly subset: string | undefined; readonly port: number } | undefined;
  /** The endpoint that it was sent to, as the route's destination has it. */
  readonly endpoint: Endpoint | undefined;
  /** Undefined where nothing is traced. */
  readonly trace: RequestTrace | undefined;
  /** Bytes of the bodies. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly status: number;
  /** Envoy's response flag (NR, NC, UH, UF, UC, UT, DC, ...) or '-' . */
  readonly flag: string;
  /** From the end of the request's head to the end of the response, in milliseconds. */
  readonly durationMs: number;
}

/** Called with each request once it has ended, on the gateway's own thread: it must not throw or wait. */
export type RequestObserver = (event: RequestEvent) => void;
