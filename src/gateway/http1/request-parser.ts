import type { GatewayLimits } from '../limits.ts';
import type { Refusal } from '../request-target.ts';
import { HeadScanner } from './head-scanner.ts';
import { PendingBytes } from './pending-bytes.ts';
import { RequestLine } from './request-line.ts';

const CR = 13;
const LF = 10;

const BEFORE = 0;
const BLANK_LF = 1;
const LINE = 2;
const FIELDS = 3;

/** Headers of which names and values may be slices: whoever keeps one a little longer keeps no more than this. */
const SLICED_BYTES = 4096;

const TOO_LARGE: Refusal = { status: 431, detail: 'head too large' };

/** The head of a request as it was received, well-formed, and no more than that. */
export interface ReceivedHead {
  readonly method: string;
  readonly target: string;
  /** `1.0` or `1.1`. */
  readonly version: string;
  /** name, value, name, value, ... */
  readonly rawHeaders: readonly string[];
}

/**
 * Strict, incremental parser of the heads of HTTP/1.1 requests (RFC 9112 sections 2 to 5). One instance serves one connection: what is read
 * is given to `feed`; after each head, `reset` for the next. Any split of the bytes gives the same result.
 */
export class RequestParser {
  /** Once `feed` has come to its end. */
  head: ReceivedHead | undefined;
  /** Why what was read is no request. Nothing is read after that. */
  refusal: Refusal | undefined;

  private state = BEFORE;
  private readonly limits: GatewayLimits;
  private readonly line = new RequestLine();
  private readonly scanner: HeadScanner;
  private readonly pending = new PendingBytes();

  constructor(limits: GatewayLimits) {
    this.limits = limits;
    this.scanner = new HeadScanner({ bytes: limits.requestHeadBytes, count: limits.requestHeaderCount });
  }

  /** Whether a part of a head was read, or an empty line before it. */
  get begun(): boolean {
    return this.state !== BEFORE || this.pending.length > 0;
  }

  reset(): void {
    this.state = BEFORE;
    this.head = undefined;
    this.line.reset();
    this.pending.clear();
  }

  /** Takes the bytes `[from, length)`. Returns the index after the last one that belongs to the head: look at `head` and `refusal`. */
  feed(buffer: Buffer, from: number, length: number): number {
    const first = this.state <= BLANK_LF ? this.skipBlank(buffer, from, length) : from;
    if (this.refusal !== undefined || first === length) return first;
    const held = this.pending.length;
    const source = held > 0 ? this.pending.with(buffer, first, length) : buffer;
    // Index in `buffer` minus index in `source`.
    const shift = held > 0 ? first - held : 0;
    const base = held > 0 ? 0 : first;
    const after = this.scan(source, base, first - shift, length - shift);
    if (after >= 0) {
      this.head = this.take(source, base);
      return after + shift;
    }
    if (this.refusal === undefined) this.pending.keep(source, base, length - shift);
    return length;
  }

  /** A server ignores empty lines before a request (RFC 9112 section 2.2). */
  private skipBlank(buffer: Buffer, from: number, length: number): number {
    let at = from;
    while (at < length) {
      const byte = buffer[at];
      if (this.state === BEFORE && byte === CR) {
        this.state = BLANK_LF;
      } else if (this.state === BLANK_LF && byte === LF) {
        this.state = BEFORE;
      } else {
        if (this.state === BLANK_LF) this.refusal = { status: 400, detail: 'CR without LF' };
        this.state = LINE;
        return at;
      }
      at++;
    }
    return at;
  }

  private scan(source: Buffer, base: number, from: number, end: number): number {
    let at = from;
    if (this.state === LINE) {
      at = this.line.scan(source, base, from, end);
      if (at < 0) {
        this.refusal = this.line.refusal ?? (end - base > this.limits.requestHeadBytes ? TOO_LARGE : undefined);
        return -1;
      }
      this.scanner.reset('fields');
      this.state = FIELDS;
    }
    const after = this.scanner.scan(source, base, at, end);
    const { failure } = this.scanner;
    if (failure !== undefined) this.refusal = { status: this.scanner.isTooLarge ? 431 : 400, detail: failure };
    return after;
  }

  private take(source: Buffer, base: number): ReceivedHead {
    const { marks, count } = this.scanner;
    const rawHeaders: string[] = [];
    const origin = count === 0 ? 0 : (marks[0] as number);
    const end = count === 0 ? 0 : (marks[count - 1] as number);
    // Of one string names and values are slices: cheaper than a string of its own for each, but each keeps the whole alive.
    const text = end - origin <= SLICED_BYTES ? source.toString('latin1', base + origin, base + end) : undefined;
    for (let at = 0; at < count; at += 2) {
      const [from, to] = [marks[at] as number, marks[at + 1] as number];
      rawHeaders.push(text === undefined ? source.toString('latin1', base + from, base + to) : text.slice(from - origin, to - origin));
    }
    const { method, target, version } = this.line;
    return { method, target, version, rawHeaders };
  }
}
