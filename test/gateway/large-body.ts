import { createHash, type Hash } from 'node:crypto';

/** In bytes. */
export const MEGABYTE = 1024 * 1024;
const PIECE = 64 * 1024;

/** A body of `total` bytes in pieces that tell where they belong, so that one read over, lost or out of order is noticed. */
export function* pieces(total: number): Generator<Buffer> {
  for (let at = 0; at < total; at += PIECE) {
    const piece = Buffer.alloc(Math.min(PIECE, total - at), (at / PIECE) & 0xff);
    piece.writeUInt32BE(at, 0);
    yield piece;
  }
}

/** SHA-1 of that body. */
export function digest(total: number): string {
  const hash = createHash('sha1');
  for (const piece of pieces(total)) hash.update(piece);
  return hash.digest('hex');
}

/** Writes that body as fast as the other side takes it; gives up where `write` throws. */
export async function writeAll(write: (piece: Buffer) => boolean, drained: () => Promise<unknown>, total: number): Promise<void> {
  for (const piece of pieces(total)) if (!write(piece)) await drained();
}

/** A piece in chunked coding. */
export function asChunk(piece: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
}

/** Takes whole chunks off a chunked body (and the head before it) and hashes their data; gives back what is left. */
export function unchunk(text: Buffer, hash: Hash): Buffer {
  let at = 0;
  if (text.subarray(0, 5).toString() === 'HTTP/') {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return text;
    at = end + 4;
  }
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(text.toString('latin1', at, lineEnd), 16);
    if (lineEnd + 2 + size + 2 > text.length) break;
    hash.update(text.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return text.subarray(at);
}
