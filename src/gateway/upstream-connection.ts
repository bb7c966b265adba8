import { Socket } from 'node:net';
import type { Endpoint } from '../core/routing/selection.ts';
import { type GatewayLimits, UPSTREAM_IDLE_MARGIN_MS } from './limits.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import { socketAddress } from './socket-address.ts';
import { lastChunk } from './trailers.ts';
import { writeTogether } from './write-together.ts';

/** Why an upstream gave no (whole) response: never connected, connected too slowly, closed or reset before its response began, or spoke no valid HTTP. */
export type UpstreamFailure = 'connect' | 'connect-timeout' | 'closed' | 'protocol';

/** The request that a connection works for. */
export interface UpstreamUser extends ResponseSink {
  /** A connection that had to be opened stands now. */
  upstreamConnected(): void;
  /** All that one read brought has been handed over. False: read no more until `resume()`. */
  upstreamReadDone(): boolean;
  /** After `write` gave false: more may be written. */
  upstreamDrained(): void;
  /** The end of this use: nothing follows, and the connection is gone. */
  upstreamFailed(failure: UpstreamFailure, detail: string): void;
}

/** The upstream's end of a tunnel (after 101). */
export interface TunnelUser {
  /** The bytes may be kept. False: read no more until `resume()`. */
  tunnelData(chunk: Uint8Array): boolean;
  tunnelDrained(): void;
  tunnelEnded(): void;
  /** `broken`: reset, rather than ended. */
  tunnelClosed(broken: boolean): void;
}

/** Where a connection reports to when a request no longer needs it. */
export interface ConnectionOwner {
  readonly limits: GatewayLimits;
  released(connection: UpstreamConnection, reusable: boolean): void;
  closed(connection: UpstreamConnection): void;
}

const FIRST_BUFFER = 16 * 1024;
const FULL_BUFFER = 128 * 1024;
/** Smaller pieces are copied out of the read buffer rather than pinning it. */
const COPY_BELOW = 8 * 1024;

/**
 * One TCP connection to an endpoint: at most one request at a time, over and over. Reads into a buffer of its own, which is
 * replaced as soon as a piece of it has been handed to someone who may keep it (`keep`), so no byte is read over.
 */
export class UpstreamConnection {
  connected = false;
  /** Whether an earlier request was answered here: its closing now may just be an idle timeout that crossed our request. */
  reused = false;
  /** Whether any byte of the present response came. */
  answered = false;
  /** On `performance.now()`'s clock. */
  idleSince = 0;
  /** How long the connection may stay unused. */
  idleMs = 0;
  readonly openedAt: number;
  /** Our end, `address:port`, once it has connected. */
  localAddress: string | undefined;

  private readonly owner: ConnectionOwner;
  private readonly socket: Socket;
  private readonly parser: ResponseParser;
  private user: UpstreamUser | undefined;
  private tunnel: TunnelUser | undefined;
  private buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER);
  private bufferKept = false;
  private requestComplete = false;
  private closed = false;
  private timedOut = false;
  private failureDetail = '';

  constructor(owner: ConnectionOwner, endpoint: Endpoint, now: number) {
    this.owner = owner;
    this.openedAt = now;
    this.parser = new ResponseParser(owner.limits);
    this.socket = new Socket({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: owner.limits.tcpKeepAliveMs,
      allowHalfOpen: true,
      onread: { buffer: () => this.nextBuffer(), callback: (length, buffer) => this.onRead(buffer as Buffer, length) },
    });
    this.socket.on('connect', () => this.onConnect());
    this.socket.on('drain', () => this.onDrain());
    this.socket.on('end', () => this.onEnd());
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failureDetail = error.code ?? error.message;
    });
    this.socket.on('close', () => this.onClose());
    this.open(endpoint);
  }

  /**
   * Sends the head of a request, and with it what body is written before this turn of the event loop ends.
   * `head` is latin1 text up to and including the empty line.
   */
  begin(user: UpstreamUser, head: string, toHead: boolean, upgradeAsked: boolean, hasBody: boolean): void {
    this.user = user;
    this.answered = false;
    this.requestComplete = !hasBody;
    this.parser.begin(user, toHead, upgradeAsked);
    writeTogether(this.socket, head);
  }

  /** Writes body or tunnel bytes; false: wait for `upstreamDrained` or `tunnelDrained`. */
  write(chunk: Uint8Array): boolean {
    return this.socket.write(chunk);
  }

  /** Writes one piece of a body in chunked coding. */
  writeChunk(chunk: Uint8Array): boolean {
    this.socket.cork();
    this.socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.socket.write(chunk);
    const more = this.socket.write('\r\n', 'latin1');
    this.socket.uncork();
    return more;
  }

  /** The request has been written completely. `trailers`: name, value, ..., for a chunked body only. */
  endRequest(chunked: boolean, trailers: readonly string[] | undefined): void {
    if (chunked) this.socket.write(lastChunk(trailers), 'latin1');
    this.requestComplete = true;
  }

  /** Half-closes a tunnel. */
  endTunnel(): void {
    this.socket.end();
  }

  /** Turns the connection, after its 101, into a tunnel that belongs to `tunnel` for good. */
  becomeTunnel(tunnel: TunnelUser): void {
    this.user = undefined;
    this.tunnel = tunnel;
  }

  /** Reads on after a pause. */
  resume(): void {
    this.socket.resume();
  }

  /** Bytes of the present read that somebody may hold on to. */
  keep(buffer: Buffer, start: number, end: number): Buffer {
    if (end - start < COPY_BELOW) return Buffer.from(buffer.subarray(start, end));
    this.bufferKept = true;
    return buffer.subarray(start, end);
  }

  /** What `keep` gave out during the present read is no longer in use. */
  reuse(): void {
    this.bufferKept = false;
  }

  /** Gives the connection up without a word to its user: the client is gone, or a deadline passed. */
  abandon(): void {
    this.user = undefined;
    this.tunnel = undefined;
    this.parser.abandon();
    this.socket.destroy();
    this.markClosed();
  }

  /** Resets a tunnel whose other side broke: a mere close would look like the regular end of its data. */
  resetTunnel(): void {
    this.tunnel = undefined;
    this.socket.resetAndDestroy();
    this.markClosed();
  }

  /** Gives up an attempt to connect that takes too long. */
  abandonConnect(): void {
    this.timedOut = true;
    this.socket.destroy();
  }

  private open({ address, port }: Endpoint): void {
    try {
      this.socket.connect({ host: address, port });
    } catch (error) {
      // No such address or port. Told as any failure to connect is, since whoever asked for the connection has yet to use it.
      this.socket.destroy(error as Error);
    }
  }

  private nextBuffer(): Buffer {
    if (this.bufferKept) {
      this.bufferKept = false;
      this.buffer = Buffer.allocUnsafeSlow(this.buffer.length);
    }
    return this.buffer;
  }

  private onRead(buffer: Buffer, length: number): boolean {
    // A full buffer means that more is waiting: the next one is larger.
    if (length === buffer.length && length < FULL_BUFFER) this.buffer = Buffer.allocUnsafeSlow(FULL_BUFFER);
    if (this.tunnel !== undefined) return this.tunnel.tunnelData(this.keep(buffer, 0, length));
    const user = this.user;
    if (user === undefined) {
      // Nobody asked: the connection cannot be trusted with another request.
      this.abandon();
      return false;
    }
    this.answered = true;
    const used = this.parser.feed(buffer, length);
    switch (this.parser.state) {
      case 'failed':
        this.fail('protocol', this.parser.failure ?? '');
        return false;
      case 'idle':
        this.complete(used === length);
        return true;
      case 'tunnel':
        return this.enteredTunnel(buffer, used, length);
      default:
        return this.user === undefined ? false : user.upstreamReadDone();
    }
  }

  private enteredTunnel(buffer: Buffer, used: number, length: number): boolean {
    const tunnel = this.tunnel as TunnelUser | undefined;
    if (tunnel === undefined) return false;
    return used < length ? tunnel.tunnelData(this.keep(buffer, used, length)) : true;
  }

  /** The response has ended; `clean`: nothing came after it. */
  private complete(clean: boolean): void {
    if (this.user === undefined) return;
    this.user = undefined;
    const reusable = clean && this.requestComplete && this.parser.keepAlive && this.socket.writableLength === 0;
    if (!reusable) {
      this.socket.destroy();
      this.markClosed();
      return;
    }
    this.reused = true;
    const asked = this.parser.keepAliveMs;
    const { upstreamIdleMs, upstreamIdleMaximumMs } = this.owner.limits;
    this.idleMs = asked === undefined ? upstreamIdleMs : Math.min(asked - UPSTREAM_IDLE_MARGIN_MS, upstreamIdleMaximumMs);
    this.owner.released(this, this.idleMs > 0);
  }

  private onConnect(): void {
    this.connected = true;
    this.localAddress = socketAddress(this.socket.localAddress, this.socket.localPort);
    this.user?.upstreamConnected();
  }

  private onDrain(): void {
    if (this.tunnel !== undefined) this.tunnel.tunnelDrained();
    else this.user?.upstreamDrained();
  }

  private onEnd(): void {
    if (this.tunnel !== undefined) {
      this.tunnel.tunnelEnded();
      return;
    }
    if (this.user === undefined) this.abandon();
    else if (this.parser.finish()) this.complete(false);
    else this.fail(this.closure, 'connection termination');
  }

  private onClose(): void {
    const tunnel = this.tunnel;
    this.tunnel = undefined;
    tunnel?.tunnelClosed(this.failureDetail !== '');
    if (!this.connected) this.fail(this.timedOut ? 'connect-timeout' : 'connect', this.failureDetail);
    else this.fail(this.closure, this.failureDetail);
  }

  /** As Envoy has it, a response that has begun and does not end breaks the protocol, whatever became of the connection. */
  private get closure(): UpstreamFailure {
    return this.parser.begun ? 'protocol' : 'closed';
  }

  private fail(failure: UpstreamFailure, detail: string): void {
    const user = this.user;
    this.user = undefined;
    this.parser.abandon();
    this.socket.destroy();
    this.markClosed();
    user?.upstreamFailed(failure, detail);
  }

  private markClosed(): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.closed(this);
  }
}
