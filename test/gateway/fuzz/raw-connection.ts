import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client's connection of which what came is kept as bytes; its own side closes only when told to. */
export class RawConnection {
  readonly socket: Socket;
  /** The other side has closed, in whichever way. */
  closed = false;
  private pieces: Buffer[] = [];
  private changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.pieces.push(bytes);
      this.changed();
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.closed = true;
        this.changed();
      });
    }
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const connection = new RawConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /** What came since `forget`. */
  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }

  forget(): void {
    this.pieces = [];
  }

  /** Waits until `found` gives something for what has come. @throws Error after `ms`. */
  async until<Found>(found: (received: Buffer, closed: boolean) => Found | undefined, ms = 30_000): Promise<Found> {
    const deadline = performance.now() + ms;
    for (;;) {
      const result = found(this.received, this.closed);
      if (result !== undefined) return result;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`nothing more within ${ms} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}
