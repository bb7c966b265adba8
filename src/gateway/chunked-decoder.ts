import { HeadScanner } from './head-scanner.ts';
import { CHUNK_EXTENSION_BYTES, type GatewayLimits } from './limits.ts';

const CR = 13;
const LF = 10;
const TAB = 9;
const SEMICOLON = 59;
const DELETE = 127;

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const DONE = 7;
const FAILED = 8;

/** Hex digits of a chunk size: 13 of them stay below 2^53. */
const SIZE_DIGITS = 13;

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/**
 * Decodes a chunked body (RFC 9112 section 7.1), resuming at any byte. Strict: CRLF only, no space after the size,
 * extensions skipped and bounded, trailers checked and bounded.
 */
export class ChunkedDecoder {
  done = false;
  failure: string | undefined;
  /** name, value, name, value, ... as received, once `done`; undefined where there are none. */
  trailers: string[] | undefined;

  private state = SIZE;
  private digits = 0;
  private size = 0;
  private extensionBytes = 0;
  private readonly scanner: HeadScanner;
  private readonly limits: GatewayLimits;
  private trailerBytes = 0;
  private pending: Buffer = Buffer.alloc(0);

  constructor(limits: GatewayLimits) {
    this.limits = limits;
    this.scanner = new HeadScanner(limits);
  }

  reset(): void {
    this.done = false;
    this.failure = undefined;
    this.trailers = undefined;
    this.state = SIZE;
    this.digits = 0;
    this.size = 0;
    this.extensionBytes = 0;
    this.trailerBytes = 0;
  }

  /** Decodes from `from` on, handing data to `emit`; returns the index after the last byte used. Look at `done` and `failure` afterwards. */
  decode(buffer: Buffer, from: number, end: number, emit: (buffer: Buffer, start: number, end: number) => void): number {
    let at = from;
    while (at < end && this.state < DONE) {
      if (this.state === DATA) {
        const stop = Math.min(end, at + this.size);
        this.size -= stop - at;
        if (this.size === 0) this.state = DATA_CR;
        emit(buffer, at, stop);
        at = stop;
      } else if (this.state === TRAILERS) {
        at = this.scanTrailers(buffer, at, end);
      } else {
        this.byte(buffer[at] as number);
        at++;
      }
    }
    return at;
  }

  private byte(byte: number): void {
    switch (this.state) {
      case SIZE:
        this.sizeByte(byte);
        return;
      case EXTENSION:
        this.extensionByte(byte);
        return;
      case SIZE_LF:
        this.sizeEnd(byte);
        return;
      case DATA_CR:
        if (byte === CR) this.state = DATA_LF;
        else this.fail('chunk without CRLF at its end');
        return;
      default:
        if (byte === LF) this.state = SIZE;
        else this.fail('chunk without CRLF at its end');
        this.digits = 0;
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
      this.state = byte === CR ? SIZE_LF : EXTENSION;
    }
  }

  private extensionByte(byte: number): void {
    if (byte === CR) this.state = SIZE_LF;
    else if ((byte < 32 && byte !== TAB) || byte === DELETE) this.fail('control character in a chunk extension');
    else if (++this.extensionBytes > CHUNK_EXTENSION_BYTES) this.fail('chunk extensions too large');
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
    this.scanner.reset(true);
  }

  private scanTrailers(buffer: Buffer, from: number, end: number): number {
    // The scanner wants the bytes since the trailers' first in one buffer; they are almost always just CRLF.
    const held = this.trailerBytes;
    const room = Math.min(end - from, this.limits.trailerBytes + 1 - held);
    let source = buffer;
    let base = from;
    let scanFrom = from;
    if (held > 0) {
      source = Buffer.concat([this.pending.subarray(0, held), buffer.subarray(from, from + room)]);
      base = 0;
      scanFrom = held;
    }
    const stop = scanFrom + room;
    const after = this.scanner.scan(source, base, scanFrom, stop);
    if (after >= 0) {
      this.state = DONE;
      this.done = true;
      if (this.scanner.count > 0) this.trailers = this.readTrailers(source, base);
      return from + (after - scanFrom);
    }
    if (this.scanner.failure !== undefined) {
      this.fail(`trailers: ${this.scanner.failure}`);
      return end;
    }
    this.pending = held > 0 ? source : Buffer.from(buffer.subarray(from, from + room));
    this.trailerBytes = held + room;
    return from + room;
  }

  private readTrailers(source: Buffer, base: number): string[] {
    const { marks, count } = this.scanner;
    const trailers: string[] = [];
    for (let at = 0; at < count; at += 2) {
      trailers.push(source.toString('latin1', base + (marks[at] as number), base + (marks[at + 1] as number)));
    }
    return trailers;
  }

  private fail(reason: string): void {
    this.failure = reason;
    this.state = FAILED;
  }
}
