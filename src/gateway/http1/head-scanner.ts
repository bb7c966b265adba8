const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const COLON = 58;
const DELETE = 127;

/** 1 for the bytes of a token (RFC 9110 section 5.6.2). */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** Whether a byte may be in a token. */
export function isTokenByte(byte: number): boolean {
  return TOKEN[byte] === 1;
}

/** 1 for the bytes of a header value or reason phrase: tab, visible ASCII, space, obs-text. */
const TEXT = new Uint8Array(256);
for (let byte = SPACE; byte < 256; byte++) TEXT[byte] = byte === DELETE ? 0 : 1;
TEXT[TAB] = 1;

/** How every status line begins. */
const PROTOCOL = Uint8Array.from('HTTP/1.', (character) => character.charCodeAt(0));

const START_LINE = 0;
const START_LINE_LF = 1;
const LINE_START = 2;
const NAME = 3;
const VALUE_START = 4;
const VALUE = 5;
const VALUE_LF = 6;
const END_LF = 7;
const DONE = 8;
const FAILED = 9;

/** How much there may be of header lines. */
export interface FieldLimits {
  /** With the start line, where there is one. */
  readonly bytes: number;
  readonly count: number;
}

/**
 * Finds the lines of an HTTP/1.1 head and checks every byte of them, resuming where the last read ended, so that a head
 * that drips in costs no more than one that comes at once. Strict (RFC 9112): CRLF only, no folded lines, no space before
 * the colon, no control characters. Of a request it reads what follows the request line, and of a chunked body the trailers.
 */
export class HeadScanner {
  /** Four offsets per header line, relative to the head's first byte: name start, name end, value start, value end. */
  readonly marks: number[] = [];
  /** How many entries of `marks` are valid. */
  count = 0;
  startLineEnd = 0;
  failure: string | undefined;
  /** Whether it failed because there is more than there may be. */
  isTooLarge = false;

  private state = START_LINE;
  private nameStart = 0;
  private valueStart = 0;
  private base = 0;
  private readonly limits: FieldLimits;

  constructor(limits: FieldLimits) {
    this.limits = limits;
  }

  /** Begins anew: with a status line, or, for `fields`, right behind a request line or the last chunk. */
  reset(from: 'status line' | 'fields'): void {
    this.state = from === 'fields' ? LINE_START : START_LINE;
    this.count = 0;
    this.startLineEnd = 0;
    this.failure = undefined;
    this.isTooLarge = false;
  }

  /**
   * Goes on at `from`; the head's first byte is at `base` (which may differ from call to call: offsets are relative).
   * Returns the index after the head, or -1 where it is not complete (or has failed: see `failure`).
   */
  scan(buffer: Uint8Array, base: number, from: number, end: number): number {
    this.base = base;
    let at = from;
    while (at < end) {
      at = this.step(buffer, at, end);
      if (this.state === DONE) {
        return at - base > this.limits.bytes ? this.tooLarge('head too large') : at;
      }
      if (this.state === FAILED) return -1;
    }
    return end - base > this.limits.bytes ? this.tooLarge('head too large') : -1;
  }

  private step(buffer: Uint8Array, at: number, end: number): number {
    switch (this.state) {
      case START_LINE:
        return this.startLine(buffer, at, end);
      case LINE_START:
        return this.lineStart(buffer[at] as number, at);
      case NAME:
        return this.name(buffer, at, end);
      case VALUE_START:
        return this.leadingSpace(buffer, at, end);
      case VALUE:
        return this.value(buffer, at, end);
      default:
        return this.lineFeed(buffer[at] as number, at);
    }
  }

  private startLine(buffer: Uint8Array, from: number, end: number): number {
    // At once, so that a server of another protocol does not keep us waiting for an end of line.
    for (let index = from - this.base; index < PROTOCOL.length && this.base + index < end; index++) {
      if (buffer[this.base + index] !== PROTOCOL[index]) return this.fail('not HTTP/1', from);
    }
    let at = from;
    while (at < end && TEXT[buffer[at] as number] === 1) at++;
    if (at === end) return at;
    if (buffer[at] !== CR) return this.fail('control character in the start line', at);
    this.startLineEnd = at - this.base;
    this.state = START_LINE_LF;
    return at + 1;
  }

  private lineFeed(byte: number, at: number): number {
    if (byte !== LF) return this.fail('CR without LF', at);
    this.state = this.state === END_LF ? DONE : LINE_START;
    return at + 1;
  }

  private lineStart(byte: number, at: number): number {
    if (byte === CR) {
      this.state = END_LF;
      return at + 1;
    }
    if (TOKEN[byte] !== 1) return this.fail(byte === SPACE || byte === TAB ? 'folded header line' : 'invalid header name', at);
    if (this.count === this.limits.count * 4) {
      this.tooLarge('too many headers');
      return at;
    }
    this.nameStart = at - this.base;
    this.state = NAME;
    return at + 1;
  }

  private name(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && TOKEN[buffer[at] as number] === 1) at++;
    if (at === end) return at;
    if (buffer[at] !== COLON) return this.fail('invalid header name', at);
    this.marks[this.count] = this.nameStart;
    this.marks[this.count + 1] = at - this.base;
    this.state = VALUE_START;
    return at + 1;
  }

  private leadingSpace(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && (buffer[at] === SPACE || buffer[at] === TAB)) at++;
    if (at === end) return at;
    this.valueStart = at - this.base;
    this.state = VALUE;
    return at;
  }

  private value(buffer: Uint8Array, from: number, end: number): number {
    let at = from;
    while (at < end && TEXT[buffer[at] as number] === 1) at++;
    if (at === end) return at;
    if (buffer[at] !== CR) return this.fail('control character in a header value', at);
    let valueEnd = at;
    const first = this.base + this.valueStart;
    while (valueEnd > first && (buffer[valueEnd - 1] === SPACE || buffer[valueEnd - 1] === TAB)) valueEnd--;
    this.marks[this.count + 2] = this.valueStart;
    this.marks[this.count + 3] = valueEnd - this.base;
    this.count += 4;
    this.state = VALUE_LF;
    return at + 1;
  }

  private tooLarge(reason: string): number {
    this.isTooLarge = true;
    this.fail(reason, 0);
    return -1;
  }

  private fail(reason: string, at: number): number {
    this.failure = reason;
    this.state = FAILED;
    return at;
  }
}
