import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { serverForName, type TlsServer } from '../../core/routing/tls-server.ts';
import { type ClientConnection, ClientConnections } from '../client-connections.ts';
import type { ConnectionLimit, LimitedConnection } from '../connection-limit.ts';
import { Http1Connection } from '../http1/http1-connection.ts';
import { Http2Connection } from '../http2/http2-connection.ts';
import type { GatewayLimits } from '../limits.ts';
import { listenAt } from '../listen-at.ts';
import type { Transport, TransportHandler } from '../transport.ts';
import { MAXIMUM_HELLO, readClientHello } from './client-hello.ts';
import type { Credentials } from './credentials.ts';
import { TlsHost } from './tls-host.ts';

/** Servers whose credentials were looked for. One of the two is to be called, once. */
export interface PreparedServers {
  /** Connections are made with these. Those made with one that is no longer there, or has changed, close after the answer at work. */
  commit(): void;
  abandon(): void;
}

/** The client's side over TLS: which server of the port a client gets, it says in its first message. */
export class TlsTransport implements Transport {
  readonly closed: Promise<void>;

  private readonly limits: GatewayLimits;
  private readonly credentials: Credentials;
  private readonly room: ConnectionLimit;
  private readonly server: Server;
  private readonly handler: TransportHandler;
  private readonly connections: ClientConnections;
  /** By `id` of the server. */
  private hosts = new Map<string, TlsHost>();
  /** Connections whose handshake is not over, by the address of the client. */
  private readonly arriving = new Map<string, Arriving>();

  constructor(handler: TransportHandler, limits: GatewayLimits, room: ConnectionLimit, credentials: Credentials) {
    this.limits = limits;
    this.credentials = credentials;
    this.room = room;
    this.handler = handler;
    this.connections = new ClientConnections(room);
    this.server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.tcpKeepAliveMs },
      (socket) => this.onConnection(socket),
    );
    this.closed = new Promise((resolve) => this.server.once('close', resolve));
  }

  listen(port: number, host: string, shared?: boolean): Promise<number> {
    return listenAt(this.server, port, host, shared);
  }

  /** Gets these servers ready to take the place of those before. */
  async prepare(servers: readonly TlsServer[]): Promise<PreparedServers> {
    const next = new Map<string, TlsHost>();
    const opened: TlsHost[] = [];
    for (const spec of servers) {
      const known = this.hosts.get(spec.id);
      const host = known ?? new TlsHost(spec, this.limits, (socket) => this.onSecure(socket, spec.id));
      next.set(spec.id, host);
      if (known === undefined) opened.push(host);
    }
    await Promise.all(opened.map((host) => host.start(this.credentials)));
    return {
      commit: () => {
        const before = this.hosts;
        this.hosts = next;
        for (const [id, host] of before) {
          if (next.has(id)) continue;
          host.close();
          this.connections.drainServer(id);
        }
      },
      abandon: () => {
        for (const host of opened) host.close();
      },
    };
  }

  drain(): void {
    if (this.server.listening) this.server.close();
    for (const host of this.hosts.values()) host.close();
    for (const { socket } of this.arriving.values()) socket.destroy();
    this.connections.drain();
  }

  cut(): void {
    this.drain();
    this.connections.cut();
  }

  sweep(now: number): void {
    for (const { socket, spareSince } of this.arriving.values()) if (now - spareSince > this.limits.tlsHandshakeMs) socket.destroy();
    this.connections.sweep(now);
  }

  private onConnection(socket: Socket): void {
    const arriving = new Arriving(socket);
    if (!this.room.add(arriving)) {
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    this.arriving.set(peer, arriving);
    socket.on('close', () => this.arrived(peer, arriving));
    socket.on('error', () => socket.destroy());
    socket.on('end', onEnd);
    let received = Buffer.alloc(0);
    const onReadable = (): void => {
      for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) received = Buffer.concat([received, chunk]);
      const hello = readClientHello(received);
      if (hello === 'incomplete' && received.length < 2 * MAXIMUM_HELLO) return;
      socket.removeListener('readable', onReadable);
      socket.removeListener('end', onEnd);
      const spec = typeof hello === 'string' ? undefined : serverForName(this.specs, hello.serverName);
      const host = spec && this.hosts.get(spec.id);
      if (host === undefined) {
        // As Envoy, which has no filter chain for it: without an alert.
        socket.destroy();
        return;
      }
      socket.unshift(received);
      host.accept(socket);
    };
    socket.on('readable', onReadable);
  }

  private get specs(): readonly TlsServer[] {
    return [...this.hosts.values()].map(({ spec }) => spec);
  }

  private onSecure(socket: TLSSocket, id: string): void {
    const peer = peerOf(socket);
    const arriving = this.arriving.get(peer);
    if (arriving !== undefined) this.arrived(peer, arriving);
    // The server may have changed during the handshake.
    if (!this.hosts.has(id)) socket.destroy();
    else this.connections.add(this.connectionOf(socket, id));
  }

  private connectionOf(socket: TLSSocket, id: string): ClientConnection {
    const Connection = socket.alpnProtocol === 'h2' ? Http2Connection : Http1Connection;
    return new Connection(socket, this.limits, this.handler, id);
  }

  private arrived(peer: string, arriving: Arriving): void {
    if (this.arriving.get(peer) === arriving) this.arriving.delete(peer);
    this.room.remove(arriving);
  }
}

/** A connection whose handshake is not over: nobody waits for anything on it. */
class Arriving implements LimitedConnection {
  readonly socket: Socket;
  readonly spareSince = performance.now();

  constructor(socket: Socket) {
    this.socket = socket;
  }

  evict(): void {
    this.socket.destroy();
  }
}

function onEnd(this: Socket): void {
  this.destroy();
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
