import { connect, type TLSSocket } from 'node:tls';

/** Types of frames (RFC 9113 section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;

/** Error codes (RFC 9113 section 7), by number. */
const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

/** What a client sends first (RFC 9113, section 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Flags of HEADERS and DATA (RFC 9113, section 6). */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** A frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0), length = payload.length): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block (RFC 7541) of literal fields without indexing and without Huffman codes: what is written is what the other side reads. */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
  };
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function integer(value: number, bits: number, high: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([high | value]);
  const bytes = [high | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** What a server said: frames, in order, and how the connection ended. */
export class FrameClient {
  readonly frames: { readonly type: number; readonly flags: number; readonly stream: number; readonly payload: Buffer }[] = [];
  closed = false;
  private received = Buffer.alloc(0);
  private readonly socket: TLSSocket;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static open(port: number, servername = 'shop.test'): Promise<FrameClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () =>
        resolve(new FrameClient(socket)),
      );
      socket.once('error', reject);
    });
  }

  send(...pieces: readonly Uint8Array[]): this {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(pieces));
    return this;
  }

  /** Reads nothing any more. */
  pause(): this {
    this.socket.pause();
    return this;
  }

  /** Ends the sending side. */
  end(): this {
    this.socket.end();
    return this;
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** How a stream ended: `RST CODE`, `END`; the connection: `GOAWAY CODE`, `CLOSED`; undefined: nothing of it yet. The first of them that came. */
  fate(stream: number): string | undefined {
    for (const each of this.frames) {
      if (each.type === FRAME.goaway) return `GOAWAY ${CODES[each.payload.readUInt32BE(4)]}`;
      if (each.stream !== stream) continue;
      if (each.type === FRAME.rst) return `RST ${CODES[each.payload.readUInt32BE(0)]}`;
      if ((each.type === FRAME.data || each.type === FRAME.headers) && (each.flags & END_STREAM) !== 0) return 'END';
    }
    return this.closed ? 'CLOSED' : undefined;
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    while (this.received.length >= 9) {
      const length = this.received.readUIntBE(0, 3);
      if (this.received.length < 9 + length) return;
      const [type = 0, flags = 0] = [this.received[3], this.received[4]];
      this.frames.push({ type, flags, stream: this.received.readUInt32BE(5), payload: this.received.subarray(9, 9 + length) });
      this.received = this.received.subarray(9 + length);
    }
  }
}
