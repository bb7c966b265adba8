import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ClientConnection } from '../client-connections.ts';
import { type Downstream, downstreamOf } from '../downstream.ts';
import { HalfClosed } from '../half-closed.ts';
import type { GatewayLimits } from '../limits.ts';
import type { TransportHandler } from '../transport.ts';
import { type ExchangePlace, Http2Exchange } from './http2-exchange.ts';
import { readHttp2Head } from './request-head.ts';

const END_STREAM = constants.NGHTTP2_FLAG_END_STREAM;
/** After a GOAWAY a connection without streams has this long to close, ms. */
const GOAWAY_MS = 1000;

/** One HTTP/2 connection: its streams, one exchange each, over Node's nghttp2. */
export class Http2Connection implements ClientConnection, ExchangePlace {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly limits: GatewayLimits;

  private readonly handler: TransportHandler;
  private readonly session: ServerHttp2Session;
  private readonly exchanges = new Set<Http2Exchange>();
  private hadStream = false;
  private freeSince = performance.now();
  private closingSince: number | undefined;
  /** Since when nothing flows to a client that has sent its FIN. */
  private readonly halfClosed = new HalfClosed();

  constructor(socket: Socket, limits: GatewayLimits, handler: TransportHandler, tlsServer: string | undefined) {
    this.socket = socket;
    this.limits = limits;
    this.downstream = downstreamOf(socket, tlsServer);
    this.handler = handler;
    this.session = performServerHandshake(socket, {
      // Each crumb of a cookie is a line, and each line counts 32 bytes more (RFC 9113 section 6.5.2): the true bounds are looked at afterwards.
      maxHeaderListPairs: 4 * limits.requestHeaderCount,
      settings: {
        enablePush: false,
        maxConcurrentStreams: limits.http2Streams,
        maxHeaderListSize: limits.requestHeadBytes + 32 * 4 * limits.requestHeaderCount,
      },
    });
    this.session.on('error', () => undefined);
    socket.once('end', () => this.onHalfClosed());
    this.session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: string[]) =>
      this.onStream(stream, (flags & END_STREAM) !== 0, raw),
    );
  }

  get spareSince(): number | undefined {
    return this.exchanges.size === 0 ? this.freeSince : undefined;
  }

  evict(): void {
    this.session.destroy();
    this.socket.destroy();
  }

  /** Tells the client to go elsewhere; the streams at work are answered. */
  drain(): void {
    if (this.closingSince !== undefined) return;
    this.closingSince = performance.now();
    if (!this.session.closed) this.session.close();
  }

  sweep(now: number): void {
    for (const exchange of this.exchanges) exchange.sweep(now);
    if (this.exchanges.size > 0) {
      if (this.halfClosed.isForsaken(this.socket, now, this.limits.halfClosedMs)) this.evict();
      return;
    }
    const silentMs = now - this.freeSince;
    if (this.closingSince !== undefined) {
      if (now - Math.max(this.closingSince, this.freeSince) > GOAWAY_MS) this.socket.destroy();
    } else if (silentMs > (this.hadStream ? this.limits.clientIdleMs : this.limits.requestHeadMs)) {
      this.drain();
    }
  }

  leave(exchange: Http2Exchange): void {
    this.exchanges.delete(exchange);
    if (this.exchanges.size === 0) this.freeSince = performance.now();
  }

  /** Such a client may still want its answers; one that is gone looks just the same. */
  private onHalfClosed(): void {
    if (this.exchanges.size > 0 && this.limits.halfClosedMs === 0) {
      this.evict();
      return;
    }
    this.halfClosed.begin(this.socket, performance.now());
    for (const exchange of this.exchanges) exchange.connectionEnded();
    // What has been written still goes out.
    this.drain();
  }

  private onStream(stream: ServerHttp2Stream, ended: boolean, raw: readonly string[]): void {
    this.hadStream = true;
    // Resets are seen at `close`.
    stream.on('error', () => undefined);
    const head = readHttp2Head(raw, ended, this.downstream.scheme, this.limits);
    if ('refused' in head) {
      this.freeSince = performance.now();
      this.refuse(stream, head.refused);
      return;
    }
    const exchange = new Http2Exchange(stream, head, ended, this);
    this.exchanges.add(exchange);
    this.handler.exchange(exchange);
  }

  private refuse(stream: ServerHttp2Stream, status: 'reset' | number): void {
    this.handler.refused(status === 'reset' ? 400 : status, this.downstream);
    if (stream.closed) return;
    if (status === 'reset') {
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    stream.respond({ ':status': status, server: 'perch' }, { endStream: true });
    if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
  }
}
