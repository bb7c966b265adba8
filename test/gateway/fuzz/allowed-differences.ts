/** Where the gateway's own parser accepts what llhttp refuses. */
export interface AllowedDifference {
  /** llhttp's reason, and whether the head was whole before. */
  readonly reason: RegExp;
  /** What has to be in the message; anything where absent. */
  readonly where?: RegExp;
  readonly section: string;
  readonly what: string;
  /** Why nobody can be misled by it. */
  readonly why: string;
}

/** In what the gateway's parser reads, responses and chunks: every other difference is a failure. */
export const LAXER: readonly AllowedDifference[] = [
  {
    reason: /^after the head: .*(?:Content-Length|Transfer-Encoding)/,
    section: '9110 6.5.1',
    what: 'Content-Length or Transfer-Encoding as a trailer',
    why: 'a trailer that must not be is left out: it counts for nothing, and nobody sees it',
  },
  {
    reason: /^in the head: Invalid character in Content-Length/,
    where: /^Content-Length:[ \t]*[0-9]+\t[ \t]*\r$/im,
    section: '9112 5',
    what: 'a tab after a Content-Length, which Node’s own llhttp accepts, too',
    why: 'white space after a value, a tab as well, is no part of it; no other reading is possible',
  },
  {
    reason: /^in the head: a tab after the transfer coding/,
    section: '9112 5',
    what: 'a tab right after `chunked`, which llhttp takes for another coding (in a request for an error)',
    why: 'the same; the gateway sends its own chunks on',
  },
  {
    reason: /^in the head: Data after `Connection: close`/,
    section: '9110 15.2',
    what: 'a final response after an interim one with `Connection: close`, or of HTTP/1.0',
    why: 'the final response comes after any interim one; an upstream that says `close` is not asked again',
  },
];

/** The difference that explains why the gateway accepts this text, though llhttp gives that reason; undefined where none does. */
export function allowedDifference(reason: string, text: string): AllowedDifference | undefined {
  return LAXER.find((each) => each.reason.test(reason) && each.where?.test(text) !== false);
}
