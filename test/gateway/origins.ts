import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';

/** A server of a test, on a free port. */
export interface Origin {
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** An origin on Node's HTTP server. */
export function startHttpOrigin(listener: RequestListener): Promise<Origin> {
  return listen(createHttpServer({ keepAliveTimeout: 60_000, maxHeaderSize: 128 * 1024 }, listener));
}

/** An origin that answers `ok` once it has a request's whole body, and puts it into `bodies`. */
export function startBodyOrigin(bodies: string[]): Promise<Origin> {
  return startHttpOrigin((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.push(body);
      response.end('ok');
    });
  });
}

/** An origin that does with each connection whatever the test says. Half-open connections are allowed. */
export function startTcpOrigin(onConnection: (socket: Socket) => void): Promise<Origin> {
  return listen(createTcpServer({ allowHalfOpen: true }, onConnection));
}

/** An origin that gives `respond` each request head (as latin1 text) and writes what it returns; undefined: nothing. */
export function startScriptedOrigin(respond: (head: string, socket: Socket, ordinal: number) => string | undefined): Promise<Origin> {
  let ordinal = 0;
  return startTcpOrigin((socket) => {
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end + 4);
        text = text.slice(end + 4);
        const response = respond(head, socket, ordinal++);
        if (response !== undefined) socket.write(response, 'latin1');
      }
    });
    socket.on('end', () => socket.end());
  });
}

function listen(server: Server): Promise<Origin> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        connections: () => accepted,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

/** A port of the loopback where nobody listens, nor can while this process runs: it is that of a connection's other end. */
export async function refusingPort(): Promise<number> {
  const server = createTcpServer((socket) => socket.unref()).unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').unref();
  await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  server.close();
  return socket.localPort ?? 0;
}

/** A port of the loopback that was free a moment ago. */
export async function unusedPort(): Promise<number> {
  const origin = await startTcpOrigin(() => undefined);
  await origin.close();
  return origin.port;
}
