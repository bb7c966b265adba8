import { CHUNK_EXTENSION_BYTES } from '../limits.ts';
import { type FieldLimits, HeadScanner, isTokenByte } from './head-scanner.ts';
import { PendingBytes } from './pending-bytes.ts';

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const SEMICOLON = 59;
const EQUALS = 61;
const BACKSLASH = 92;
const DELETE = 127;

const SIZE = 0;
const EXTENSION_NAME = 1;
const EXTENSION_VALUE = 2;
const QUOTED = 3;
const QUOTED_PAIR = 4;
const QUOTE_END = 5;
const SIZE_LF = 6;
const DATA = 7;
const DATA_CR = 8;
const DATA_LF = 9;
const TRAILERS = 10;
const DONE = 11;
const FAILED = 12;

/** Hex digits of a chunk size: 13 of them stay below 2^53. */
const SIZE_DIGITS = 13;

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Takes a piece of a body. */
export type PieceSink = (buffer: Buffer, start: number, end: number) => void;

/** `size` bytes of `buffer` from `first` on, with room for what else there may be of data before `end`. */
function beginningOf(buffer: Buffer, first: number, size: number, end: number): Buffer {
  const joined = Buffer.allocUnsafe(end - first);
  buffer.copy(joined, 0, first, first + size);
  return joined;
}

/** A byte of a quoted string, or behind a backslash in one (RFC 9110 section 5.6.4). */
function isQuotable(byte: number): boolean {
  return byte === TAB || (byte >= SPACE && byte !== DELETE);
}

/**
 * Decodes a chunked body (RFC 9112 section 7.1), resuming at any byte. Strict: CRLF only, no space after the size, extensions
 * read, bounded and left out, trailers checked and bounded.
 */
export class ChunkedDecoder {
  done = false;
  failure: string | undefined;
  /** What a server answers to a request whose body failed: 400, 413 or 431. */
  refusal = 400;
  /** name, value, name, value, ... as received, once `done`; undefined where there are none. */
  trailers: string[] | undefined;

  private state = SIZE;
  private digits = 0;
  private size = 0;
  private extensionBytes = 0;
  /** Bytes of the name or the value that is being read. */
  private wordBytes = 0;
  private readonly limits: FieldLimits;
  private readonly scanner: HeadScanner;
  private readonly pending = new PendingBytes();

  /** `limits`: of the trailers. */
  constructor(limits: FieldLimits) {
    // Without the empty line that ends them.
    this.limits = { bytes: limits.bytes + 2, count: limits.count };
    this.scanner = new HeadScanner(this.limits);
  }

  reset(): void {
    this.done = false;
    this.failure = undefined;
    this.refusal = 400;
    this.trailers = undefined;
    this.state = SIZE;
    this.digits = 0;
    this.size = 0;
    this.extensionBytes = 0;
    this.pending.clear();
  }

  /**
   * Decodes the bytes `[from, end)` until the body ends or fails; returns the index after the last byte used. `sink` is given the data that they
   * have in one piece: to whoever takes it a piece costs the same whatever its size, and the peer chooses how many chunks there are. Look at
   * `done` and `failure` afterwards.
   */
  decode(buffer: Buffer, from: number, end: number, sink: PieceSink): number {
    let at = from;
    let first = 0;
    let size = 0;
    let joined: Buffer | undefined;
    while (at < end && this.state < DONE) {
      if (this.state === DATA) {
        const start = at;
        at = Math.min(end, at + this.size);
        this.size -= at - start;
        if (this.size === 0) this.state = DATA_CR;
        if (size === 0) {
          first = start;
        } else {
          joined ??= beginningOf(buffer, first, size, end);
          buffer.copy(joined, size, start, at);
        }
        size += at - start;
      } else if (this.state === TRAILERS) {
        at = this.scanTrailers(buffer, at, end);
      } else {
        this.byte(buffer[at] as number);
        at++;
      }
    }
    if (joined !== undefined) sink(joined, 0, size);
    else if (size > 0) sink(buffer, first, first + size);
    return at;
  }

  private byte(byte: number): void {
    switch (this.state) {
      case SIZE:
        this.sizeByte(byte);
        return;
      case SIZE_LF:
        this.sizeEnd(byte);
        return;
      case DATA_CR:
        if (byte === CR) this.state = DATA_LF;
        else this.fail('chunk without CRLF at its end');
        return;
      case DATA_LF:
        if (byte === LF) this.state = SIZE;
        else this.fail('chunk without CRLF at its end');
        this.digits = 0;
        return;
      default:
        this.extensionByte(byte);
    }
  }

  private sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.size = this.size * 16 + digit;
      if (++this.digits > SIZE_DIGITS) this.fail('chunk size too large');
    } else if (this.digits === 0 || (byte !== CR && byte !== SEMICOLON)) {
      this.fail('invalid chunk size');
    } else {
      this.endWord(byte);
    }
  }

  /** One byte of `*( ";" name [ "=" ( token / quoted-string ) ] )` (RFC 9112 section 7.1.1); without the space that is grammatical and obsolete. */
  private extensionByte(byte: number): void {
    if (++this.extensionBytes > CHUNK_EXTENSION_BYTES) {
      this.fail('chunk extensions too large', 413);
      return;
    }
    const { state } = this;
    if (state === QUOTED || state === QUOTED_PAIR) {
      if (!isQuotable(byte)) this.fail('control character in a chunk extension');
      else if (state === QUOTED_PAIR) this.state = QUOTED;
      else if (byte === QUOTE) this.state = QUOTE_END;
      else if (byte === BACKSLASH) this.state = QUOTED_PAIR;
    } else if (state !== QUOTE_END && isTokenByte(byte)) {
      this.wordBytes++;
    } else if (state === EXTENSION_VALUE && byte === QUOTE && this.wordBytes === 0) {
      this.state = QUOTED;
    } else if (state === EXTENSION_NAME && byte === EQUALS && this.wordBytes > 0) {
      this.state = EXTENSION_VALUE;
      this.wordBytes = 0;
    } else if ((byte === CR || byte === SEMICOLON) && (state === QUOTE_END || this.wordBytes > 0)) {
      this.endWord(byte);
    } else {
      this.fail('invalid chunk extension');
    }
  }

  private endWord(byte: number): void {
    this.state = byte === CR ? SIZE_LF : EXTENSION_NAME;
    this.wordBytes = 0;
  }

  private sizeEnd(byte: number): void {
    if (byte !== LF) {
      this.fail('CR without LF after a chunk size');
      return;
    }
    if (this.size > 0) {
      this.state = DATA;
      return;
    }
    this.state = TRAILERS;
    this.scanner.reset('fields');
  }

  private scanTrailers(buffer: Buffer, from: number, end: number): number {
    // The scanner wants the bytes since the trailers' first in one buffer; they are almost always just CRLF.
    const held = this.pending.length;
    const stop = Math.min(end, from + this.limits.bytes + 1 - held);
    const source = held > 0 ? this.pending.with(buffer, from, stop) : buffer;
    // Index in `buffer` minus index in `source`.
    const shift = held > 0 ? from - held : 0;
    const base = held > 0 ? 0 : from;
    const after = this.scanner.scan(source, base, from - shift, stop - shift);
    if (after >= 0) {
      if (this.scanner.count > 0) this.readTrailers(source, base);
      this.state = DONE;
      this.done = true;
      return after + shift;
    }
    if (this.scanner.failure === undefined) {
      this.pending.keep(source, base, stop - shift);
      return stop;
    }
    this.fail(`trailers: ${this.scanner.failure}`, this.scanner.isTooLarge ? 431 : 400);
    return end;
  }

  private readTrailers(source: Buffer, base: number): void {
    const { marks, count } = this.scanner;
    const trailers: string[] = [];
    for (let at = 0; at < count; at += 2) {
      trailers.push(source.toString('latin1', base + (marks[at] as number), base + (marks[at + 1] as number)));
    }
    this.trailers = trailers;
  }

  private fail(reason: string, refusal = 400): void {
    this.failure = reason;
    this.refusal = refusal;
    this.state = FAILED;
  }
}
