import { connect, createServer, type Socket } from 'node:net';

/** A way to a port that can be cut, and held up without a word. */
export interface CutLine {
  readonly port: number;
  /** Resets all connections that are open. */
  cut(): void;
  /** Nothing goes through, nothing is closed, until it is let go: as behind a firewall that drops. */
  hold(): void;
  letGo(): void;
  /** All that comes from the far end comes so much later, in ms. */
  delay(ms: number): void;
  close(): Promise<void>;
}

/** Listens on loopback, and passes everything on to another port there. */
export async function startCutLine(target: number): Promise<CutLine> {
  const sockets = new Set<Socket>();
  let isHeld = false;
  let delayMs = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      if (isHeld) from.pause();
      from.on('data', (part) => {
        const pass = (): void => {
          if (!to.destroyed && !to.write(part)) from.pause();
        };
        // Each part after the same time: they stay in order.
        if (from === far && delayMs > 0) setTimeout(pass, delayMs);
        else pass();
      });
      to.on('drain', () => {
        if (!isHeld) from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    hold() {
      isHeld = true;
      for (const socket of sockets) socket.pause();
    },
    letGo() {
      isHeld = false;
      for (const socket of sockets) socket.resume();
    },
    delay(ms) {
      delayMs = ms;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
