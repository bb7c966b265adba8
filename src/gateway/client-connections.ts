import type { Socket } from 'node:net';
import type { ConnectionLimit, LimitedConnection } from './connection-limit.ts';
import type { Downstream } from './downstream.ts';

/** A client's connection as its transport sees it. */
export interface ClientConnection extends LimitedConnection {
  readonly socket: Socket;
  readonly downstream: Downstream;
  /** Closes after the answers at work. */
  drain(): void;
  /** Looks at deadlines. `now`: `performance.now()`. */
  sweep(now: number): void;
}

/** The connections of one transport, from their first moment to their last. */
export class ClientConnections {
  private readonly room: ConnectionLimit;
  private readonly connections = new Set<ClientConnection>();
  private draining = false;

  /** `room`: how many there may be. */
  constructor(room: ConnectionLimit) {
    this.room = room;
  }

  /** Takes a new one, or closes it where there is no room. */
  add(connection: ClientConnection): void {
    this.connections.add(connection);
    connection.socket.on('close', () => {
      this.connections.delete(connection);
      this.room.remove(connection);
    });
    if (!this.room.add(connection)) connection.evict();
    else if (this.draining) connection.drain();
  }

  /** Those that were made with this TLS server close after the answers at work. */
  drainServer(tlsServer: string): void {
    for (const connection of this.connections) if (connection.downstream.tlsServer === tlsServer) connection.drain();
  }

  /** They close after the answers at work, and so do those that are yet to come. */
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
