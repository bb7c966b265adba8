import { createServer, type Server, type Socket } from 'node:net';
import type { ConnectionLimit } from '../connection-limit.ts';
import type { GatewayLimits } from '../limits.ts';
import { listenAt } from '../listen-at.ts';
import type { Transport, TransportHandler } from '../transport.ts';
import { Http1Connection } from './http1-connection.ts';

/** HTTP/1.1 on a listening socket of its own, or on connections that another server has accepted. */
export class Http1Transport implements Transport {
  readonly closed: Promise<void>;

  private readonly server: Server;
  private readonly handler: TransportHandler;
  private readonly limits: GatewayLimits;
  private readonly room: ConnectionLimit;
  private readonly connections = new Set<Http1Connection>();
  private draining = false;

  /** `room`: how many connections there may be. */
  constructor(handler: TransportHandler, limits: GatewayLimits, room: ConnectionLimit) {
    this.handler = handler;
    this.limits = limits;
    this.room = room;
    this.server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.tcpKeepAliveMs },
      (socket) => this.accept(socket),
    );
    this.closed = new Promise((resolve) => this.server.once('close', resolve));
  }

  listen(port: number, host: string, shared?: boolean): Promise<number> {
    return listenAt(this.server, port, host, shared);
  }

  /** Serves a connection. `tlsServer`: `id` of the TLS server that it was made with; undefined without TLS. */
  accept(socket: Socket, tlsServer?: string): void {
    const connection = new Http1Connection(socket, this.limits, this.handler, tlsServer);
    this.connections.add(connection);
    socket.on('close', () => {
      this.connections.delete(connection);
      this.room.remove(connection);
      connection.closed();
    });
    if (!this.room.add(connection)) connection.evict();
    else if (this.draining) connection.drain();
  }

  /** Connections that were made with this TLS server close after the answer at work. */
  drainServer(tlsServer: string): void {
    for (const connection of this.connections) if (connection.tlsServer === tlsServer) connection.drain();
  }

  drain(): void {
    this.draining = true;
    if (this.server.listening) this.server.close();
    for (const connection of this.connections) connection.drain();
  }

  cut(): void {
    this.drain();
    for (const connection of this.connections) connection.evict();
  }

  sweep(now: number): void {
    for (const connection of this.connections) connection.sweep(now);
  }
}
