import { createServer, type Server } from 'node:net';
import { ClientConnections } from '../client-connections.ts';
import type { ConnectionLimit } from '../connection-limit.ts';
import type { GatewayLimits } from '../limits.ts';
import { listenAt } from '../listen-at.ts';
import type { Transport, TransportHandler } from '../transport.ts';
import { Http1Connection } from './http1-connection.ts';

/** The client's side without TLS: HTTP/1.1. */
export class Http1Transport implements Transport {
  readonly closed: Promise<void>;

  private readonly server: Server;
  private readonly connections: ClientConnections;

  /** `room`: how many connections there may be. */
  constructor(handler: TransportHandler, limits: GatewayLimits, room: ConnectionLimit) {
    this.connections = new ClientConnections(room);
    this.server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.tcpKeepAliveMs },
      (socket) => this.connections.add(new Http1Connection(socket, limits, handler, undefined)),
    );
    this.closed = new Promise((resolve) => this.server.once('close', resolve));
  }

  listen(port: number, host: string, shared?: boolean): Promise<number> {
    return listenAt(this.server, port, host, shared);
  }

  drain(): void {
    if (this.server.listening) this.server.close();
    this.connections.drain();
  }

  cut(): void {
    this.drain();
    this.connections.cut();
  }

  sweep(now: number): void {
    this.connections.sweep(now);
  }
}
