const EMPTY = Buffer.alloc(0);

/** The beginning of a head of which the rest has yet to be read, in one piece. */
export class PendingBytes {
  length = 0;
  private buffer: Buffer = EMPTY;

  /** What there is with `[from, end)` of `piece` behind it: valid until the next call. It is kept where `keep` is called. */
  with(piece: Buffer, from: number, end: number): Buffer {
    const needed = this.length + end - from;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(1024, needed, this.buffer.length * 2));
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    piece.copy(this.buffer, this.length, from, end);
    return this.buffer;
  }

  /** From now on `[from, end)` of `source` is what there is; `source` may be what `with` gave. */
  keep(source: Buffer, from: number, end: number): void {
    if (source === this.buffer) {
      if (from > 0) this.buffer.copyWithin(0, from, end);
    } else {
      if (this.buffer.length < end - from) this.buffer = Buffer.allocUnsafeSlow(Math.max(1024, end - from));
      source.copy(this.buffer, 0, from, end);
    }
    this.length = end - from;
  }

  /** Nothing is there any more. Connections without a request at work are many: they keep no memory. */
  clear(): void {
    this.length = 0;
    this.buffer = EMPTY;
  }
}
