import { applyHeaderEdits, type HeaderEditContext, type HeaderEdits } from '../core/routing/header-edits.ts';
import { FIELD, fieldName } from './header-names.ts';
import { withoutFields } from './hop-by-hop.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** A request as it goes upstream: what `%REQ(...)%` in a response's headers reads. */
export interface SentRequest {
  readonly request: IncomingRequest;
  readonly path: string;
  readonly authority: string;
  readonly fields: readonly string[];
}

class EditContext implements HeaderEditContext {
  readonly message: 'request' | 'response';
  readonly responseCode: number;
  private readonly sent: SentRequest;

  constructor(message: 'request' | 'response', sent: SentRequest, responseCode: number) {
    this.message = message;
    this.sent = sent;
    this.responseCode = responseCode;
  }

  get protocol(): string {
    return `HTTP/${this.sent.request.version}`;
  }

  requestHeader(name: string): string | undefined {
    const { fields, request } = this.sent;
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
    switch (name) {
      case ':path':
        return this.sent.path;
      case ':authority':
      case 'host':
        return this.sent.authority;
      case ':method':
        return request.method;
      case ':scheme':
        return request.scheme;
      case 'content-length':
        return request.contentLength;
      default:
        return undefined;
    }
  }
}

/** Headers that say how a message is framed or which connection it is on: the gateway's own, whatever an edit says. */
function isFraming(kind: number): boolean {
  return (
    kind === FIELD.hopByHop ||
    kind === FIELD.te ||
    kind === FIELD.trailer ||
    kind === FIELD.keepAlive ||
    kind === FIELD.connection ||
    kind === FIELD.contentLength ||
    kind === FIELD.transferEncoding ||
    kind === FIELD.upgrade
  );
}

/** Headers of a request after a route's edits. Names in lower case. */
export function editRequestFields(request: IncomingRequest, edits: HeaderEdits): readonly string[] {
  if (edits.length === 0) return request.fields;
  const received = { request, path: request.path, authority: request.authority, fields: request.fields };
  const edited = applyHeaderEdits(request.fields, edits, new EditContext('request', received, 0));
  const kept: string[] = [];
  for (let at = 0; at < edited.length; at += 2) {
    const name = fieldName(edited[at] as string);
    if (!isFraming(name.kind) && name.kind !== FIELD.host && name.kind !== FIELD.expect) kept.push(name.lower, edited[at + 1] as string);
  }
  return kept;
}

/** Name of the header that tells an upstream the path before a route rewrote it, as Envoy does. */
const ORIGINAL_PATH = 'x-envoy-original-path';

/** Headers of a request whose path a route rewrites. */
export function withOriginalPath(fields: readonly string[], path: string): string[] {
  return [...withoutFields(fields, [ORIGINAL_PATH]), ORIGINAL_PATH, path];
}

/** Headers of a response (an upstream's or our own) after a route's edits; what frames its body stays as it was. */
export function editResponseFields(fields: readonly string[], edits: HeaderEdits, sent: SentRequest, status: number): string[] {
  const edited = applyHeaderEdits(fields, edits, new EditContext('response', sent, status));
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    if (name === 'content-length' || name === 'trailer') kept.push(name, fields[at + 1] as string);
  }
  for (let at = 0; at < edited.length; at += 2) {
    const name = fieldName(edited[at] as string);
    if (!isFraming(name.kind)) kept.push(name.lower, edited[at + 1] as string);
  }
  return kept;
}

/** The request id that the upstream saw: a route's edits may have changed it. */
export function sentRequestId({ request, fields }: SentRequest): string {
  if (fields !== request.fields) {
    for (let at = 0; at < fields.length; at += 2) if (fields[at] === 'x-request-id') return fields[at + 1] as string;
  }
  return request.requestId;
}
