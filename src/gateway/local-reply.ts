import { STATUS_CODES } from 'node:http';
import type { HeaderEdits } from '../core/routing/header-edits.ts';
import type { Selection } from '../core/routing/selection.ts';
import { editResponseFields, type SentRequest } from './edit-fields.ts';

/** An answer of the gateway's own, with Envoy's flag for it. */
export interface LocalReply {
  readonly status: number;
  readonly flag: string;
  readonly body: string | Uint8Array;
}

/** A reply, and what a route has to say about its headers. */
export interface LocalAnswer {
  readonly reply: LocalReply;
  readonly edits: HeaderEdits;
  /** Where a redirect leads. */
  readonly location?: string;
}

/** No route had a say. */
export const NO_EDITS: HeaderEdits = [];

const RESET = 'upstream connect error or disconnect/reset before headers. reset reason: ';

/** The answers that Envoy's router gives on its own (istio-semantics: what clients see). */
export const REPLY = {
  notFound: { status: 404, flag: 'NR', body: '' },
  noCluster: { status: 503, flag: 'NC', body: '' },
  noEndpoint: { status: 503, flag: 'UH', body: 'no healthy upstream' },
  /** Mesh host that nothing declares (REGISTRY_ONLY). */
  blocked: { status: 502, flag: '-', body: '' },
  timeout: { status: 504, flag: 'UT', body: 'upstream request timeout' },
  connect: { status: 503, flag: 'UF', body: `${RESET}remote connection failure` },
  'connect-timeout': { status: 503, flag: 'UF', body: `${RESET}connection timeout` },
  closed: { status: 503, flag: 'UC', body: `${RESET}connection termination` },
  protocol: { status: 502, flag: 'UPE', body: `${RESET}protocol error` },
  internal: { status: 500, flag: '-', body: '' },
} as const satisfies Record<string, LocalReply>;

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
      return { reply: { status: selection.status, flag: '-', body: '' }, edits: selection.response, location: selection.location };
    case 'direct':
      return { reply: { status: selection.status, flag: '-', body: selection.body }, edits: selection.response };
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
  return fields;
}

/** Names the server software, where no route has done so. */
export function nameServer(fields: string[]): void {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === 'server') return;
  fields.push('server', 'perch');
}
