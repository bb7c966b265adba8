import { FIELD, fieldName } from '../header-names.ts';
import type { GatewayLimits } from '../limits.ts';
import { ChunkedDecoder, type PieceSink } from './chunked-decoder.ts';

/** The body of one request, as it is received (RFC 9112 section 6). */
export class RequestBody {
  complete = false;
  /** The status of the answer, once it has turned out to be malformed or too large. */
  failure: number | undefined;

  private remaining: number;
  private readonly chunks: ChunkedDecoder | undefined;

  /** `length`: bytes of it; undefined: it comes in chunks. */
  constructor(length: number | undefined, limits: GatewayLimits) {
    this.remaining = length ?? 0;
    this.complete = length === 0;
    if (length === undefined) this.chunks = new ChunkedDecoder({ bytes: limits.trailerBytes, count: limits.requestHeaderCount });
  }

  /** name, value, name, value, ... as received, once it is complete; undefined where there are none. */
  get trailers(): readonly string[] | undefined {
    return this.chunks?.trailers;
  }

  /** Takes the bytes `[from, length)` until the body ends or fails; `sink` is given what they have of it in one piece. Returns the index after the last one that was taken. */
  feed(buffer: Buffer, from: number, length: number, sink: PieceSink): number {
    const { chunks } = this;
    if (chunks === undefined) {
      const stop = Math.min(length, from + this.remaining);
      this.remaining -= stop - from;
      if (stop > from) sink(buffer, from, stop);
      this.complete = this.remaining === 0;
      return stop;
    }
    const stop = chunks.decode(buffer, from, length, sink);
    if (chunks.failure !== undefined) this.failure = chunks.refusal;
    else if (chunks.trailers?.some(isFraming)) this.failure = 400;
    else this.complete = chunks.done;
    return stop;
  }
}

/** Whether this name among trailers says how long the body was, which is not for a trailer to say (RFC 9110 section 6.5.1). */
function isFraming(text: string, at: number): boolean {
  if (at % 2 === 1) return false;
  const { kind } = fieldName(text);
  return kind === FIELD.contentLength || kind === FIELD.transferEncoding;
}
