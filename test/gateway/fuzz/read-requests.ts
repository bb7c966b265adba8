import type { ClientExchange } from '../../../src/gateway/client-exchange.ts';
import { type ConnectionWishes, readWishes } from '../../../src/gateway/http1/connection-wishes.ts';
import { RequestBody } from '../../../src/gateway/http1/request-body.ts';
import { type ReceivedHead, RequestParser } from '../../../src/gateway/http1/request-parser.ts';
import { type IncomingRequest, readRequest } from '../../../src/gateway/incoming-request.ts';
import type { GatewayLimits } from '../../../src/gateway/limits.ts';
import type { Refusal } from '../../../src/gateway/request-target.ts';

const REQUEST_ID = '00000000-0000-4000-8000-000000000000';

/** A request as the gateway reads it. Text is latin1. */
export interface GatewayMessage extends ReceivedHead {
  /** What it makes of the head: the request that it would send on, or why it does not. */
  readonly read: IncomingRequest | Refusal;
  readonly wishes: ConnectionWishes;
  readonly trailers: readonly string[];
  readonly body: string;
  /** Its last byte was there. */
  readonly complete: boolean;
  /** Offset of the byte after it; -1 where it is not complete. */
  readonly end: number;
}

/** What the gateway reads from some bytes. */
export interface GatewayReading {
  readonly messages: readonly GatewayMessage[];
  /** The status with which it refuses what is behind them, or the body of the last of them; undefined where it waits for more. */
  readonly refused: number | undefined;
  /** A head has begun behind them. */
  readonly begun: boolean;
}

function readHead(head: ReceivedHead, limits: GatewayLimits): IncomingRequest | Refusal {
  const exchange = { ...head, scheme: 'http', remoteAddress: '127.0.0.1', upgradable: false };
  if (head.method === 'CONNECT') return { status: 501, detail: '' };
  return readRequest(exchange as unknown as ClientExchange, 'ingress', limits, () => REQUEST_ID);
}

/** Of `OPTIONS *`, after which the connection goes on; any other refusal ends it. */
const NOWHERE = 404;

/** Reads with the parsers of the gateway what a client sends, as its connection does (http1-connection.ts), to the request that is the last by its own account. */
export function readByGateway(pieces: readonly Uint8Array[], limits: GatewayLimits): GatewayReading {
  const parser = new RequestParser(limits);
  const messages: GatewayMessage[] = [];
  let body: RequestBody | undefined;
  let text = '';
  let offset = 0;
  const over = (): boolean => {
    const last = messages.at(-1);
    if (last === undefined) return false;
    if ('detail' in last.read && last.read.status !== NOWHERE) return true;
    return last.complete && !last.wishes.keepAlive;
  };
  const concludeBody = (end: number): void => {
    const last = messages.pop();
    if (last !== undefined) messages.push({ ...last, body: text, trailers: body?.trailers ?? [], complete: true, end });
    body = undefined;
  };
  for (const piece of pieces) {
    const buffer = Buffer.from(piece);
    let at = 0;
    while (at < buffer.length && !over()) {
      if (body !== undefined) {
        at = body.feed(buffer, at, buffer.length, (bytes, start, end) => {
          text += bytes.toString('latin1', start, end);
          return true;
        });
        if (body.failure !== undefined) return { messages, refused: body.failure, begun: false };
        if (body.complete) concludeBody(offset + at);
        continue;
      }
      at = parser.feed(buffer, at, buffer.length);
      const { head, refusal } = parser;
      if (refusal !== undefined) return { messages, refused: refusal.status, begun: true };
      if (head === undefined) continue;
      parser.reset();
      const wishes = readWishes(head);
      messages.push({ ...head, wishes, read: readHead(head, limits), trailers: [], body: '', complete: false, end: -1 });
      text = '';
      body = new RequestBody(wishes.body === 'chunked' ? undefined : typeof wishes.body === 'string' ? 0 : wishes.body.length, limits);
      if (body.complete) concludeBody(offset + at);
    }
    offset += buffer.length;
    // What is read is read into again: what was kept must not be looked at later.
    buffer.fill(0);
  }
  return { messages, refused: undefined, begun: parser.begun };
}
