import type { HeaderEdits } from '../core/routing/header-edits.ts';
import type { Selection } from '../core/routing/selection.ts';
import { editResponseFields, type SentRequest } from './edit-fields.ts';

// An import of node:http would load all that it exports, undici's WebSocket among it, and with that 3 MiB for each process.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** An answer of the gateway's own, with Envoy's flag and response code details for it. */
export interface LocalReply {
  readonly status: number;
  readonly flag: string;
  readonly details: string;
  readonly body: string | Uint8Array;
}

/** A reply, and what a route has to say about its headers. */
export interface LocalAnswer {
  readonly reply: LocalReply;
  readonly edits: HeaderEdits;
  /** Where a redirect leads. */
  readonly location?: string;
}

/**
 * Bytes of a header value (RFC 9110 section 5.5). Of what an upstream or a client says they were checked as it was read, and of routes as they
 * were compiled; that is looked at once more where an answer is made of both, since a line end among them would forge a header.
 */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** No route had a say. */
export const NO_EDITS: HeaderEdits = [];

/** Envoy says the same of redirects. */
const DIRECT = 'direct_response';
const RESET = 'upstream connect error or disconnect/reset before headers. reset reason: ';

/** Details of an upstream's reset, as Envoy's router names it. */
function resetDetails(reason: string): string {
  return `upstream_reset_before_response_started{${reason}}`;
}

/** Details of a whole answer from an upstream. */
export const VIA_UPSTREAM = 'via_upstream';
/** Details where the client left. */
export const CLIENT_LEFT = 'downstream_remote_disconnect';

/** The answers that Envoy's router gives on its own (istio-semantics: what clients see). */
export const REPLY = {
  notFound: { status: 404, flag: 'NR', details: 'route_not_found', body: '' },
  noCluster: { status: 503, flag: 'NC', details: 'cluster_not_found', body: '' },
  noEndpoint: { status: 503, flag: 'UH', details: 'no_healthy_upstream', body: 'no healthy upstream' },
  /** Mesh host that nothing declares (REGISTRY_ONLY). */
  blocked: { status: 502, flag: '-', details: DIRECT, body: '' },
  timeout: { status: 504, flag: 'UT', details: 'response_timeout', body: 'upstream request timeout' },
  connect: { status: 503, flag: 'UF', details: resetDetails('remote_connection_failure'), body: `${RESET}remote connection failure` },
  'connect-timeout': { status: 503, flag: 'UF', details: resetDetails('connection_timeout'), body: `${RESET}connection timeout` },
  closed: { status: 503, flag: 'UC', details: resetDetails('connection_termination'), body: `${RESET}connection termination` },
  protocol: { status: 502, flag: 'UPE', details: resetDetails('protocol_error'), body: `${RESET}protocol error` },
  internal: { status: 500, flag: '-', details: 'internal_error', body: '' },
} as const satisfies Record<string, LocalReply>;

/** The reply to a request that breaks HTTP, or a limit, in its head or its body; after 408 it has stalled. */
export function refusal(status: number, body: string): LocalReply {
  if (status === 408) return { status, flag: 'SI', details: 'stream_idle_timeout', body };
  return { status, flag: 'DPE', details: REFUSAL_DETAILS.get(status) ?? 'http1.codec_error', body };
}

/** The reply to bytes that are no request; after 408 the head never came to its end, for which Envoy has no flag. */
export function unreadable(status: number): LocalReply {
  return status === 408 ? { status, flag: '-', details: 'request_header_timeout', body: '' } : refusal(status, '');
}

const REFUSAL_DETAILS: ReadonlyMap<number, string> = new Map([
  [426, 'low_version'],
  [431, 'http1.headers_too_large'],
  [501, 'http1.invalid_transfer_encoding'],
]);

/** The same details once a part of the answer is on its way. */
export function detailsOnceBegun(details: string): string {
  return details.replace('upstream_reset_before_response', 'upstream_reset_after_response');
}

/** The standard reason phrase of a status. */
export function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Unknown';
}

/** A 1xx response as text: it has no body, and nothing of its own is added. */
export function informationText(status: number, reason: string, fields: readonly string[]): string {
  let text = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${text}\r\n`;
}

/** What the gateway itself answers to a request with this selection; undefined where an endpoint has to be asked. */
export function localAnswer(selection: Selection): LocalAnswer | undefined {
  switch (selection.kind) {
    case 'none':
      return { reply: REPLY.notFound, edits: NO_EDITS };
    case 'blocked':
      return { reply: REPLY.blocked, edits: NO_EDITS };
    case 'redirect':
      return {
        reply: { status: selection.status, flag: '-', details: DIRECT, body: '' },
        edits: selection.response,
        location: selection.location,
      };
    case 'direct':
      return { reply: { status: selection.status, flag: '-', details: DIRECT, body: selection.body }, edits: selection.response };
    case 'forward':
      if (selection.cluster === undefined) return { reply: REPLY.noCluster, edits: selection.response };
      return selection.cluster.endpoints.length === 0 ? { reply: REPLY.noEndpoint, edits: selection.response } : undefined;
  }
}

/** Headers of an answer of the gateway's own: names in lower case. `sent`: the request, where it could be read. */
export function localFields({ reply: { status, body }, edits, location }: LocalAnswer, sent: SentRequest | undefined): string[] {
  let fields: string[] = [];
  if (status !== 204 && status !== 304) {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    fields.push('content-length', String(length));
    if (length > 0) fields.push('content-type', 'text/plain');
    if (status === 426) fields.push('upgrade', 'HTTP/1.1');
  }
  if (location !== undefined) fields.push('location', location);
  if (edits.length > 0 && sent !== undefined) fields = editResponseFields(fields, edits, sent, status);
  nameServer(fields);
  for (let at = 1; at < fields.length; at += 2) {
    if (!FIELD_VALUE.test(fields[at] as string)) throw new Error(`Invalid character in header ${fields[at - 1]}`);
  }
  return fields;
}

/** Names the server software, where no route has done so. */
export function nameServer(fields: string[]): void {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === 'server') return;
  fields.push('server', 'perch');
}
