import { connect, type Socket } from 'node:net';

/** Opens a connection, sends one request on it and waits for the whole answer; the connection stays open. */
function answeredOnce(port: number, head: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let received = '';
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the connection was closed after ${received.length} bytes of answer`)));
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/^content-length: *(\d+)/im.exec(received.slice(0, end))?.[1]);
      if (!received.startsWith('HTTP/1.1 200 ') || Number.isNaN(length)) reject(new Error(`answered:\n${received.slice(0, end)}`));
      else if (received.length >= end + 4 + length) resolve(socket);
    });
    socket.write(head, 'latin1');
  });
}

/** Connections opened at a time: a crowd would make the proxy open as many to the origin. */
const AT_ONCE = 20;

/** Keep-alive connections, each of which has had one request answered and now waits. `heads` are sent in turn. */
export async function openIdleConnections(port: number, count: number, heads: readonly string[]): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const group = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, (_, index) =>
      answeredOnce(port, heads[(sockets.length + index) % heads.length] ?? ''),
    );
    sockets.push(...(await Promise.all(group)));
  }
  return sockets;
}
