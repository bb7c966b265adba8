import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { MEGABYTE } from './large-body.ts';
import { type Origin, startHttpOrigin } from './origins.ts';

/**
 * What stands still: clients that read nothing of a large answer, an upstream that reads nothing of large uploads, clients that never say a word
 * (`silent`), or stop within a head of 8 KB (`heads`).
 */
export type Stalled = 'downloads' | 'uploads' | 'silent' | 'heads';

/** What so many of them cost the gateway's process, bytes. */
export interface StallCost {
  /** Most memory before. */
  readonly before: number;
  /** Most memory while all stood still. */
  readonly stalled: number;
}

/** As much as each would send if anybody took it. */
const EACH = 32 * MEGABYTE;
const PIECE = Buffer.alloc(64 * 1024);
/** Requests that are answered first, so that what a process allocates once is not theirs. */
const WARM_UP = 200;

async function answeredOnce(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/small`).then((response) => response.arrayBuffer());
}

/** Waits until nothing has moved for a second. */
async function untilStill(moved: () => number): Promise<void> {
  let before = -1;
  let stillFor = 0;
  while (stillFor < 4) {
    await sleep(250);
    const now = moved();
    stillFor = now === before && now > 0 ? stillFor + 1 : 0;
    before = now;
  }
}

/** Sends a large body as far as anybody takes it. */
function upload(socket: Socket, moved: (bytes: number) => void): void {
  socket.write(`PUT /large HTTP/1.1\r\nHost: shop\r\nContent-Length: ${EACH}\r\n\r\n`);
  let left = EACH;
  const write = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      moved(PIECE.length);
      if (!socket.write(PIECE)) return;
    }
  };
  socket.on('drain', write);
  write();
}

/** Opens so many of them at a gateway in a process of its own, and measures it. */
export async function measureStalled(kind: Stalled, count: number): Promise<StallCost> {
  let sent = 0;
  const origin: Origin = await startHttpOrigin((request, response) => {
    if (request.url === '/small') {
      response.end('ok');
      return;
    }
    if (request.method === 'PUT') return;
    response.writeHead(200, { 'content-length': EACH });
    response.on('error', () => undefined);
    let left = EACH;
    const write = (): void => {
      while (left > 0) {
        left -= PIECE.length;
        sent += PIECE.length;
        if (!response.write(PIECE)) {
          response.once('drain', write);
          return;
        }
      }
      response.end();
    };
    write();
  });
  const gateway: GatewayProcess = await startGatewayProcess(origin.port);
  const sockets: Socket[] = [];
  try {
    for (let warm = 0; warm < WARM_UP; warm++) await answeredOnce(gateway.ingress);
    const before = await gateway.peakMemory();
    const moved = (bytes: number): void => {
      sent += bytes;
    };
    for (let at = 0; at < count; at++) {
      // A crowd would wait in the kernel's queue.
      if (at % 100 === 99) await answeredOnce(gateway.ingress);
      const socket = connect({ port: gateway.ingress, host: '127.0.0.1' }, () => moved(1));
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.pause();
      if (kind === 'downloads') socket.write('GET /large HTTP/1.1\r\nHost: shop\r\n\r\n');
      else if (kind === 'heads') socket.write(`GET / HTTP/1.1\r\nHost: shop\r\nX: ${'x'.repeat(8000)}`);
      else if (kind === 'uploads') upload(socket, moved);
    }
    await untilStill(() => sent);
    // Others are served meanwhile.
    await answeredOnce(gateway.ingress);
    return { before, stalled: await gateway.peakMemory() };
  } finally {
    for (const socket of sockets) socket.destroy();
    await gateway.close();
    await origin.close();
  }
}
