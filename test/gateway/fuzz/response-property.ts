import type { GatewayLimits } from '../../../src/gateway/limits.ts';
import type { ResponseHead } from '../../../src/gateway/response-head.ts';
import { ResponseParser } from '../../../src/gateway/response-parser.ts';
import { type LlhttpMessage, LlhttpParser } from '../../harness/llhttp.ts';

/** What one parser made of the bytes that answer one request. */
interface Reading {
  readonly outcome: 'whole' | 'cut' | 'refused';
  /** Bytes of the response; of one that is whole only. */
  readonly end: number;
  readonly interim: readonly number[];
  readonly status: number;
  readonly body: string;
  readonly trailers: readonly string[];
}

/** What the gateway's parser made of them. */
export interface GatewayReading extends Reading {
  readonly failure: string | undefined;
  readonly head: ResponseHead | undefined;
}

/** The gateway's parser, fed piece by piece; `closes`: the upstream closes after the last. */
export function readByGateway(pieces: readonly Uint8Array[], toHead: boolean, limits: GatewayLimits): GatewayReading {
  const parser = new ResponseParser(limits);
  const interim: number[] = [];
  let head: ResponseHead | undefined;
  let body = '';
  let trailers: readonly string[] = [];
  let whole = false;
  parser.begin(
    {
      responseInterim: ({ status }) => interim.push(status),
      responseHead: (received) => {
        head = received;
      },
      responseData: (buffer, start, end) => {
        body += buffer.toString('latin1', start, end);
      },
      responseEnd: (received) => {
        whole = true;
        trailers = received ?? [];
      },
    },
    toHead,
    false,
  );
  let end = 0;
  for (const piece of pieces) {
    if (whole || parser.state === 'failed') break;
    const buffer = Buffer.from(piece);
    end += parser.feed(buffer, buffer.length);
    // A read buffer is read into again: what was handed over must not be looked at later.
    buffer.fill(0);
  }
  if (!whole && parser.state !== 'failed') parser.finish();
  const outcome = whole ? 'whole' : parser.state === 'failed' ? 'refused' : 'cut';
  return { outcome, end: whole ? end : 0, interim, status: head?.status ?? 0, body, trailers, failure: parser.failure, head };
}

/** llhttp's first final response, and those before it. */
function readByLlhttp(
  pieces: readonly Uint8Array[],
  toHead: boolean,
): Reading & { readonly message: LlhttpMessage | undefined; readonly error: string | undefined } {
  const parser = new LlhttpParser('response', { toHead: (ordinal) => toHead && ordinal === 0 });
  for (const piece of pieces) parser.execute(piece);
  parser.finish();
  parser.free();
  const message = parser.messages.find(({ status, headComplete }) => headComplete && status >= 200);
  const before = message === undefined ? parser.messages : parser.messages.slice(0, parser.messages.indexOf(message));
  const interim = before.filter((each) => each.complete).map(({ status }) => status);
  const outcome = message?.complete === true ? 'whole' : parser.error === undefined ? 'cut' : 'refused';
  return {
    ...{ outcome, end: message?.end ?? 0, interim, status: message?.status ?? 0, body: message?.body ?? '' },
    ...{ trailers: message?.trailers ?? [], message, error: parser.error },
  };
}

/** llhttp takes no tab for the end of a coding, and such a body for one that ends with the connection. */
const TAB_AFTER_CODING = /^Transfer-Encoding:[^\r\n]*chunked\t[ \t]*\r$/im;

/** How a response was read. */
export type ResponseVerdict = { readonly kind: 'both' | 'neither' | 'stricter' | 'laxer'; readonly reason: string };

/** Whether the gateway's parser keeps to its word about one response. @throws Error that says where it does not. */
export function judgeResponse(text: string, pieces: readonly Buffer[], toHead: boolean, limits: GatewayLimits): ResponseVerdict {
  const bytes = Buffer.from(text, 'latin1');
  const ours = readByGateway([bytes], toHead, limits);
  const split = readByGateway(pieces, toHead, limits);
  const same = (['outcome', 'end', 'status', 'body', 'failure'] as const).find((key) => ours[key] !== split[key]);
  if (same !== undefined && ours.outcome !== 'refused')
    throw new Error(`in pieces another ${same}: ${JSON.stringify([ours[same], split[same]])}`);
  if (ours.outcome !== split.outcome) throw new Error(`in pieces ${split.outcome}, at once ${ours.outcome}`);
  if (JSON.stringify([ours.trailers, ours.head]) !== JSON.stringify([split.trailers, split.head]))
    throw new Error('in pieces another head or trailers');

  const theirs = readByLlhttp([bytes], toHead);
  if (ours.outcome !== 'whole') {
    if (theirs.outcome !== 'whole') return { kind: 'neither', reason: '' };
    return { kind: 'stricter', reason: ours.failure ?? 'cut off' };
  }
  if (theirs.outcome !== 'whole')
    return { kind: 'laxer', reason: `${theirs.message === undefined ? 'in the head' : 'after the head'}: ${theirs.error ?? 'cut off'}` };
  if (TAB_AFTER_CODING.test(text)) return { kind: 'laxer', reason: 'in the head: a tab after the transfer coding' };
  for (const key of ['status', 'body', 'end'] as const) {
    if (ours[key] !== theirs[key])
      throw new Error(`${key}: the gateway ${JSON.stringify(ours[key])}, llhttp ${JSON.stringify(theirs[key])}`);
  }
  for (const key of ['trailers', 'interim'] as const) {
    if (JSON.stringify(ours[key]) !== JSON.stringify(theirs[key]))
      throw new Error(`${key}: the gateway ${JSON.stringify(ours[key])}, llhttp ${JSON.stringify(theirs[key])}`);
  }
  const missing = unknownField(ours.head?.fields ?? [], theirs.message?.fields ?? []);
  if (missing !== undefined) throw new Error(`a field that llhttp does not see, or in another order: ${missing}`);
  return { kind: 'both', reason: '' };
}

/** The first of `fields` that is not among `received` in order, by name in lower case. The `trailer` that goes last is joined. */
function unknownField(fields: readonly string[], received: readonly string[]): string | undefined {
  let from = 0;
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] === 'trailer') continue;
    while (from < received.length && !(received[from]?.toLowerCase() === fields[at] && received[from + 1] === fields[at + 1])) from += 2;
    if (from >= received.length) return `${fields[at]}: ${fields[at + 1]}`;
    from += 2;
  }
  return undefined;
}
