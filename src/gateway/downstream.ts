import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { plainAddress, socketAddress } from './socket-address.ts';

/** A client's connection, whatever is spoken on it: who is at its two ends, and how it was made. (Downstream is Envoy's word for the client's side.) */
export interface Downstream {
  readonly scheme: 'http' | 'https';
  /** `id` of the TLS server that the connection was made with; undefined without TLS. */
  readonly tlsServer: string | undefined;
  /** Address of the connection's other end. */
  readonly remoteAddress: string;
  /** The connection's other end and ours, `address:port`; undefined where the client left before they could be read. */
  readonly peer: string | undefined;
  readonly local: string | undefined;
  /** The host that the client asked for by SNI; undefined where it did not, or there is no TLS. */
  readonly serverName: string | undefined;
}

/** What is known of a connection that was just accepted. */
export function downstreamOf(socket: Socket, tlsServer: string | undefined): Downstream {
  return {
    scheme: tlsServer === undefined ? 'http' : 'https',
    tlsServer,
    remoteAddress: plainAddress(socket.remoteAddress ?? ''),
    peer: socketAddress(socket.remoteAddress, socket.remotePort),
    local: socketAddress(socket.localAddress, socket.localPort),
    serverName: socket instanceof TLSSocket && typeof socket.servername === 'string' ? socket.servername : undefined,
  };
}
