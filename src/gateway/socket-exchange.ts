import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientConnection, QueuedExchange } from './client-connection.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import { informationText } from './local-reply.ts';
import { responseHeadText } from './response-text.ts';
import { lastChunk } from './trailers.ts';
import { WriteStall } from './write-stall.ts';

/**
 * An exchange that asked to switch protocols. Node's HTTP server has let go of the socket by then, so the answer is
 * written here; the connection closes after any answer but 101.
 */
export class SocketExchange implements ClientExchange, QueuedExchange {
  readonly upgradable = true;
  readonly bodyComplete = true;

  private readonly request: IncomingMessage;
  private readonly socket: Duplex;
  private readonly connection: ClientConnection;
  private readonly start: (exchange: ClientExchange) => void;
  private handler: ExchangeHandler | undefined;
  private chunked = false;
  /** The answer has no body, whatever is written. */
  private bodyless: boolean;
  private ended = false;
  private switched = false;
  private readonly writeStall = new WriteStall();
  /** Since when nothing was read of a client that is paused, because the upstream takes nothing. */
  private readMovedAt = 0;
  private lastRead = 0;

  constructor(request: IncomingMessage, connection: ClientConnection, start: (exchange: ClientExchange) => void) {
    this.request = request;
    this.socket = connection.socket;
    this.connection = connection;
    this.start = start;
    this.bodyless = request.method === 'HEAD';
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

  begin(): void {
    this.start(this);
  }

  attach(handler: ExchangeHandler): void {
    this.handler = handler;
    this.socket.on('drain', () => this.handler?.clientDrained());
    this.socket.on('finish', () => {
      if (!this.switched) this.close(this.ended);
    });
    this.socket.on('close', () => this.close(this.switched || (this.ended && this.socket.writableFinished)));
  }

  // An upgrade with a body is not treated as an upgrade (node-http-transport.ts).
  startBody(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
  // It closes after any answer.
  closeAfterAnswer(): void {}

  inform(status: number, reason: string, fields: readonly string[]): void {
    // No body, so nobody waits for a 100.
    if (status !== 100) this.socket.write(informationText(status, reason, fields), 'latin1');
  }

  respond(status: number, reason: string, fields: string[], body: string | Uint8Array | undefined): void {
    this.socket.cork();
    this.respondHead(status, reason, fields);
    this.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body, undefined);
    this.socket.uncork();
  }

  respondHead(status: number, reason: string, fields: string[]): void {
    this.bodyless ||= status === 204 || status === 304;
    this.chunked = !this.bodyless && !fields.includes('content-length');
    if (this.chunked) fields.push('transfer-encoding', 'chunked');
    fields.push('connection', 'close');
    this.socket.write(responseHeadText(status, reason, fields), 'latin1');
  }

  flushHead(): void {}

  get flushed(): boolean {
    return this.socket.writableLength === 0;
  }

  write(chunk: Uint8Array): boolean {
    if (this.bodyless) return true;
    if (!this.chunked) return this.socket.write(chunk);
    this.socket.cork();
    this.socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.socket.write(chunk);
    const more = this.socket.write('\r\n', 'latin1');
    this.socket.uncork();
    return more;
  }

  end(chunk: Uint8Array | undefined, trailers: readonly string[] | undefined): void {
    if (chunk !== undefined && chunk.length > 0) this.write(chunk);
    this.ended = true;
    if (this.chunked) this.socket.end(lastChunk(trailers), 'latin1');
    else this.socket.end();
    // Node no longer watches the socket: without this, a client that never closes its side would keep it for ever.
    this.connection.tellLast();
  }

  destroy(): void {
    this.socket.destroy();
  }

  switchProtocols(reason: string, fields: string[]): Duplex {
    this.switched = true;
    this.connection.becomeTunnel();
    this.socket.write(responseHeadText(101, reason, fields), 'latin1');
    return this.socket;
  }

  malformed(): void {
    this.socket.destroy();
  }

  sweep(now: number): void {
    const { socket, limits } = this.connection;
    if (!socket.isPaused() || socket.bytesRead !== this.lastRead) {
      this.readMovedAt = now;
      this.lastRead = socket.bytesRead;
    }
    const stalled = this.writeStall.lasts(socket, now) > limits.responseStallMs || now - this.readMovedAt > limits.requestStallMs;
    if (stalled) socket.destroy();
  }

  private close(finished: boolean): void {
    const handler = this.handler;
    if (handler === undefined) return;
    this.handler = undefined;
    handler.clientClosed(finished);
    this.connection.leave(this);
  }
}
