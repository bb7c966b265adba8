/** Where the gateway's own parser accepts what llhttp refuses. */
export interface AllowedDifference {
  /** llhttp's reason, and whether the head was whole before. */
  readonly reason: RegExp;
  readonly section: string;
  readonly what: string;
  /** Why nobody can be misled by it. */
  readonly why: string;
}

/** In what the gateway's parser reads, responses and chunks: every other difference is a failure. */
export const LAXER: readonly AllowedDifference[] = [
  {
    reason: /^after the head: Invalid (?:character|quoted-pair) in chunk extensions/,
    section: '9112 7.1.1',
    what: 'chunk extensions that are none, such as `5;a="b`',
    why: 'a recipient ignores extensions that it does not know; the gateway knows none, bounds them, takes no control character in them, and finds the end of their line where llhttp does; none is sent on',
  },
  {
    reason: /^after the head: .*(?:Content-Length|Transfer-Encoding)/,
    section: '9110 6.5.1',
    what: 'Content-Length or Transfer-Encoding as a trailer',
    why: 'a trailer that must not be is left out: it counts for nothing, and nobody sees it',
  },
  {
    reason: /^in the head: Data after `Connection: close`/,
    section: '9110 15.2',
    what: 'a final response after an interim one with `Connection: close`, or of HTTP/1.0',
    why: 'the final response comes after any interim one; an upstream that says `close` is not asked again',
  },
];

/** The part of llhttp's verdict on a request that the scanner and the decoder leave to others (incoming-request.ts, request-target.ts). */
export const NOT_ASKED =
  /^in the head: (?:Unexpected (?:start )?char in url|Invalid (?:char(?:acters)? in url|method|HTTP version|minor version|major version)|Expected (?:HTTP|CRLF after version|dot|space after method|SOURCE method)|(?:Invalid character in|Duplicate|Empty) Content-Length|Content-Length (?:overflow|can't)|Transfer-Encoding can't|(?:Invalid|Request has invalid) `Transfer-Encoding`)/;
