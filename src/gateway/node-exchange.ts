import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientConnection, QueuedExchange } from './client-connection.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { informationText } from './local-reply.ts';
import { announces, responseHeadText } from './response-text.ts';
import { WriteStall } from './write-stall.ts';
import { writeTogether } from './write-together.ts';

const NOTHING = Buffer.alloc(0);

/** An exchange over Node's HTTP server. */
export class NodeExchange implements ClientExchange, QueuedExchange {
  readonly upgradable = false;

  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private readonly connection: ClientConnection;
  private readonly start: (exchange: ClientExchange) => void;
  /** The client waits for a 100 before it sends the body. */
  private awaitsContinue: boolean;
  private handler: ExchangeHandler | undefined;
  private last = false;
  /** The answer to a body that turned out to be malformed before its turn came. */
  private failed: number | undefined;
  private reading = false;
  private readPaused = false;
  private bodyMovedAt = 0;
  /** What has come since then. */
  private bodyBytes = 0;
  private awaitsDrain = false;
  private readonly writeStall = new WriteStall();
  private wroteWhole = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    connection: ClientConnection,
    expectsContinue: boolean,
    start: (exchange: ClientExchange) => void,
  ) {
    this.request = request;
    this.response = response;
    this.connection = connection;
    this.awaitsContinue = expectsContinue;
    this.start = start;
  }

  get scheme(): 'http' | 'https' {
    return this.connection.tlsServer === undefined ? 'http' : 'https';
  }

  get tlsServer(): string | undefined {
    return this.connection.tlsServer;
  }

  get method(): string {
    return this.request.method ?? '';
  }

  get target(): string {
    return this.request.url ?? '';
  }

  get version(): string {
    return this.request.httpVersion;
  }

  get rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  get peer(): string | undefined {
    return this.connection.peer;
  }

  get local(): string | undefined {
    return this.connection.local;
  }

  get serverName(): string | undefined {
    return this.connection.serverName;
  }

  get bodyComplete(): boolean {
    return this.request.complete;
  }

  begin(): void {
    this.start(this);
  }

  attach(handler: ExchangeHandler): void {
    this.handler = handler;
    this.response.on('close', () => this.onClose());
  }

  startBody(): void {
    if (this.failed !== undefined) {
      this.handler?.requestFailed(this.failed);
      return;
    }
    this.reading = true;
    this.bodyMovedAt = performance.now();
    this.request.on('data', (chunk: Buffer) => {
      this.bodyBytes += chunk.length;
      if (this.bodyBytes >= this.connection.limits.requestBodyStallBytes) {
        this.bodyMovedAt = performance.now();
        this.bodyBytes = 0;
      }
      this.handler?.requestData(chunk);
    });
    this.request.on('end', () => {
      this.reading = false;
      this.handler?.requestEnd(this.request.rawTrailers);
    });
    if (this.awaitsContinue && this.connection.limits.continueMs === 0) this.proceed();
  }

  pauseBody(): void {
    this.readPaused = true;
    this.request.pause();
  }

  resumeBody(): void {
    this.readPaused = false;
    this.bodyMovedAt = performance.now();
    this.bodyBytes = 0;
    this.request.resume();
  }

  closeAfterAnswer(): void {
    this.last = true;
  }

  inform(status: number, reason: string, fields: readonly string[]): void {
    if (this.response.headersSent) return;
    if (status !== 100) this.connection.socket.write(informationText(status, reason, fields), 'latin1');
    else if (this.awaitsContinue) this.proceed();
  }

  respond(status: number, reason: string, fields: string[], body: string | Uint8Array | undefined): void {
    if (typeof body === 'string' && this.mayWriteWhole && announces(fields, body)) {
      this.writeWhole(responseHeadText(status, reason, fields) + body);
      return;
    }
    this.respondHead(status, reason, fields);
    if (typeof body === 'string') this.response.end(body, 'latin1');
    else if (body !== undefined) this.response.end(body);
    else this.response.end();
  }

  respondHead(status: number, reason: string, fields: string[]): void {
    const response = this.response;
    // Node closes the connection of a client that was not told to go on, whether or not it has.
    if (this.staysOpen && !this.awaitsContinue) {
      // Keep-alive is what HTTP/1.1 means without a Connection header.
      response.removeHeader('connection');
    } else {
      // Whatever was pipelined behind this request must not get its turn.
      this.connection.keepReading();
      fields.push('connection', 'close');
    }
    response.writeHead(status, reason, fields);
  }

  flushHead(): void {
    // Not flushHeaders(), which writes bytes above 127 as UTF-8.
    this.response.write(NOTHING);
  }

  get flushed(): boolean {
    // What a stream counts as written but not yet taken; a piece leaves the count when the system has it.
    return this.connection.socket.writableLength === 0 && this.response.writableLength === 0;
  }

  write(chunk: Uint8Array): boolean {
    // Corked here, head and piece go out now and together; Node would wait for the end of the tick.
    const { socket } = this.connection;
    socket.cork();
    const more = this.response.write(chunk);
    socket.uncork();
    if (more) return true;
    if (!this.awaitsDrain) {
      this.awaitsDrain = true;
      this.response.once('drain', () => this.onDrain());
    }
    return false;
  }

  end(chunk: Uint8Array | undefined, trailers: readonly string[] | undefined): void {
    if (trailers !== undefined) this.response.addTrailers(pairs(trailers));
    if (chunk === undefined) this.response.end();
    else this.response.end(chunk);
  }

  destroy(): void {
    this.connection.socket.destroy();
  }

  switchProtocols(): Duplex {
    throw new Error('This exchange cannot switch protocols');
  }

  malformed(status: number): void {
    this.last = true;
    this.failed = status;
    this.handler?.requestFailed(status);
  }

  sweep(now: number): void {
    if (this.reading) this.sweepBody(now - this.bodyMovedAt);
    // A client that takes nothing for long enough is gone, and one that takes next to nothing means no good.
    const { socket, limits } = this.connection;
    if (this.writeStall.dripsFor(socket, limits.responseStallBytes, now) > limits.responseStallMs) socket.destroy();
  }

  /** Whether the connection may serve another request after this answer. */
  private get staysOpen(): boolean {
    // A client that was not told to send its body may leave it out, or not: what comes next cannot be known.
    const uncertain = this.awaitsContinue && !this.request.complete;
    return !this.last && !this.connection.closing && this.response.shouldKeepAlive && !uncertain;
  }

  /** Of a client that has closed its sending side, Node's server would take the answer for the last one that is due. */
  private get mayWriteWhole(): boolean {
    return this.staysOpen && this.request.complete && !this.connection.socket.readableEnded;
  }

  /**
   * Writes a whole answer past Node's ServerResponse: its streams, and its checks of headers that were checked when they were read, cost a
   * tenth of a request. Node's server goes on to the next request once the response says `finish`, which it does here when the network has
   * taken everything; if the connection breaks before, it closes the response as any other.
   */
  private writeWhole(text: string): void {
    writeTogether(this.connection.socket, text, (error) => {
      if (error) return;
      this.wroteWhole = true;
      this.response.emit('finish');
    });
  }

  private sweepBody(silentMs: number): void {
    const { continueMs, requestBodyStallMs, requestStallMs } = this.connection.limits;
    if (this.readPaused) {
      if (silentMs <= requestStallMs) return;
      this.reading = false;
      this.last = true;
      this.handler?.requestStuck();
    } else if (this.awaitsContinue && silentMs > continueMs && !this.response.headersSent) {
      this.proceed();
    } else if (silentMs > requestBodyStallMs) {
      this.reading = false;
      this.last = true;
      this.handler?.requestFailed(408);
    }
  }

  private proceed(): void {
    this.awaitsContinue = false;
    this.bodyMovedAt = performance.now();
    this.response.writeContinue();
  }

  private onDrain(): void {
    this.awaitsDrain = false;
    this.handler?.clientDrained();
  }

  private onClose(): void {
    const handler = this.handler;
    this.handler = undefined;
    if (this.readPaused) this.request.resume();
    handler?.clientClosed(this.wroteWhole || this.response.writableFinished);
    this.connection.leave(this);
  }
}

function pairs(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at] as string, fields[at + 1] as string]);
  return pairs;
}
