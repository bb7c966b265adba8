import type { Socket } from 'node:net';
import type { ConnectionLimit } from '../connection-limit.ts';
import type { GatewayLimits } from '../limits.ts';
import type { TransportHandler } from '../transport.ts';
import { Http2Connection } from './http2-connection.ts';

/** HTTP/2 on connections that another server has accepted. */
export class Http2Transport {
  private readonly handler: TransportHandler;
  private readonly limits: GatewayLimits;
  private readonly room: ConnectionLimit;
  private readonly connections = new Set<Http2Connection>();
  private draining = false;

  constructor(handler: TransportHandler, limits: GatewayLimits, room: ConnectionLimit) {
    this.handler = handler;
    this.limits = limits;
    this.room = room;
  }

  /** `tlsServer`: `id` of the TLS server that the connection was made with. */
  accept(socket: Socket, tlsServer: string | undefined): void {
    const connection = new Http2Connection(socket, this.limits, tlsServer, this.handler);
    this.connections.add(connection);
    socket.on('close', () => {
      this.connections.delete(connection);
      this.room.remove(connection);
    });
    if (!this.room.add(connection)) connection.evict();
    else if (this.draining) connection.drain();
  }

  /** Connections that were made with this TLS server close after the answers at work. */
  drainServer(tlsServer: string): void {
    for (const connection of this.connections) if (connection.tlsServer === tlsServer) connection.drain();
  }

  drain(): void {
    this.draining = true;
    for (const connection of this.connections) connection.drain();
  }

  cut(): void {
    for (const connection of this.connections) connection.evict();
  }

  sweep(now: number): void {
    for (const connection of this.connections) connection.sweep(now);
  }
}
