import { isMethod } from '../request-method.ts';
import type { Refusal } from '../request-target.ts';

const CR = 13;
const LF = 10;
const SPACE = 32;
const HYPHEN = 45;
const SLASH = 47;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const A = 65;
const Z = 90;
const DELETE = 127;

/** No method is longer. */
const METHOD_BYTES = 16;
const PROTOCOL = Uint8Array.from('HTTP/', (character) => character.charCodeAt(0));
/** `HTTP/1.1`. */
const VERSION_BYTES = 8;

const METHOD = 0;
const BEFORE_TARGET = 1;
const TARGET = 2;
const BEFORE_VERSION = 3;
const VERSION = 4;
const END = 5;
const DONE = 6;
const FAILED = 7;

/**
 * Reads a request line (RFC 9112 section 3), resuming where the last read ended. What cannot become one is refused at its first wrong byte,
 * so that a client of another protocol is not kept waiting. Several spaces count as one (section 3: "whitespace-delimited word boundaries").
 */
export class RequestLine {
  method = '';
  target = '';
  /** `1.0` or `1.1`. */
  version = '';
  refusal: Refusal | undefined;

  private state = METHOD;
  private base = 0;
  private start = 0;

  reset(): void {
    this.state = METHOD;
    this.target = '';
    this.refusal = undefined;
  }

  /**
   * Goes on at `from`; the line's first byte is at `base` (which may differ from call to call). Returns the index after the line, or -1
   * where it is not complete (or is refused: see `refusal`).
   */
  scan(buffer: Buffer, base: number, from: number, end: number): number {
    this.base = base;
    let at = from;
    while (at < end) {
      at = this.step(buffer, at, end);
      if (this.state === DONE) return at;
      if (this.state === FAILED) return -1;
    }
    return -1;
  }

  private step(buffer: Buffer, at: number, end: number): number {
    switch (this.state) {
      case METHOD:
        return this.readMethod(buffer, at, end);
      case BEFORE_TARGET:
      case BEFORE_VERSION:
        return this.skipSpaces(buffer, at, end);
      case TARGET:
        return this.readTarget(buffer, at, end);
      case VERSION:
        return this.readVersion(buffer, at, end);
      default:
        if (buffer[at] !== LF) return this.refuse(400, 'CR without LF');
        this.state = DONE;
        return at + 1;
    }
  }

  private readMethod(buffer: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && isMethodByte(buffer[at] as number)) at++;
    if (at - this.base > METHOD_BYTES) return this.refuse(400, 'unknown method');
    if (at === end) return at;
    if (buffer[at] !== SPACE) return this.refuse(400, 'not HTTP');
    this.method = buffer.toString('latin1', this.base, at);
    // CONNECT is answered once its head is there.
    if (!isMethod(this.method) && this.method !== 'CONNECT') return this.refuse(400, 'unknown method');
    this.state = BEFORE_TARGET;
    return at + 1;
  }

  private skipSpaces(buffer: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && buffer[at] === SPACE) at++;
    if (at === end) return at;
    this.start = at - this.base;
    this.state++;
    return at;
  }

  private readTarget(buffer: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && (buffer[at] as number) > SPACE && buffer[at] !== DELETE) at++;
    if (at === end) return at;
    const first = this.base + this.start;
    const isPath = buffer[first] === SLASH;
    // A path and no version is HTTP/0.9.
    if (buffer[at] === CR && isPath) return this.refuse(426, 'only HTTP/1.1 is served');
    if (buffer[at] !== SPACE || at === first) return this.refuse(400, 'invalid request target');
    this.target = buffer.toString('latin1', first, at);
    this.state = BEFORE_VERSION;
    return at + 1;
  }

  private readVersion(buffer: Buffer, from: number, end: number): number {
    const first = this.base + this.start;
    for (let at = from; at < end; at++) {
      if (at - first === VERSION_BYTES) {
        if (buffer[at] !== CR) return this.refuse(400, 'invalid HTTP version');
        this.version = buffer.toString('latin1', first + PROTOCOL.length, at);
        if (this.version !== '1.1' && this.version !== '1.0') return this.refuse(426, 'only HTTP/1.1 is served');
        this.state = END;
        return at + 1;
      }
      if (!isVersionByte(buffer[at] as number, at - first)) return this.refuse(400, 'invalid HTTP version');
    }
    return end;
  }

  private refuse(status: number, detail: string): number {
    this.refusal = { status, detail };
    this.state = FAILED;
    return -1;
  }
}

function isMethodByte(byte: number): boolean {
  return (byte >= A && byte <= Z) || byte === HYPHEN;
}

/** Whether a byte may be at this place of `HTTP/1.1`, with any digits. */
function isVersionByte(byte: number, place: number): boolean {
  if (place < PROTOCOL.length) return byte === PROTOCOL[place];
  return place === PROTOCOL.length + 1 ? byte === POINT : byte >= ZERO && byte <= NINE;
}
