import type { SentRequest } from './edit-fields.ts';

/** The head of a request to an upstream, as latin1 text. Framing and connection headers are the gateway's own. */
export function upstreamHead({ request, path, authority, fields }: SentRequest): string {
  let head = `${request.method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n`;
  for (let at = 0; at < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`;
  if (request.framing === 'length') head += `content-length: ${request.contentLength}\r\n`;
  else if (request.framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  return `${head}${request.connectionLines}\r\n`;
}
