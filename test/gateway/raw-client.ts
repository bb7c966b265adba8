import { connect, type Socket } from 'node:net';

/** A bare TCP client: what it sends is exactly what the gateway reads. Text is latin1. */
export class RawClient {
  readonly socket: Socket;
  /** All that came, as latin1. */
  received = '';
  closed = false;
  /** The other side sent its FIN. */
  ended = false;
  private changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.changed();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
    socket.on('end', () => {
      this.ended = true;
      this.changed();
    });
  }

  static open(port: number, host = '127.0.0.1', allowHalfOpen = false): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, allowHalfOpen, noDelay: true }, () => {
        socket.removeListener('error', reject);
        resolve(new RawClient(socket));
      });
      socket.once('error', reject);
    });
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Resolves when `condition` holds for what was received; rejects, showing it, after `ms`. */
  async until(condition: (client: RawClient) => boolean, ms = 20_000): Promise<string> {
    const deadline = performance.now() + ms;
    while (!condition(this)) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`nothing suitable came within ${ms} ms; received: ${JSON.stringify(this.received.slice(0, 2000))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.received;
  }

  untilText(text: string, ms?: number): Promise<string> {
    return this.until((client) => client.received.includes(text), ms);
  }

  untilClosed(ms?: number): Promise<string> {
    return this.until((client) => client.closed || client.ended, ms);
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Status of the first response in `text`; undefined where there is none. */
export function firstStatus(text: string): number | undefined {
  const status = /^HTTP\/1\.1 ([0-9]{3})/.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Sends `text` on a connection of its own and gives what came until the other side closed it or `ms` passed. */
export async function exchange(port: number, text: string, ms = 20_000): Promise<string> {
  const client = await RawClient.open(port);
  client.send(text);
  try {
    return await client.untilClosed(ms);
  } catch {
    return client.received;
  } finally {
    client.destroy();
  }
}
