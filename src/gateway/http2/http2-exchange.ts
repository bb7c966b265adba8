import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ClientExchange, ExchangeHandler } from '../client-exchange.ts';
import type { Downstream } from '../downstream.ts';
import { withoutFields } from '../hop-by-hop.ts';
import type { GatewayLimits } from '../limits.ts';
import { fieldValue } from '../response-text.ts';
import { sendFields } from './http2-fields.ts';
import type { Http2Head } from './request-head.ts';

/** What an exchange has of its connection. */
export interface ExchangePlace {
  readonly downstream: Downstream;
  readonly limits: GatewayLimits;
  /** The exchange is over. */
  leave(exchange: Http2Exchange): void;
  /** Cuts the connection, with all that is at work on it. */
  evict(): void;
}

/** One stream of an HTTP/2 connection. What is wrong with it resets it and leaves the others alone. */
export class Http2Exchange implements ClientExchange {
  readonly version = '2';
  readonly upgradable = false;
  readonly downstream: Downstream;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];

  private readonly stream: ServerHttp2Stream;
  private readonly place: ExchangePlace;
  private handler: ExchangeHandler | undefined;
  private awaitsContinue: boolean;
  private trailers: readonly string[] = [];
  private responseTrailers: readonly string[] | undefined;
  private received: boolean;
  private reading = false;
  private readPaused = false;
  private bodyMovedAt = 0;
  private bodyBytes = 0;
  /** The answer has no body, whatever is written. */
  private bodyless: boolean;
  private ended = false;
  private awaitsDrain = false;
  /** Pieces that the network has not taken. */
  private unsent = 0;
  private takenAt = performance.now();

  constructor(stream: ServerHttp2Stream, head: Http2Head, ended: boolean, place: ExchangePlace) {
    this.stream = stream;
    this.place = place;
    this.downstream = place.downstream;
    this.method = head.method;
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.awaitsContinue = head.expectsContinue && !ended;
    this.received = ended;
    this.bodyless = head.method === 'HEAD';
    stream.on('trailers', (_headers, _flags, raw) => {
      this.trailers = raw;
    });
    stream.on('close', () => this.onClose());
  }

  get bodyComplete(): boolean {
    return this.received;
  }

  attach(handler: ExchangeHandler): void {
    this.handler = handler;
  }

  startBody(): void {
    this.reading = true;
    this.bodyMovedAt = performance.now();
    this.stream.on('data', (chunk: Buffer) => {
      this.bodyBytes += chunk.length;
      if (this.bodyBytes >= this.place.limits.requestBodyStallBytes) this.bodyMoved();
      this.handler?.requestData(chunk);
    });
    this.stream.on('end', () => {
      this.reading = false;
      // A stream that was reset ends, too, and its body is not whole.
      if (this.stream.aborted || this.stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      this.received = true;
      this.handler?.requestEnd(this.trailers);
    });
    if (this.awaitsContinue && this.place.limits.continueMs === 0) this.proceed();
  }

  pauseBody(): void {
    this.readPaused = true;
    this.stream.pause();
  }

  resumeBody(): void {
    this.readPaused = false;
    this.bodyMoved();
    this.stream.resume();
  }

  // Where the next request begins is certain: each has a stream of its own.
  closeAfterAnswer(): void {}

  inform(status: number, _reason: string, fields: readonly string[]): void {
    if (this.stream.closed || this.stream.headersSent) return;
    // One that cannot be sent is left out: the answer follows.
    if (status !== 100) sendFields(fields, (headers) => this.stream.additionalHeaders({ ...headers, ':status': status }));
    else if (this.awaitsContinue) this.proceed();
  }

  respond(status: number, reason: string, fields: string[], body: string | Uint8Array | undefined): void {
    if (this.stream.closed) return;
    if (body === undefined || body.length === 0) {
      this.ended = true;
      this.bodyless = true;
      this.sendHead(status, fields, { endStream: true });
      this.stopReading();
      return;
    }
    this.respondHead(status, reason, fields);
    this.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body, undefined);
  }

  respondHead(status: number, _reason: string, fields: string[]): void {
    if (this.stream.closed) return;
    this.bodyless ||= status === 204 || status === 205 || status === 304;
    const waitForTrailers = !this.bodyless && fieldValue(fields, 'content-length') === undefined;
    if (waitForTrailers) {
      this.stream.once('wantTrailers', () => {
        if (!sendFields(this.responseTrailers ?? [], (headers) => this.stream.sendTrailers(headers))) this.destroy();
      });
    }
    // A 205 has no body (RFC 9110 section 15.3.6), and a client would wait for the bytes that it announces.
    this.sendHead(status, status === 205 ? withoutFields(fields, ['content-length']) : fields, {
      endStream: this.bodyless,
      waitForTrailers,
    });
  }

  // It was sent with `respondHead`.
  flushHead(): void {}

  get flushed(): boolean {
    return this.unsent === 0;
  }

  write(chunk: Uint8Array): boolean {
    const { stream } = this;
    if (this.bodyless || stream.closed || stream.writableEnded) return true;
    if (this.unsent === 0) this.takenAt = performance.now();
    this.unsent += 1;
    const more = stream.write(chunk, () => {
      this.unsent -= 1;
      this.takenAt = performance.now();
    });
    if (more) return true;
    if (!this.awaitsDrain) {
      this.awaitsDrain = true;
      stream.once('drain', () => {
        this.awaitsDrain = false;
        this.handler?.clientDrained();
      });
    }
    return false;
  }

  end(chunk: Uint8Array | undefined, trailers: readonly string[] | undefined): void {
    this.ended = true;
    this.responseTrailers = trailers;
    if (chunk !== undefined && chunk.length > 0) this.write(chunk);
    if (!this.bodyless && !this.stream.writableEnded) {
      if (!this.received) this.stream.once('finish', () => this.stopReading());
      this.stream.end();
    } else {
      this.stopReading();
    }
  }

  destroy(): void {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** The client has ended its side of the connection: what of a body has not come will not come. */
  connectionEnded(): void {
    if (!this.stream.closed && this.stream.state.state === constants.NGHTTP2_STREAM_STATE_OPEN) this.destroy();
  }

  switchProtocols(): never {
    throw new Error('This exchange cannot switch protocols');
  }

  sweep(now: number): void {
    const { limits } = this.place;
    if (this.reading) this.sweepBody(now - this.bodyMovedAt);
    // A head, an end and a reset wait for the connection to take them, too.
    if (this.unsent === 0 && !this.ended && !this.stream.closed) this.takenAt = now;
    // A client may reset a stream without an error, too, while nobody reads it.
    if (this.stream.closed) this.stream.resume();
    if (now - this.takenAt <= limits.responseStallMs) return;
    if (this.stream.closed) {
      this.place.evict();
      return;
    }
    this.takenAt = now;
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private sendHead(status: number, fields: readonly string[], options: { endStream?: boolean; waitForTrailers?: boolean }): void {
    if (!sendFields(fields, (headers) => this.stream.respond({ ...headers, ':status': status }, options))) this.destroy();
  }

  /** The answer is whole: the rest of the body is of no use (RFC 9113 section 8.1). */
  private stopReading(): void {
    if (this.received) return;
    this.stream.close(constants.NGHTTP2_NO_ERROR);
    // One that is paused would never come to its end, and never close.
    this.stream.resume();
  }

  private sweepBody(silentMs: number): void {
    const { continueMs, requestBodyStallMs, requestStallMs } = this.place.limits;
    if (this.readPaused) {
      if (silentMs <= requestStallMs) return;
      this.reading = false;
      this.handler?.requestStuck();
    } else if (this.awaitsContinue && silentMs > continueMs && !this.stream.headersSent) {
      this.proceed();
    } else if (silentMs > requestBodyStallMs) {
      this.reading = false;
      this.handler?.requestFailed(408);
    }
  }

  private bodyMoved(): void {
    this.bodyMovedAt = performance.now();
    this.bodyBytes = 0;
  }

  private proceed(): void {
    this.awaitsContinue = false;
    this.bodyMoved();
    if (!this.stream.closed) this.stream.additionalHeaders({ ':status': 100 });
  }

  private onClose(): void {
    const { handler } = this;
    this.handler = undefined;
    handler?.clientClosed(this.ended && this.unsent === 0 && this.stream.rstCode === constants.NGHTTP2_NO_ERROR);
    this.place.leave(this);
  }
}
