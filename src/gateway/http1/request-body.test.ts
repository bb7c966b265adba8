import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../limits.ts';
import { RequestBody } from './request-body.ts';

/** What a body reads from pieces: its data, how many bytes it took, and the body. */
function read(
  length: number | undefined,
  pieces: readonly string[],
): { readonly data: string; readonly taken: number; readonly body: RequestBody } {
  const body = new RequestBody(length, DEFAULT_LIMITS);
  let data = '';
  let taken = 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    if (body.complete || body.failure !== undefined) break;
    taken += body.feed(bytes, 0, bytes.length, (buffer, start, end) => {
      data += buffer.toString('latin1', start, end);
    });
    bytes.fill(0);
  }
  return { data, taken, body };
}

describe('a body of known length', () => {
  it('ends there, and leaves what follows', () => {
    const { data, taken, body } = read(5, ['he', 'lloGET']);
    expect([data, taken, body.complete]).toEqual(['hello', 5, true]);
  });

  it('of none is complete before anything comes', () => {
    expect(read(0, []).body.complete).toBe(true);
  });
});

describe('a body in chunks', () => {
  const TEXT = '2\r\nhe\r\n3;a=b;c="d;\\"e";f\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n';

  it('is put together, with its trailers, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TEXT.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.sort((left, right) => left - right), TEXT.length];
        const pieces = places.slice(1).map((end, at) => TEXT.slice(places[at], end));
        const { data, taken, body } = read(undefined, [...pieces, 'GET']);
        expect([data, taken, body.complete, body.trailers]).toEqual(['hello', TEXT.length, true, ['X-Sum', '1']]);
      }),
    );
  });

  it('comes in one piece a read, however small its chunks: a piece costs far more than a byte', () => {
    const body = new RequestBody(undefined, DEFAULT_LIMITS);
    const bytes = Buffer.from(`${'1\r\nx\r\n'.repeat(1000)}3\r\nend\r\n0\r\n\r\nGET`);
    const before = bytes.toString();
    const got: string[] = [];
    const taken = body.feed(bytes, 0, bytes.length, (buffer, start, end) => void got.push(buffer.toString('latin1', start, end)));
    expect([got, taken, body.complete]).toEqual([[`${'x'.repeat(1000)}end`], bytes.length - 3, true]);
    expect(bytes.toString()).toBe(before);
  });

  it.each([
    ['a size that is none', 'x', 400],
    ['extensions without end', `1;${'a'.repeat(17 * 1024)}`, 413],
    ['an extension without a name', '1;=', 400],
    ['an extension without a value', '1;a=;', 400],
    ['words behind a quoted value', '1;a="b"c', 400],
    ['a space in an extension', '1;a b', 400],
    ['trailers without end', `0\r\n${`X: ${'a'.repeat(1000)}\r\n`.repeat(9)}`, 431],
    ['too many trailers', `0\r\n${'X: a\r\n'.repeat(101)}`, 431],
    ['a trailer that says how long it was', '0\r\nContent-Length: 5\r\n\r\n', 400],
    ['a trailer that says how it comes', '0\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ])('is refused for %s', (_name, text, status) => {
    expect(read(undefined, [text]).body.failure).toBe(status);
    expect(read(undefined, [...text]).body).toMatchObject({ failure: status, complete: false });
  });
});
