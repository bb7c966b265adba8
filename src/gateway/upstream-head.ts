import type { HeaderEdits } from '../core/routing/header-edits.ts';
import { editFields } from './edit-fields.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** What the selected route sends upstream. */
interface Forwarded {
  readonly path: string;
  readonly authority: string;
  readonly request: HeaderEdits;
}

/** The head of the request to the upstream, as latin1 text. Framing and connection headers are the gateway's own. */
export function upstreamHead(request: IncomingRequest, forwarded: Forwarded): string {
  const fields = forwarded.request.length === 0 ? request.fields : editFields(request.fields, forwarded.request, request, 0);
  let head = `${request.method} ${forwarded.path} HTTP/1.1\r\nhost: ${forwarded.authority}\r\n`;
  for (let at = 0; at < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`;
  if (request.framing === 'length') head += `content-length: ${request.contentLength}\r\n`;
  else if (request.framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  if (request.upgrade !== undefined) head += `connection: upgrade\r\nupgrade: ${request.upgrade}\r\n`;
  return `${head}\r\n`;
}
