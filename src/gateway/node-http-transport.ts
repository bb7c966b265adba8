import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ClientConnection } from './client-connection.ts';
import type { ClientExchange } from './client-exchange.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { httpDate } from './http-date.ts';
import { LeanMessage } from './lean-message.ts';
import { type GatewayLimits, SWEEP_MS } from './limits.ts';
import { listenAt } from './listen-at.ts';
import { NodeExchange } from './node-exchange.ts';
import { parseBehindUpgrade } from './parse-behind-upgrade.ts';
import { SocketExchange } from './socket-exchange.ts';

/** What a transport hands over. */
export interface TransportHandler {
  exchange(exchange: ClientExchange): void;
  /** Bytes that are not an HTTP request were answered with `status`; there is no exchange to report it. */
  refused(status: number, connection: { readonly peer: string | undefined; readonly local: string | undefined }): void;
}

/** Receives the requests of one listening socket. Another implementation (own parser, HTTP/2) can take its place. */
export interface Transport {
  /** Rejects with the system's error (EADDRINUSE, ...). Gives the port listened on. `shared`: other processes listen there too (SO_REUSEPORT). */
  listen(port: number, host: string, shared?: boolean): Promise<number>;
  /** Accepts no more; connections close after the answer at work. */
  drain(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Resolves when the last connection is gone after `drain` or `cut`. */
  readonly closed: Promise<void>;
  /** Looks at deadlines. `now`: `performance.now()`. */
  sweep(now: number): void;
}

type Answer = readonly [status: number, reason: string];

const BAD_REQUEST: Answer = [400, 'Bad Request'];
const UPGRADE_REQUIRED: Answer = [426, 'Upgrade Required'];
/** llhttp's reason where a version is written as one should be, but is another one; anything else that Node calls an invalid version is 400. */
const OTHER_VERSION = 'Invalid HTTP version';

/** Node's parser errors that are not simply 400. */
const STATUS_OF_ERROR: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['HPE_HEADER_OVERFLOW', [431, 'Request Header Fields Too Large']],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', [413, 'Content Too Large']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'Request Timeout']],
]);

/** Among the protocols of an Upgrade header: HTTP/2, whose requests would pass all routes by. */
const H2C = /(?:^|[\s,])h2c(?:$|[\s,/])/i;

/** Whether the request may become a tunnel: not h2c (Envoy ignores it too), not with a body, and not behind another request. */
function mayTunnel(request: IncomingMessage, connection: ClientConnection): boolean {
  if (connection.busy || connection.behindUpgrade) return false;
  const { headers } = request;
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false;
  return headers.upgrade !== undefined && !H2C.test(headers.upgrade);
}

function bareReply(status: number, reason: string): string {
  const upgrade = status === 426 ? 'upgrade: HTTP/1.1\r\n' : '';
  return `HTTP/1.1 ${status} ${reason}\r\n${upgrade}content-length: 0\r\ndate: ${httpDate()}\r\nserver: perch\r\nconnection: close\r\n\r\n`;
}

/** The client's side over Node's HTTP server. */
export class NodeHttpTransport implements Transport {
  readonly closed: Promise<void>;

  private readonly server: Server;
  private readonly handler: TransportHandler;
  private readonly limits: GatewayLimits;
  private readonly room: ConnectionLimit;
  private readonly connections = new Map<Socket, ClientConnection>();
  private readonly start: (exchange: ClientExchange) => void;
  /** Connections come from `accept`. */
  private injecting = false;
  private draining = false;

  /** `room`: how many connections there may be. */
  constructor(handler: TransportHandler, limits: GatewayLimits, room: ConnectionLimit) {
    this.handler = handler;
    this.limits = limits;
    this.room = room;
    this.start = (exchange) => this.handler.exchange(exchange);
    const server = createServer<typeof LeanMessage>({
      maxHeaderSize: limits.requestHeadBytes,
      requireHostHeader: false,
      insecureHTTPParser: false,
      headersTimeout: limits.requestHeadMs,
      // Long uploads are legitimate; stalled ones are found by `sweep`.
      requestTimeout: 0,
      // Idle connections are found by `sweep`, which costs nothing per request.
      keepAliveTimeout: 0,
      optimizeEmptyRequests: true,
      IncomingMessage: LeanMessage,
      connectionsCheckingInterval: SWEEP_MS,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: limits.tcpKeepAliveMs,
      shouldUpgradeCallback: (request) => this.grantsUpgrade(request),
    });
    // Node would otherwise drop headers above the number without a word.
    server.maxHeadersCount = 0;
    // Node would otherwise end its side as soon as the client ends its own, answered or not.
    Object.assign(server, { httpAllowHalfOpen: true });
    this.server = server;
    this.closed = new Promise((resolve) => {
      server.once('close', () => {
        resolve();
        // Ends its timer.
        server.close();
      });
    });
    server.on('connection', (socket) => this.connectionOf(socket));
    server.on('request', (request, response) => this.onRequest(request, response, false));
    server.on('checkContinue', (request, response) => this.onRequest(request, response, true));
    server.on('checkExpectation', (request, response) => this.onRequest(request, response, false));
    server.on('upgrade', (request, socket, head) => this.onUpgrade(request, socket as Socket, head));
    server.on('connect', (request, socket) => this.onConnect(request, socket as Socket));
    server.on('clientError', (error, socket) => this.onClientError(error, socket as Socket));
  }

  listen(port: number, host: string, shared?: boolean): Promise<number> {
    return listenAt(this.server, port, host, shared);
  }

  /** Serves a connection that another server has accepted, and made with the TLS of this one (`TlsServer.id`). */
  accept(socket: TLSSocket, tlsServer: string): void {
    if (!this.injecting) {
      // Node looks at the time that heads take from then on.
      this.injecting = true;
      this.server.emit('listening');
    }
    const connection = this.connectionOf(socket, tlsServer);
    if (this.draining) connection.drain();
    else this.server.emit('connection', socket);
  }

  /** After the last connection that was accepted is gone: ends Node's timer. */
  end(): void {
    this.server.close();
  }

  /** Connections that were made with this TLS server close after the answer at work. */
  drainServer(tlsServer: string): void {
    for (const connection of this.connections.values()) if (connection.tlsServer === tlsServer) connection.drain();
  }

  drain(): void {
    this.draining = true;
    // Node's own http.Server.close would cut connections between two requests, and look at no deadline any more.
    if (this.server.listening) TcpServer.prototype.close.call(this.server);
    for (const connection of this.connections.values()) connection.drain();
  }

  cut(): void {
    this.drain();
    for (const socket of this.connections.keys()) socket.destroy();
  }

  sweep(now: number): void {
    for (const connection of this.connections.values()) connection.sweep(now);
  }

  private connectionOf(socket: Socket, tlsServer?: string): ClientConnection {
    let connection = this.connections.get(socket);
    if (connection === undefined) {
      connection = new ClientConnection(socket, this.limits, tlsServer);
      this.connections.set(socket, connection);
      const added = connection;
      socket.on('close', () => {
        this.connections.delete(socket);
        this.room.remove(added);
        added.closed();
      });
      if (!this.room.add(connection)) connection.evict();
    }
    return connection;
  }

  private grantsUpgrade(request: IncomingMessage): boolean {
    const connection = this.connectionOf(request.socket);
    if (mayTunnel(request, connection)) return true;
    if (!parseBehindUpgrade(request, connection)) connection.closing = true;
    return false;
  }

  private onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.connectionOf(request.socket);
    connection.enter(new NodeExchange(request, response, connection, expectsContinue, this.start));
  }

  private onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = this.connectionOf(socket);
    // Node has taken its own listener off.
    socket.on('error', () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    // Only a Node without shouldUpgradeCallback (before 22.21) asks for such a request here.
    if (!mayTunnel(request, connection)) this.refuse(connection, ...BAD_REQUEST);
    else connection.enter(new SocketExchange(request, connection, this.start));
  }

  private onConnect(_request: IncomingMessage, socket: Socket): void {
    socket.on('error', () => socket.destroy());
    this.refuse(this.connectionOf(socket), 501, 'Not Implemented');
  }

  private onClientError(error: NodeJS.ErrnoException & { reason?: string }, socket: Socket): void {
    const connection = this.connections.get(socket);
    // A browser opens connections ahead of need: one that was never used needs no answer.
    const unused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
    if (connection === undefined || unused || error.code === 'ECONNRESET' || error.code === 'EPIPE') {
      socket.destroy();
      return;
    }
    // Not asked again by Node: such a head has until the connection counts as idle.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && connection.heldBack) return;
    const [status, reason] = error.reason === OTHER_VERSION ? UPGRADE_REQUIRED : (STATUS_OF_ERROR.get(error.code ?? '') ?? BAD_REQUEST);
    this.refuse(connection, status, reason);
  }

  private refuse(connection: ClientConnection, status: number, reason: string): void {
    if (connection.malformed(status, bareReply(status, reason))) this.handler.refused(status, connection);
  }
}
