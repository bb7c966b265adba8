import type { Socket } from 'node:net';
import type { ClientExchange, ExchangeHandler, SwitchedConnection } from '../client-exchange.ts';
import type { Downstream } from '../downstream.ts';
import type { GatewayLimits } from '../limits.ts';
import { informationText } from '../local-reply.ts';
import { announces, fieldValue, responseHeadText } from '../response-text.ts';
import { lastChunk } from '../trailers.ts';
import { WriteStall } from '../write-stall.ts';
import { writeTogether } from '../write-together.ts';
import { type ConnectionWishes, readWishes } from './connection-wishes.ts';
import { RequestBody } from './request-body.ts';
import type { ReceivedHead } from './request-parser.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** What an exchange has of its connection. */
export interface ExchangePlace {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly limits: GatewayLimits;
  /** It closes after the present answer. */
  readonly closing: boolean;
  /** The body of the present request is wanted, or wanted again. */
  takeBody(): void;
  /** The present answer says that it is the last one. */
  tellLast(): void;
  /** From now on the socket belongs to the exchange. Gives what was read behind its request. */
  becomeTunnel(): Buffer | undefined;
  /** The answer is complete, and the network has taken it; or the socket is gone. */
  leave(exchange: Http1Exchange): void;
}

/** One request of an HTTP/1.1 connection, and the answer to it. */
export class Http1Exchange implements ClientExchange {
  readonly downstream: Downstream;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly rawHeaders: readonly string[];
  readonly upgradable: boolean;

  private readonly connection: ExchangePlace;
  private readonly body: RequestBody | undefined;
  private handler: ExchangeHandler | undefined;
  /** No other request may follow. */
  private last: boolean;
  private awaitsContinue: boolean;
  /** Whether the handler, or nobody, is given the body. */
  private reading: 'not yet' | 'paused' | 'flowing' | 'given up' | 'thrown away' = 'not yet';
  private bodyMovedAt = 0;
  /** What has come since then. */
  private bodyBytes = 0;
  /** The answer has no body, whatever is written. */
  private bodyless: boolean;
  private chunked = false;
  private headSent = false;
  /** A head that waits for the first piece of its body. */
  private headText = '';
  private awaitsDrain = false;
  private switched = false;
  private readonly writeStall = new WriteStall();
  /** Since when nothing was read of a tunnel's client that is paused, because the upstream takes nothing. */
  private readMovedAt = 0;
  private lastRead = 0;

  constructor(head: ReceivedHead, connection: ExchangePlace) {
    this.downstream = connection.downstream;
    this.method = head.method;
    this.target = head.target;
    this.version = head.version;
    this.rawHeaders = head.rawHeaders;
    this.connection = connection;
    const wishes = readWishes(head);
    this.upgradable = wishes.upgradable;
    this.body = bodyOf(wishes, connection);
    this.last = !wishes.keepAlive || wishes.body === 'uncertain';
    this.awaitsContinue = wishes.expectsContinue;
    this.bodyless = head.method === 'HEAD';
  }

  get bodyComplete(): boolean {
    return this.body === undefined || this.body.complete;
  }

  attach(handler: ExchangeHandler): void {
    this.handler = handler;
  }

  // The request's body.

  startBody(): void {
    if (this.reading !== 'not yet') return;
    this.reading = 'flowing';
    this.bodyMoved();
    if (this.awaitsContinue && this.connection.limits.continueMs === 0) this.proceed();
    if (this.bodyComplete) this.handler?.requestEnd(this.body?.trailers ?? []);
    else this.connection.takeBody();
  }

  pauseBody(): void {
    if (this.reading === 'flowing') this.reading = 'paused';
  }

  resumeBody(): void {
    if (this.reading !== 'paused') return;
    this.reading = 'flowing';
    this.bodyMoved();
    this.connection.takeBody();
  }

  closeAfterAnswer(): void {
    this.last = true;
  }

  /** Whether more of the body is welcome, or there is none to come. */
  get takesBody(): boolean {
    return this.bodyComplete || this.reading === 'flowing' || this.reading === 'thrown away';
  }

  /** Takes what belongs to the body from the bytes that were read, as much as is wanted now; gives how many that were. */
  takeBody(bytes: Buffer): number {
    const { body } = this;
    if (body === undefined || !this.takesBody) return 0;
    const taken = body.feed(bytes, 0, bytes.length, (buffer, start, end) => this.takePiece(buffer, start, end));
    if (this.reading === 'thrown away') return taken;
    if (body.failure !== undefined) this.failBody(body.failure);
    else if (body.complete) this.handler?.requestEnd(body.trailers ?? []);
    return taken;
  }

  /** Whether the body has turned out to be malformed. */
  get bodyFailed(): boolean {
    return this.body?.failure !== undefined;
  }

  /** The body cannot be read to its end: `status` is the answer, and what follows is nobody's. */
  failBody(status: number): void {
    if (this.reading === 'given up') return;
    this.last = true;
    this.reading = 'given up';
    this.handler?.requestFailed(status);
  }

  /** The answer is complete: what still comes of the body is of no use. */
  discardBody(): void {
    this.reading = 'thrown away';
  }

  private takePiece(buffer: Buffer, start: number, end: number): void {
    if (this.reading === 'thrown away') return;
    this.bodyBytes += end - start;
    if (this.bodyBytes >= this.connection.limits.requestBodyStallBytes) this.bodyMoved();
    this.handler?.requestData(buffer.subarray(start, end));
  }

  // The answer.

  inform(status: number, reason: string, fields: readonly string[]): void {
    if (this.headSent) return;
    if (status !== 100) this.connection.socket.write(informationText(status, reason, fields), 'latin1');
    else if (this.awaitsContinue) this.proceed();
  }

  respond(status: number, reason: string, fields: string[], body: string | Uint8Array | undefined): void {
    if (typeof body === 'string' && !this.bodyless && status !== 204 && status !== 304 && announces(fields, body)) {
      this.headSent = true;
      this.sayWhetherLast(fields);
      writeTogether(this.connection.socket, responseHeadText(status, reason, fields) + body, (error) => this.written(error));
      return;
    }
    this.respondHead(status, reason, fields);
    this.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body, undefined);
  }

  respondHead(status: number, reason: string, fields: string[]): void {
    this.headSent = true;
    this.bodyless ||= status === 204 || status === 304;
    this.chunked = !this.bodyless && fieldValue(fields, 'content-length') === undefined;
    if (this.chunked) fields.push('transfer-encoding', 'chunked');
    this.sayWhetherLast(fields);
    this.headText = responseHeadText(status, reason, fields);
  }

  flushHead(): void {
    if (this.headText !== '') this.connection.socket.write(this.headText, 'latin1');
    this.headText = '';
  }

  get flushed(): boolean {
    // What a stream counts as written but not yet taken; a piece leaves the count when the system has it.
    return this.connection.socket.writableLength === 0;
  }

  write(chunk: Uint8Array): boolean {
    const { socket } = this.connection;
    // Head and piece go out now and together.
    socket.cork();
    this.flushHead();
    const more = this.bodyless || this.writePiece(chunk);
    socket.uncork();
    if (!more) this.awaitsDrain = true;
    return more;
  }

  end(chunk: Uint8Array | undefined, trailers: readonly string[] | undefined): void {
    const { socket } = this.connection;
    const done = (error?: Error | null): void => this.written(error);
    const piece = chunk === undefined || chunk.length === 0 || this.bodyless ? undefined : chunk;
    socket.cork();
    if (this.chunked) {
      this.flushHead();
      if (piece !== undefined) this.writePiece(piece);
      socket.write(lastChunk(trailers), 'latin1', done);
    } else if (piece !== undefined) {
      this.flushHead();
      socket.write(piece, done);
    } else {
      // All that was written before has been taken once this has, be it empty.
      socket.write(this.headText, 'latin1', done);
      this.headText = '';
    }
    socket.uncork();
  }

  destroy(): void {
    this.connection.socket.destroy();
  }

  switchProtocols(reason: string, fields: string[]): SwitchedConnection {
    const { socket: stream } = this.connection;
    this.switched = true;
    this.headSent = true;
    stream.write(responseHeadText(101, reason, fields), 'latin1');
    return { stream, early: this.connection.becomeTunnel() };
  }

  private writePiece(chunk: Uint8Array): boolean {
    const { socket } = this.connection;
    if (!this.chunked) return socket.write(chunk);
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    return socket.write('\r\n', 'latin1');
  }

  /** Keep-alive is what HTTP/1.1 means without a Connection header. */
  private sayWhetherLast(fields: string[]): void {
    // A client that was not told to send its body may leave it out, or not: what comes next cannot be known. And what a client sends behind
    // a request for an upgrade that is not granted may have been meant for the other protocol.
    const uncertain = (this.awaitsContinue && !this.bodyComplete) || this.upgradable;
    if (!this.last && !this.connection.closing && !uncertain) return;
    fields.push('connection', 'close');
    this.connection.tellLast();
  }

  private written(error: Error | null | undefined): void {
    if (error) return;
    this.close(true);
  }

  // What its connection tells.

  /** The network has taken what was written. */
  drained(): void {
    if (!this.awaitsDrain || this.switched) return;
    this.awaitsDrain = false;
    this.handler?.clientDrained();
  }

  connectionClosed(): void {
    this.close(this.switched);
  }

  sweep(now: number): void {
    if (!this.bodyComplete) this.sweepBody(now - this.bodyMovedAt);
    // A client that takes nothing for long enough is gone, and one that takes next to nothing means no good.
    const { socket, limits } = this.connection;
    if (this.writeStall.dripsFor(socket, limits.responseStallBytes, now) > limits.responseStallMs) socket.destroy();
  }

  sweepTunnel(now: number): void {
    const { socket, limits } = this.connection;
    if (!socket.isPaused() || socket.bytesRead !== this.lastRead) {
      this.readMovedAt = now;
      this.lastRead = socket.bytesRead;
    }
    const stalled = this.writeStall.lasts(socket, now) > limits.responseStallMs || now - this.readMovedAt > limits.requestStallMs;
    if (stalled) socket.destroy();
  }

  private sweepBody(silentMs: number): void {
    const { continueMs, requestBodyStallMs, requestStallMs } = this.connection.limits;
    if (this.reading === 'paused') {
      if (silentMs <= requestStallMs) return;
      this.last = true;
      this.reading = 'given up';
      this.handler?.requestStuck();
    } else if (this.reading === 'flowing') {
      if (this.awaitsContinue && silentMs > continueMs && !this.headSent) this.proceed();
      else if (silentMs > requestBodyStallMs) this.failBody(408);
    }
  }

  private bodyMoved(): void {
    this.bodyMovedAt = performance.now();
    this.bodyBytes = 0;
  }

  private proceed(): void {
    this.awaitsContinue = false;
    this.bodyMoved();
    this.connection.socket.write(CONTINUE, 'latin1');
  }

  private close(finished: boolean): void {
    const { handler } = this;
    if (handler === undefined) return;
    this.handler = undefined;
    handler.clientClosed(finished);
    this.connection.leave(this);
  }
}

function bodyOf({ body }: ConnectionWishes, { limits }: ExchangePlace): RequestBody | undefined {
  if (body === 'none' || body === 'uncertain') return undefined;
  return new RequestBody(body === 'chunked' ? undefined : body.length, limits);
}
