import { ChunkedDecoder } from './http1/chunked-decoder.ts';
import { HeadScanner } from './http1/head-scanner.ts';
import { PendingBytes } from './http1/pending-bytes.ts';
import type { GatewayLimits } from './limits.ts';
import { interpretResponseHead, type ResponseHead } from './response-head.ts';

/** Receives one response. The bytes given to `responseData` are valid during the call only. */
export interface ResponseSink {
  /** Head of a 1xx response other than 101: any number of them may come before the final one. */
  responseInterim(head: ResponseHead): void;
  /** The final head, or a 101 that was asked for. */
  responseHead(head: ResponseHead): void;
  responseData(buffer: Buffer, start: number, end: number): void;
  /** `trailers`: name, value, name, value, ... as received; undefined where there are none. */
  responseEnd(trailers: readonly string[] | undefined): void;
}

/** What the parser is waiting for. */
export type ParserState = 'idle' | 'head' | 'length' | 'chunked' | 'close' | 'tunnel' | 'failed';

/**
 * Strict, incremental parser of HTTP/1.1 responses (RFC 9112). One instance serves one connection: `begin` for each
 * request, then `feed` with whatever was read. Any split of the bytes gives the same result.
 */
export class ResponseParser {
  state: ParserState = 'idle';
  /** Why the state is `failed`. */
  failure: string | undefined;
  /** After the end of a response: whether another request may follow on the connection. */
  keepAlive = false;
  /** Milliseconds that the upstream keeps the connection, where it said so. */
  keepAliveMs: number | undefined;

  private sink: ResponseSink | undefined;
  private toHead = false;
  private upgradeAsked = false;
  private interim = 0;
  private remaining = 0;
  private readonly limits: GatewayLimits;
  private readonly scanner: HeadScanner;
  private chunks: ChunkedDecoder | undefined;
  private readonly pending = new PendingBytes();
  private readonly emit = (buffer: Buffer, start: number, end: number): void => this.sink?.responseData(buffer, start, end);

  constructor(limits: GatewayLimits) {
    this.limits = limits;
    this.scanner = new HeadScanner({ bytes: limits.responseHeadBytes, count: limits.responseHeaderCount });
  }

  /** Expects the response to a request just sent. `toHead`: it was a HEAD; `upgradeAsked`: it carried `Upgrade`, so 101 may come. */
  begin(sink: ResponseSink, toHead: boolean, upgradeAsked: boolean): void {
    this.sink = sink;
    this.toHead = toHead;
    this.upgradeAsked = upgradeAsked;
    this.interim = 0;
    this.keepAlive = false;
    this.state = 'head';
    this.pending.clear();
    this.scanner.reset('status line');
  }

  /** Nobody wants the rest: nothing more reaches the sink. */
  abandon(): void {
    this.sink = undefined;
  }

  /**
   * Takes the bytes `[0, length)` of `buffer`. Returns how many belong to the response: fewer than `length` after its end
   * (surplus, so that the connection must not be used again), after a 101 (the tunnel's first bytes) or a failure.
   */
  feed(buffer: Buffer, length: number): number {
    let at = 0;
    if (this.state === 'head') at = this.feedHead(buffer, length);
    if (at < length) {
      if (this.state === 'length') return this.feedLength(buffer, at, length);
      if (this.state === 'chunked') return this.feedChunked(buffer, at, length);
      if (this.state === 'close') {
        this.sink?.responseData(buffer, at, length);
        return length;
      }
    }
    return at;
  }

  /** Whether a part of the response that is due has come; 1xx ones before it do not count. */
  get begun(): boolean {
    return this.state !== 'head' || this.pending.length > 0;
  }

  /** The upstream closed its side. True where that ends the response, false where it cuts one off. */
  finish(): boolean {
    if (this.state !== 'close') return false;
    this.end(undefined);
    return true;
  }

  private feedHead(buffer: Buffer, length: number): number {
    const held = this.pending.length;
    const source = held > 0 ? this.pending.with(buffer, 0, length) : buffer;
    const stop = held + length;
    let base = 0;
    let from = held;
    for (;;) {
      const after = this.scanner.scan(source, base, from, stop);
      if (after < 0) break;
      this.takeHead(source, base, after);
      if (this.state !== 'head') {
        this.pending.clear();
        return after - held;
      }
      this.scanner.reset('status line');
      base = after;
      from = after;
    }
    if (this.scanner.failure !== undefined) {
      this.fail(this.scanner.failure);
      return 0;
    }
    this.pending.keep(source, base, stop);
    return length;
  }

  private takeHead(source: Buffer, base: number, after: number): void {
    const text = source.toString('latin1', base, after);
    const head = interpretResponseHead(text, this.scanner.startLineEnd, this.scanner.marks, this.scanner.count, this.toHead);
    if ('invalid' in head) this.fail(head.invalid);
    else if (head.status >= 200) this.start(head);
    else if (head.status === 101) this.switchProtocols(head);
    else if (++this.interim > this.limits.interimResponses) this.fail('too many 1xx responses');
    else this.sink?.responseInterim(head);
  }

  private start(head: ResponseHead): void {
    this.keepAlive = head.keepAlive;
    this.keepAliveMs = head.keepAliveMs;
    this.remaining = head.contentLength;
    if (head.framing === 'chunked') {
      this.chunks ??= new ChunkedDecoder({ bytes: this.limits.trailerBytes, count: this.limits.responseHeaderCount });
      this.chunks.reset();
      this.state = 'chunked';
    } else if (head.framing === 'close') {
      this.state = 'close';
    } else {
      this.state = this.remaining > 0 ? 'length' : 'idle';
    }
    this.sink?.responseHead(head);
    if (this.state === 'idle') this.end(undefined);
  }

  private switchProtocols(head: ResponseHead): void {
    if (!this.upgradeAsked || head.upgrade === undefined) {
      this.fail('101 that was not asked for');
      return;
    }
    this.state = 'tunnel';
    this.sink?.responseHead(head);
  }

  private feedLength(buffer: Buffer, from: number, length: number): number {
    const stop = Math.min(length, from + this.remaining);
    this.remaining -= stop - from;
    this.sink?.responseData(buffer, from, stop);
    if (this.remaining === 0) this.end(undefined);
    return stop;
  }

  private feedChunked(buffer: Buffer, from: number, length: number): number {
    const chunks = this.chunks;
    if (chunks === undefined) return from;
    const stop = chunks.decode(buffer, from, length, this.emit);
    if (chunks.failure !== undefined) this.fail(chunks.failure);
    else if (chunks.done) this.end(chunks.trailers);
    return stop;
  }

  private end(trailers: readonly string[] | undefined): void {
    this.state = 'idle';
    const sink = this.sink;
    this.sink = undefined;
    sink?.responseEnd(trailers);
  }

  private fail(reason: string): void {
    this.state = 'failed';
    this.failure = reason;
    this.keepAlive = false;
  }
}
