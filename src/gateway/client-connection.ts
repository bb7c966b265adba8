import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { LimitedConnection } from './connection-limit.ts';
import { HalfClosed } from './half-closed.ts';
import { DRAIN_IDLE_MS, type GatewayLimits } from './limits.ts';
import { plainAddress, socketAddress } from './socket-address.ts';

/** An exchange as its connection sees it. */
export interface QueuedExchange {
  /** Whether its request has been received to the end. */
  readonly bodyComplete: boolean;
  /** Its turn has come. */
  begin(): void;
  /** Its body is not HTTP: `status` is the answer. */
  malformed(status: number): void;
  /** Looks at the exchange's own deadlines. `now`: `performance.now()`. */
  sweep(now: number): void;
}

/**
 * One client connection. Node parses pipelined requests ahead; here they wait, so that one connection has one request at
 * work, answers keep their order, and what comes after a malformed request is never looked at.
 */
export class ClientConnection implements LimitedConnection {
  readonly socket: Socket;
  readonly remoteAddress: string;
  /** Both ends, `address:port`; undefined where the client left before they could be read. */
  readonly peer: string | undefined;
  readonly local: string | undefined;
  /** What the client asked for by SNI. */
  readonly serverName: string | undefined;
  readonly limits: GatewayLimits;
  /** `id` of the TLS server that it was made with; undefined without TLS. */
  readonly tlsServer: string | undefined;
  /** Close after the present answer. */
  closing = false;
  /** What is being parsed came with an upgrade that is served as a plain request. */
  behindUpgrade = false;

  private current: QueuedExchange | undefined;
  private readonly waiting: QueuedExchange[] = [];
  /** Answered, but its body is still coming: read and thrown away for a moment, so that the client sees the answer. */
  private unread: QueuedExchange | undefined;
  private freeSince = performance.now();
  /** What had been read then. */
  private readThen = 0;
  /** When reading went on after requests had waited. */
  private resumedAt = Number.NEGATIVE_INFINITY;
  private lastReply: string | undefined;
  /** Closing by the gateway's own will. */
  private draining = false;
  /** The client knows by the present answer that none follows. */
  private told = false;
  private broken = false;
  private tunnel = false;
  private lingering = false;
  /** Since when nothing flows to a client that has sent its FIN. */
  private readonly halfClosed = new HalfClosed();

  constructor(socket: Socket, limits: GatewayLimits, tlsServer?: string) {
    this.socket = socket;
    this.limits = limits;
    this.remoteAddress = plainAddress(socket.remoteAddress ?? '');
    this.peer = socketAddress(socket.remoteAddress, socket.remotePort);
    this.local = socketAddress(socket.localAddress, socket.localPort);
    this.serverName = socket instanceof TLSSocket && typeof socket.servername === 'string' ? socket.servername : undefined;
    this.tlsServer = tlsServer;
    socket.once('end', () => this.onHalfClosed());
  }

  /** Whether a request is at work. */
  get busy(): boolean {
    return this.current !== undefined;
  }

  /** Whether a head that is not there yet may be the gateway's fault, which does not read on while requests wait. */
  get heldBack(): boolean {
    return this.waiting.length > 0 || performance.now() - this.resumedAt < this.limits.requestHeadMs;
  }

  get spareSince(): number | undefined {
    const isSpare = this.current === undefined && this.unread === undefined && !this.tunnel && !this.lingering;
    return isSpare && this.socket.bytesRead === this.readThen ? this.freeSince : undefined;
  }

  evict(): void {
    this.broken = true;
    this.socket.destroy();
  }

  /** A request's head has been read. */
  enter(exchange: QueuedExchange): void {
    if (this.broken) return;
    this.unread = undefined;
    if (this.current === undefined) {
      this.current = exchange;
      exchange.begin();
      return;
    }
    if (this.waiting.length >= this.limits.pipelinedRequests) {
      this.socket.destroy();
      return;
    }
    this.waiting.push(exchange);
    // Node starts reading again at the end of the message that is being parsed, so the pause has to come after it.
    setImmediate(() => {
      if (this.waiting.length > 0 && !this.tunnel) this.socket.pause();
    });
  }

  /** The answer to `exchange` is complete. */
  leave(exchange: QueuedExchange): void {
    if (this.current !== exchange) return;
    this.current = undefined;
    if (this.tunnel) return;
    // Where the gateway began to close behind the head of this answer, the client may take the connection for one that stays.
    const isLast = this.closing && (this.told || !this.draining || !exchange.bodyComplete);
    const next = isLast ? undefined : this.waiting.shift();
    if (next !== undefined) {
      this.current = next;
      if (this.waiting.length === 0) {
        this.resumedAt = performance.now();
        this.socket.resume();
      }
      next.begin();
      return;
    }
    this.freeSince = performance.now();
    this.readThen = this.socket.bytesRead;
    if (this.lastReply !== undefined && !isLast) {
      this.linger(this.lastReply);
    } else if (isLast || this.halfClosed.hasBegun) {
      // What is read from here on is nobody's request any more.
      this.broken = true;
      this.linger();
    } else if (!exchange.bodyComplete) {
      this.unread = exchange;
    } else if (this.closing) {
      this.closeWhenSpare();
    }
  }

  /**
   * What was read is not HTTP. Inside a body the request that it belongs to is told `status`; between requests `reply` (the
   * bytes of a response) is sent, after the answers that are still due. True where it is `reply` that the client gets.
   */
  malformed(status: number, reply: string): boolean {
    if (this.broken) return false;
    this.broken = true;
    const last = this.waiting.at(-1) ?? this.current ?? this.unread;
    if (last !== undefined && !last.bodyComplete) {
      if (last === this.unread) this.socket.destroy();
      else last.malformed(status);
      return false;
    }
    if (this.current === undefined) this.linger(reply);
    else this.lastReply = reply;
    return true;
  }

  /** From now on the socket belongs to the current exchange. */
  becomeTunnel(): void {
    this.tunnel = true;
  }

  /**
   * The present answer is the last, and the rest of the request, or another one, may still be coming. Whoever closes the socket
   * afterwards (Node does, or `leave`) ends our side only, and reading goes on for a moment (RFC 9112 section 9.6).
   */
  keepReading(): void {
    this.tellLast();
    this.socket.destroySoon = () => this.linger();
  }

  /**
   * Closes as soon as the present answer, if any, is complete. One that has just been answered may have its next request on the way: that is
   * answered, too, if it comes soon, and told that it was the last. Tunnels stay until they are cut.
   */
  drain(): void {
    this.draining ||= !this.closing;
    this.closing = true;
    this.closeWhenSpare();
  }

  /** The present answer says that it is the last one. */
  tellLast(): void {
    this.closing = true;
    this.told = true;
  }

  sweep(now: number): void {
    if (this.tunnel) this.current?.sweep(now);
    else if (this.current !== undefined) {
      if (this.halfClosed.isForsaken(this.socket, now, this.limits.halfClosedMs)) this.socket.destroy();
      else this.current.sweep(now);
    } else if (this.unread !== undefined && !this.unread.bodyComplete) {
      if (now - this.freeSince > this.limits.unreadBodyMs) this.socket.destroy();
    } else if (now - this.freeSince > this.limits.clientIdleMs) {
      this.socket.destroy();
    }
  }

  private closeWhenSpare(): void {
    const since = this.spareSince;
    if (since === undefined) return;
    const waitMs = since + DRAIN_IDLE_MS - performance.now();
    if (waitMs > 0) setTimeout(() => this.closeIfSpare(), waitMs);
    else this.closeIfSpare();
  }

  private closeIfSpare(): void {
    if (this.spareSince === undefined) return;
    this.broken = true;
    this.socket.destroySoon();
  }

  /** The socket is gone. */
  closed(): void {
    this.broken = true;
    this.waiting.length = 0;
  }

  /** Such a client may still want its answers; one that is gone looks just the same. */
  private onHalfClosed(): void {
    if (this.current === undefined || this.tunnel) return;
    if (this.limits.halfClosedMs === 0) {
      this.socket.destroy();
      return;
    }
    this.halfClosed.begin(this.socket, performance.now());
  }

  /**
   * Ends our side, after `reply` if there is one, then reads on for a moment: closing with bytes unread would reset the connection
   * and take the answer with it.
   */
  private linger(reply?: string): void {
    const { socket } = this;
    if (this.lingering) return;
    this.lingering = true;
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    // Nothing more can come.
    if (socket.readableEnded) {
      if (reply !== undefined) socket.write(reply, 'latin1');
      Socket.prototype.destroySoon.call(socket);
      return;
    }
    socket.once('finish', () => {
      const timer = setTimeout(() => socket.destroy(), this.limits.unreadBodyMs);
      socket.once('close', () => clearTimeout(timer));
    });
    socket.once('end', () => Socket.prototype.destroySoon.call(socket));
    if (reply === undefined) socket.end();
    else socket.end(reply, 'latin1');
  }
}
