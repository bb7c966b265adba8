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

function interpret(head: ReceivedHead, limits: GatewayLimits): IncomingRequest | Refusal {
  const exchange = {
    ...head,
    downstream: { scheme: 'http', tlsServer: undefined, remoteAddress: '127.0.0.1' },
    upgradable: false,
  } as const;
  if (head.method === 'CONNECT') return { status: 501, detail: '' };
  return readRequest(exchange, 'ingress', limits, () => REQUEST_ID);
}

/** Of `OPTIONS *`, after which the connection goes on; any other refusal ends it. */
const NOWHERE = 404;

/** Reads as the connection of a client does (http1-connection.ts). */
class Reader {
  readonly messages: GatewayMessage[] = [];
  refused: number | undefined;

  private readonly parser: RequestParser;
  private readonly limits: GatewayLimits;
  private body: RequestBody | undefined;
  private text = '';
  private offset = 0;

  constructor(limits: GatewayLimits) {
    this.limits = limits;
    this.parser = new RequestParser(limits);
  }

  get begun(): boolean {
    return this.parser.begun;
  }

  /** Whether nothing more is read. */
  get isOver(): boolean {
    const last = this.messages.at(-1);
    if (this.refused !== undefined) return true;
    if (last === undefined) return false;
    if ('detail' in last.read && last.read.status !== NOWHERE) return true;
    return last.complete && !last.wishes.keepAlive;
  }

  read(piece: Uint8Array): void {
    const buffer = Buffer.from(piece);
    for (let at = 0; at < buffer.length && !this.isOver; ) {
      at = this.body === undefined ? this.readHead(buffer, at) : this.readBody(this.body, buffer, at);
    }
    this.offset += buffer.length;
    // What is read is read into again: what was kept must not be looked at later.
    buffer.fill(0);
  }

  private readHead(buffer: Buffer, from: number): number {
    const at = this.parser.feed(buffer, from, buffer.length);
    const { head, refusal } = this.parser;
    this.refused = refusal?.status;
    if (head === undefined) return at;
    this.parser.reset();
    const wishes = readWishes(head);
    this.messages.push({ ...head, wishes, read: interpret(head, this.limits), trailers: [], body: '', complete: false, end: -1 });
    this.text = '';
    const length = typeof wishes.body === 'string' ? 0 : wishes.body.length;
    this.body = new RequestBody(wishes.body === 'chunked' ? undefined : length, this.limits);
    if (this.body.complete) this.conclude(this.body, at);
    return at;
  }

  private readBody(body: RequestBody, buffer: Buffer, from: number): number {
    const at = body.feed(buffer, from, buffer.length, (bytes, start, end) => {
      this.text += bytes.toString('latin1', start, end);
    });
    this.refused = body.failure;
    if (body.complete) this.conclude(body, at);
    return at;
  }

  private conclude({ trailers = [] }: RequestBody, at: number): void {
    const last = this.messages.pop();
    if (last !== undefined) this.messages.push({ ...last, body: this.text, trailers, complete: true, end: this.offset + at });
    this.body = undefined;
  }
}

/** Reads with the parsers of the gateway what a client sends, to the request that is the last by its own account. */
export function readByGateway(pieces: readonly Uint8Array[], limits: GatewayLimits): GatewayReading {
  const reader = new Reader(limits);
  for (const piece of pieces) reader.read(piece);
  const { messages, refused, begun } = reader;
  return { messages, refused, begun };
}
