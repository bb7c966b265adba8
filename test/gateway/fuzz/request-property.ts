import type { IncomingRequest } from '../../../src/gateway/incoming-request.ts';
import type { GatewayLimits } from '../../../src/gateway/limits.ts';
import { forwardedTrailers, lastChunk } from '../../../src/gateway/trailers.ts';
import { upstreamHead } from '../../../src/gateway/upstream-head.ts';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';
import { type GatewayMessage, type GatewayReading, readByGateway } from './read-requests.ts';

/** What a head must look like that any server reads in the same way (RFC 9112 sections 3 and 5, RFC 3986 section 3). */
const CANONICAL =
  /^[A-Z]+ \/[!-~]* HTTP\/1\.1\r\nhost: [!-~]+\r\n(?:[a-z0-9!#$%&'*+\-.^_`|~]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n)*\r\n$/;

/** The bytes that the upstream gets of it. */
function forwardedText(request: IncomingRequest, message: GatewayMessage): string {
  const { path, authority, fields } = request;
  const head = upstreamHead({ request, path, authority, fields });
  if (request.framing !== 'chunked') return head + message.body;
  const chunk = message.body === '' ? '' : `${message.body.length.toString(16)}\r\n${message.body}\r\n`;
  return head + chunk + lastChunk(forwardedTrailers(message.trailers, request.nominated));
}

function fail(what: string, ...values: readonly unknown[]): never {
  throw new Error(`${what}: ${values.map((value) => JSON.stringify(value)).join(', ')}`);
}

/** Value of a field, by its name in lower case. */
export function fieldOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at]?.toLowerCase() === name) return fields[at + 1];
  return undefined;
}

/** How many there are of a field. */
function countOf(fields: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < fields.length; at += 2) if (fields[at]?.toLowerCase() === name) count++;
  return count;
}

/** What is sent on is read by llhttp as the very request that the gateway routed, in a form that leaves nothing open. */
function judgeForwarded(request: IncomingRequest, message: GatewayMessage): void {
  const text = forwardedText(request, message);
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 4);
  if (!CANONICAL.test(head)) fail('not canonical', head);
  const parser = new LlhttpParser('request');
  parser.execute(Buffer.from(text, 'latin1'));
  parser.free();
  const [seen, second] = parser.messages;
  if (parser.error !== undefined || second !== undefined || seen?.complete !== true)
    fail('the upstream sees no request', text, parser.error);
  if (seen.end !== text.length) fail('the upstream sees another end', text, seen.end);
  if (seen.method !== message.method || seen.target !== request.path || seen.body !== message.body) fail('another request', text);
  if (countOf(seen.fields, 'host') !== 1) fail('not one Host', text);
  const framings = countOf(seen.fields, 'content-length') + countOf(seen.fields, 'transfer-encoding');
  if (framings > 1 || (framings === 0 && message.body !== '')) fail('framing', text);
  const own = seen.fields.slice(2, 2 + request.fields.length);
  if (JSON.stringify(own) !== JSON.stringify(request.fields)) fail('other fields', text);
}

const COMPARED = ['method', 'target', 'version', 'body', 'end'] as const;

/** What a request that the gateway forwards is to llhttp: the same, or the reason why it is none. */
function judgeRead(message: GatewayMessage, theirs: LlhttpMessage | undefined, error: string | undefined): string | undefined {
  if (theirs?.headComplete !== true) return `in the head: ${error ?? 'cut off'}`;
  if (!theirs.complete) return `after the head: ${error ?? 'cut off'}`;
  for (const key of COMPARED) if (message[key] !== theirs[key]) fail(`another ${key} than llhttp’s`, message[key], theirs[key]);
  if (JSON.stringify(message.rawHeaders) !== JSON.stringify(theirs.fields)) fail('other fields', message.rawHeaders, theirs.fields);
  if (JSON.stringify(message.trailers) !== JSON.stringify(theirs.trailers)) fail('other trailers', message.trailers, theirs.trailers);
  return undefined;
}

/** What became of the requests in some bytes. */
export interface RequestVerdict {
  readonly forwarded: number;
  readonly refused: number;
  /** llhttp's reason against the first request that the gateway takes for one and llhttp does not. */
  readonly laxer: string | undefined;
}

/** What of a reading must not depend on how the bytes came. */
function essence({ messages, refused, begun }: GatewayReading): string {
  return JSON.stringify([messages.map(({ body, complete, ...rest }) => [rest, complete, complete ? body : '']), refused, begun]);
}

/** Whether the gateway keeps to its word about some requests in a row. @throws Error that says where it does not. */
export function judgeRequests(text: string, pieces: readonly Buffer[], limits: GatewayLimits): RequestVerdict {
  const bytes = Buffer.from(text, 'latin1');
  const reading = readByGateway([bytes], limits);
  const split = readByGateway(pieces, limits);
  if (essence(reading) !== essence(split)) fail('in pieces another reading', reading, split);
  const parser = new LlhttpParser('request');
  parser.execute(bytes);
  parser.free();
  let laxer: string | undefined;
  let forwarded = 0;
  for (const [at, message] of reading.messages.entries()) {
    if (!message.complete || 'detail' in message.read) continue;
    judgeForwarded(message.read, message);
    forwarded++;
    // Behind one that llhttp refuses it reads nothing.
    laxer ??= judgeRead(message, parser.messages[at], parser.error);
  }
  const own = reading.messages.filter(({ read }) => 'detail' in read).length;
  return { forwarded, refused: own + (reading.refused === undefined ? 0 : 1), laxer };
}
