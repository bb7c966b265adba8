/** What a client's first message says; `incomplete`: more has to be read; `invalid`: it is not TLS. */
export type ClientHello = { readonly serverName: string | undefined } | 'incomplete' | 'invalid';

/** The largest ClientHello that is read, bytes: more than any client sends, with post-quantum key shares and a session ticket. */
export const MAXIMUM_HELLO = 16 * 1024;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const RECORD_HEAD = 5;
const MESSAGE_HEAD = 4;
/** Largest payload of a record before there is encryption (RFC 8446 section 5.1). */
const MAXIMUM_RECORD = 1 << 14;

/**
 * Reads the name that a client asks for (SNI, RFC 6066 section 3) from the bytes that it sent first, in lower case, as Envoy's TLS inspector
 * does: which TLS settings a connection gets depends on it, so it is known before TLS begins. Everything else is left to TLS itself.
 */
export function readClientHello(bytes: Buffer): ClientHello {
  const message = joinRecords(bytes);
  if (typeof message === 'string') return message;
  const reader = new Reader(message);
  reader.skip(2 + 32); // legacy version, random
  reader.take(1); // session id
  reader.take(2); // cipher suites
  reader.take(1); // compression methods
  // TLS 1.2 allows a message that ends here.
  if (reader.ended) return reader.failed ? 'invalid' : { serverName: undefined };
  const extensions = new Reader(reader.take(2));
  while (!extensions.ended && !extensions.failed) {
    const type = extensions.number(2);
    const body = extensions.take(2);
    if (type === SERVER_NAME && !extensions.failed) return nameIn(body);
  }
  return reader.failed || extensions.failed ? 'invalid' : { serverName: undefined };
}

/** The body of the handshake message that begins the records, which may be several. */
function joinRecords(bytes: Buffer): Buffer | 'incomplete' | 'invalid' {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || (bytes[at + 1] ?? 3) !== 3) return 'invalid';
    if (at + RECORD_HEAD > bytes.length) break;
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0 || size > MAXIMUM_RECORD) return 'invalid';
    const piece = bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + size);
    pieces.push(piece);
    length += piece.length;
    const joined = length < MESSAGE_HEAD ? undefined : Buffer.concat(pieces);
    if (joined !== undefined) {
      if (joined[0] !== CLIENT_HELLO) return 'invalid';
      const end = MESSAGE_HEAD + joined.readUIntBE(1, 3);
      if (end > MAXIMUM_HELLO) return 'invalid';
      if (joined.length >= end) return joined.subarray(MESSAGE_HEAD, end);
    }
    at += RECORD_HEAD + size;
  }
  return 'incomplete';
}

function nameIn(extension: Buffer): ClientHello {
  const names = new Reader(new Reader(extension).take(2));
  const type = names.number(1);
  const name = names.take(2);
  // The only type there is, and at most one name of it.
  if (names.failed || !names.ended || type !== 0 || name.length === 0 || name.length > 255) return 'invalid';
  return { serverName: name.toString('latin1').toLowerCase() };
}

/** Reads numbers and vectors; what lies beyond the end is 0 and empty, and `failed` tells. */
class Reader {
  failed = false;
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.bytes.length) this.failed = true;
  }

  number(size: number): number {
    const from = this.at;
    this.skip(size);
    return this.failed ? 0 : this.bytes.readUIntBE(from, size);
  }

  /** A vector whose length is a number of `size` bytes before it. */
  take(size: number): Buffer {
    const length = this.number(size);
    const from = this.at;
    this.skip(length);
    return this.failed ? Buffer.alloc(0) : this.bytes.subarray(from, from + length);
  }
}
