import { ChunkedDecoder } from '../../../src/gateway/chunked-decoder.ts';
import type { ClientExchange } from '../../../src/gateway/client-exchange.ts';
import { HeadScanner } from '../../../src/gateway/head-scanner.ts';
import { type IncomingRequest, readRequest } from '../../../src/gateway/incoming-request.ts';
import type { GatewayLimits } from '../../../src/gateway/limits.ts';
import type { Refusal } from '../../../src/gateway/request-target.ts';
import { forwardedTrailers, lastChunk } from '../../../src/gateway/trailers.ts';
import { upstreamHead } from '../../../src/gateway/upstream-head.ts';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';

const REQUEST_ID = '00000000-0000-4000-8000-000000000000';
/** What a head must look like that any server reads in the same way (RFC 9112 sections 3 and 5, RFC 3986 section 3). */
const CANONICAL =
  /^[A-Z]+ \/[!-~]* HTTP\/1\.1\r\nhost: [!-~]+\r\n(?:[a-z0-9!#$%&'*+\-.^_`|~]+: (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n)*\r\n$/;

/** What the gateway makes of a message that llhttp, which is Node's parser, has read. */
export function readAsGateway(message: LlhttpMessage, limits: GatewayLimits): IncomingRequest | Refusal {
  const exchange = {
    method: message.method,
    target: message.target,
    version: message.version,
    scheme: 'http',
    rawHeaders: message.fields,
    remoteAddress: '127.0.0.1',
    upgradable: false,
  };
  return readRequest(exchange as unknown as ClientExchange, 'ingress', limits, () => REQUEST_ID);
}

/** The bytes that the upstream gets of it. */
function forwardedText(request: IncomingRequest, message: LlhttpMessage): string {
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
function judgeForwarded(request: IncomingRequest, message: LlhttpMessage): void {
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

/** The gateway's scanner and decoder, which it uses for responses, on the first message of the bytes. */
function judgeOwnParsers(
  bytes: Buffer,
  message: LlhttpMessage | undefined,
  error: string | undefined,
  limits: GatewayLimits,
): 'both' | 'neither' | 'stricter' | string {
  const start = /^(?:\r\n)*[^\r\n]*\r\n/.exec(bytes.toString('latin1'));
  if (start === null) return 'neither';
  const from = start[0].length;
  const scanner = new HeadScanner(limits);
  scanner.reset(true);
  const after = scanner.scan(bytes, from, from, bytes.length);
  if (after < 0) return message?.headComplete === true ? 'stricter' : 'neither';
  if (message?.headComplete !== true) return `in the head: ${error ?? 'cut off'}`;
  const fields = Array.from({ length: scanner.count / 2 }, (_, at) =>
    bytes.toString('latin1', from + (scanner.marks[2 * at] as number), from + (scanner.marks[2 * at + 1] as number)),
  );
  if (JSON.stringify(fields) !== JSON.stringify(message.fields)) fail('other fields', fields, message.fields);
  if (countOf(fields, 'transfer-encoding') !== 1 || fieldOf(fields, 'transfer-encoding')?.toLowerCase() !== 'chunked') return 'both';
  const decoder = new ChunkedDecoder(limits);
  let body = '';
  const end = decoder.decode(bytes, after, bytes.length, (buffer, first, last) => {
    body += buffer.toString('latin1', first, last);
  });
  if (!message.complete) return decoder.done ? `after the head: ${error ?? 'cut off'}` : 'neither';
  if (!decoder.done) return 'stricter';
  if (body !== message.body) fail('another body', body, message.body);
  if (end !== message.end) fail('another end', end, message.end);
  if (JSON.stringify(decoder.trailers ?? []) !== JSON.stringify(message.trailers))
    fail('other trailers', decoder.trailers, message.trailers);
  return 'both';
}

/** What became of the requests in some bytes. */
export interface RequestVerdict {
  readonly forwarded: number;
  readonly refused: number;
  /** Of the gateway's own scanner and decoder: as llhttp, or why llhttp refuses what they accept. */
  readonly own: string;
}

/** Whether the gateway keeps to its word about some requests in a row. @throws Error that says where it does not. */
export function judgeRequests(text: string, pieces: readonly Buffer[], limits: GatewayLimits): RequestVerdict {
  const bytes = Buffer.from(text, 'latin1');
  const parser = new LlhttpParser('request');
  parser.execute(bytes);
  parser.free();
  const split = new LlhttpParser('request');
  for (const piece of pieces) split.execute(piece);
  split.free();
  if (
    JSON.stringify(parser.messages.filter(({ complete }) => complete)) !== JSON.stringify(split.messages.filter(({ complete }) => complete))
  ) {
    fail('in pieces other requests', parser.messages, split.messages);
  }
  let forwarded = 0;
  let refused = 0;
  for (const message of parser.messages) {
    if (!message.complete) break;
    const read = readAsGateway(message, limits);
    if ('detail' in read) {
      // Nothing behind it is read.
      refused++;
      break;
    }
    judgeForwarded(read, message);
    forwarded++;
  }
  return { forwarded, refused, own: judgeOwnParsers(bytes, parser.messages[0], parser.error, limits) };
}
