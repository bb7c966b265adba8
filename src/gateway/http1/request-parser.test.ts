import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, withDefaults } from '../limits.ts';
import { RequestParser } from './request-parser.ts';

/** Feeds text piece by piece to a new parser; gives it, and how many bytes belonged to the head. */
function read(pieces: readonly string[], limits = DEFAULT_LIMITS): { readonly parser: RequestParser; readonly taken: number } {
  const parser = new RequestParser(limits);
  let taken = 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    taken += parser.feed(bytes, 0, bytes.length);
    // A buffer may be used again once it was read.
    bytes.fill(0);
    if (parser.head !== undefined || parser.refusal !== undefined) break;
  }
  return { parser, taken };
}

const HEAD = 'GET /a?b HTTP/1.1\r\nHost: shop\r\nX:  \t y z \r\nEmpty:\r\n\r\n';

describe('a head', () => {
  it('is taken apart, and what follows it is left', () => {
    const { parser, taken } = read([`${HEAD}GET /next`]);
    expect(parser.head).toEqual({
      ...{ method: 'GET', target: '/a?b', version: '1.1' },
      rawHeaders: ['Host', 'shop', 'X', 'y z', 'Empty', ''],
    });
    expect(taken).toBe(HEAD.length);
  });

  it('may stand behind empty lines, and have none of its own lines', () => {
    expect(read(['\r\n\r\nGET / HTTP/1.1\r\n\r\n']).parser.head).toEqual({ method: 'GET', target: '/', version: '1.1', rawHeaders: [] });
  });

  it('is read alike wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(HEAD.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.sort((left, right) => left - right), HEAD.length];
        const pieces = places.slice(1).map((end, at) => HEAD.slice(places[at], end));
        const { parser, taken } = read(pieces);
        expect(parser.head).toEqual(read([HEAD]).parser.head);
        expect(taken).toBe(HEAD.length);
      }),
    );
  });

  it('begins with its first byte, and the next one after a reset', () => {
    const { parser } = read(['']);
    expect(parser.begun).toBe(false);
    parser.feed(Buffer.from('G'), 0, 1);
    expect(parser.begun).toBe(true);
    parser.reset();
    expect(parser.begun).toBe(false);
    expect(parser.feed(Buffer.from(HEAD), 0, HEAD.length)).toBe(HEAD.length);
    expect(parser.head?.target).toBe('/a?b');
  });
});

// Whether whole requests are refused, and never forwarded: test/gateway/smuggling. Here, that it is not waited for more.
describe('what cannot become a request is refused at its first wrong byte', () => {
  it.each([
    ['a TLS hello', '\x16', 400],
    ['SSH', 'SSH-2', 400],
    ['a method that there is not', 'FOO ', 400],
    ['a method without end', 'A'.repeat(17), 400],
    ['a control character in the target', 'GET /\x01', 400],
    ['no target', 'GET \r', 400],
    ['HTTP/0.9', 'GET /\r', 426],
    ['another protocol', 'GET / R', 400],
    ['a version to come', 'GET / HTTP/1.2\r', 426],
    ['a version of two digits', 'GET / HTTP/1.10', 400],
    ['LF alone', 'GET / HTTP/1.1\n', 400],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost ', 400],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\n ', 400],
    ['CR alone before the request', '\rG', 400],
  ])('%s', (_name, text, status) => {
    expect(read([text]).parser.refusal?.status).toBe(status);
    expect(read([...text]).parser.refusal?.status).toBe(status);
    const before = read([text.slice(0, -1)]).parser;
    expect([before.refusal, before.head]).toEqual([undefined, undefined]);
  });
});

describe('limits', () => {
  const limits = withDefaults({ requestHeadBytes: 1024, requestHeaderCount: 10 });
  /** A head of so many bytes. */
  const sized = (bytes: number): string => `GET / HTTP/1.1\r\nX: ${'a'.repeat(bytes - 23)}\r\n\r\n`;

  it('count every byte of a head, and its lines', () => {
    expect(read([sized(1024)], limits).parser.head).toBeDefined();
    expect(read([sized(1025)], limits).parser.refusal?.status).toBe(431);
    expect(read([`GET /${'a'.repeat(1020)}`], limits).parser.refusal?.status).toBe(431);
    const lines = (count: number): string => `GET / HTTP/1.1\r\n${'X: a\r\n'.repeat(count)}\r\n`;
    expect(read([lines(10)], limits).parser.head).toBeDefined();
    expect(read([lines(11)], limits).parser.refusal?.status).toBe(431);
  });

  it('hold what a connection keeps between requests: nothing of the one before', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const idle: RequestParser[] = [];
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 200; at++) {
      const { parser } = read([`GET /${'a'.repeat(50_000)} HTTP/1.1\r\n\r\n`]);
      expect(parser.head?.target.length).toBe(50_001);
      parser.reset();
      idle.push(parser);
    }
    collect();
    // 10 MB of targets went by.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
    expect(idle.length).toBe(200);
  });
});
