import type { RequestFraming } from './client-exchange.ts';
import type { Refusal } from './request-target.ts';

/** `chunked` is among the codings, and not the last: where the body ends cannot be known (RFC 9112 section 6.3). */
const CHUNKED_NOT_LAST = /(?:^|,)[ \t]*chunked[ \t]*,/i;

/** What a request says about where its body ends. */
export interface FramingLines {
  /** Content-Length and Transfer-Encoding lines in all. */
  readonly count: number;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
}

/** How the body of a request is framed (RFC 9112 section 6.3), or why that is uncertain: whatever two servers could read differently is refused. */
export function readFraming({ count, contentLength, transferEncoding }: FramingLines): RequestFraming | Refusal {
  if (count === 0) return 'none';
  if (count > 1) return { status: 400, detail: 'ambiguous body length' };
  if (transferEncoding === undefined) {
    return /^[0-9]{1,15}$/.test(contentLength ?? '') ? 'length' : { status: 400, detail: 'invalid Content-Length' };
  }
  if (transferEncoding.toLowerCase() === 'chunked') return 'chunked';
  if (transferEncoding === '' || CHUNKED_NOT_LAST.test(transferEncoding)) return { status: 400, detail: 'invalid Transfer-Encoding' };
  return { status: 501, detail: 'unknown Transfer-Encoding' };
}
