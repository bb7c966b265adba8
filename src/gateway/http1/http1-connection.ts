import type { Socket } from 'node:net';
import type { ClientConnection } from '../client-connections.ts';
import { type Downstream, downstreamOf } from '../downstream.ts';
import { HalfClosed } from '../half-closed.ts';
import { DRAIN_IDLE_MS, type GatewayLimits } from '../limits.ts';
import type { TransportHandler } from '../transport.ts';
import { bareReply } from './bare-reply.ts';
import { type ExchangePlace, Http1Exchange } from './http1-exchange.ts';
import { type ReceivedHead, RequestParser } from './request-parser.ts';

/**
 * One client connection of HTTP/1.1. It reads one request, and no further until that is answered: answers keep their order, what is
 * pipelined waits in the client's and the system's buffers, and what comes after a malformed request is never looked at.
 */
export class Http1Connection implements ClientConnection, ExchangePlace {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly limits: GatewayLimits;
  /** Close after the present answer. */
  closing = false;

  private readonly handler: TransportHandler;
  private readonly parser: RequestParser;
  private current: Http1Exchange | undefined;
  /** Answered, but its body is still coming: read and thrown away for a moment, so that the client sees the answer. */
  private unread: Http1Exchange | undefined;
  /** What was read and not taken. While there is some, nothing more is read. */
  private rest: Buffer | undefined;
  private parsing = false;
  /** Whether a request's head has come. */
  private used = false;
  private freeSince = performance.now();
  /** When the first byte of a head came of which the last has not. */
  private headSince = 0;
  /** Closing by the gateway's own will. */
  private draining = false;
  /** The client knows by the present answer that none follows. */
  private told = false;
  /** What comes from now on is nobody's. */
  private broken = false;
  private tunnel = false;
  private lingering = false;
  /** Since when nothing flows to a client that has sent its FIN. */
  private readonly halfClosed = new HalfClosed();
  private readonly onData = (chunk: Buffer): void => this.received(chunk);

  constructor(socket: Socket, limits: GatewayLimits, handler: TransportHandler, tlsServer: string | undefined) {
    this.socket = socket;
    this.limits = limits;
    this.handler = handler;
    this.downstream = downstreamOf(socket, tlsServer);
    this.parser = new RequestParser(limits);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => this.onHalfClosed());
    socket.on('drain', () => this.current?.drained());
    socket.on('data', this.onData);
    socket.on('close', () => this.onClose());
  }

  get spareSince(): number | undefined {
    const inUse = this.current !== undefined || this.unread !== undefined || this.tunnel || this.lingering;
    return inUse || this.rest !== undefined || this.parser.begun ? undefined : this.freeSince;
  }

  evict(): void {
    this.broken = true;
    this.socket.destroy();
  }

  takeBody(): void {
    this.parse();
  }

  leave(exchange: Http1Exchange): void {
    if (this.current !== exchange) return;
    this.current = undefined;
    if (this.tunnel) return;
    this.freeSince = performance.now();
    // Where the gateway began to close behind the head of this answer, the client may take the connection for one that stays.
    const isLast = this.closing && (this.told || !this.draining || !exchange.bodyComplete);
    if (isLast || this.broken) {
      this.broken = true;
      this.linger();
      return;
    }
    if (!exchange.bodyComplete) {
      this.unread = exchange;
      exchange.discardBody();
    }
    // Requests that were read together are answered one a turn of the event loop: others have theirs between them.
    if (this.rest === undefined) this.parse();
    else setImmediate(() => this.parse());
  }

  becomeTunnel(): Buffer | undefined {
    const { rest } = this;
    this.tunnel = true;
    this.rest = undefined;
    this.socket.removeListener('data', this.onData);
    this.socket.resume();
    return rest;
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

  tellLast(): void {
    this.closing = true;
    this.told = true;
  }

  sweep(now: number): void {
    const { limits, socket } = this;
    if (this.tunnel) {
      this.current?.sweepTunnel(now);
    } else if (this.current !== undefined) {
      if (this.halfClosed.isForsaken(socket, now, limits.halfClosedMs)) socket.destroy();
      else this.current.sweep(now);
    } else if (this.unread !== undefined) {
      if (now - this.freeSince > limits.unreadBodyMs) socket.destroy();
    } else if (this.parser.begun && !this.broken) {
      if (now - this.headSince > limits.requestHeadMs) this.refuse(408);
    } else if (now - this.freeSince > (this.used || this.broken ? limits.clientIdleMs : limits.requestHeadMs)) {
      // A browser opens connections ahead of need: one that was never used needs no answer.
      socket.destroy();
    }
  }

  private onClose(): void {
    this.broken = true;
    this.rest = undefined;
    this.current?.connectionClosed();
  }

  private received(chunk: Buffer): void {
    if (this.broken) return;
    this.rest = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.parse();
  }

  /** Gives what was read to whom it belongs, as far as they take it. */
  private parse(): void {
    // Whoever is given something may ask for more before all has been given.
    if (this.parsing) return;
    this.parsing = true;
    while (this.rest !== undefined && !this.broken && !this.tunnel) {
      const rest = this.rest;
      const taken = this.give(rest);
      if (taken === 0 && this.rest === rest) break;
      this.rest = taken === rest.length ? undefined : rest.subarray(taken);
    }
    this.parsing = false;
    if (this.broken) this.rest = undefined;
    else if (this.closing) this.closeWhenSpare();
    if (this.rest !== undefined && !this.tunnel) this.socket.pause();
    else if (this.socket.isPaused() && (this.current === undefined || this.current.takesBody)) this.socket.resume();
    if (this.halfClosed.hasBegun) this.concludeInput();
  }

  /** Gives the bytes to the body of the request at work, or takes the next head from them. Gives how many were taken. */
  private give(bytes: Buffer): number {
    const receiver = this.unread ?? this.current;
    if (receiver !== undefined) {
      if (receiver.bodyComplete) return 0;
      const taken = receiver.takeBody(bytes);
      if (receiver !== this.unread) return taken;
      if (receiver.bodyFailed) this.giveUp();
      else if (receiver.bodyComplete) this.unread = undefined;
      return taken;
    }
    const wasBegun = this.parser.begun;
    const taken = this.parser.feed(bytes, 0, bytes.length);
    const { head, refusal } = this.parser;
    if (refusal !== undefined) this.refuse(refusal.status);
    else if (head !== undefined) this.enter(head);
    else if (!wasBegun) this.headSince = performance.now();
    return taken;
  }

  private enter(head: ReceivedHead): void {
    this.parser.reset();
    this.used = true;
    if (head.method === 'CONNECT') {
      this.refuse(501);
      return;
    }
    const exchange = new Http1Exchange(head, this);
    this.current = exchange;
    this.handler.exchange(exchange);
  }

  /** Answers bytes that are no request. */
  private refuse(status: number): void {
    this.broken = true;
    this.handler.refused(status, this.downstream);
    this.linger(bareReply(status));
  }

  /** The answer was given before its request turned out to be none: nothing more is read. */
  private giveUp(): void {
    this.unread = undefined;
    this.broken = true;
    this.linger();
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

  /** Such a client may still want its answers; one that is gone looks just the same. */
  private onHalfClosed(): void {
    if (this.tunnel || this.lingering) return;
    if (this.current !== undefined && this.limits.halfClosedMs === 0) {
      this.socket.destroy();
      return;
    }
    this.halfClosed.begin(this.socket, performance.now());
    this.concludeInput();
  }

  /** Nothing follows what was read: once all of it has been taken, what has not come will not come. */
  private concludeInput(): void {
    if (this.rest !== undefined || this.tunnel || this.broken) return;
    if (this.current !== undefined) {
      if (!this.current.bodyComplete) this.current.failBody(400);
    } else if (this.unread !== undefined) {
      this.giveUp();
    } else if (this.parser.begun) {
      this.refuse(400);
    } else {
      // Still spare, so that a new connection may have its place at once.
      this.broken = true;
      this.socket.destroySoon();
    }
  }

  /**
   * Ends our side, after `reply` if there is one, then reads on for a moment: closing with bytes unread would reset the connection
   * and take the answer with it (RFC 9112 section 9.6).
   */
  private linger(reply?: string): void {
    const { socket } = this;
    if (this.lingering) return;
    this.lingering = true;
    this.freeSince = performance.now();
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    // Nothing more can come.
    if (socket.readableEnded) {
      if (reply !== undefined) socket.write(reply, 'latin1');
      socket.destroySoon();
      return;
    }
    socket.once('finish', () => {
      const timer = setTimeout(() => socket.destroy(), this.limits.unreadBodyMs);
      socket.once('close', () => clearTimeout(timer));
    });
    socket.once('end', () => socket.destroySoon());
    if (reply === undefined) socket.end();
    else socket.end(reply, 'latin1');
    socket.resume();
  }
}
