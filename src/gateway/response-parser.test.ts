import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_EXTENSION_BYTES, DEFAULT_LIMITS } from './limits.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';

interface Parsed {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
  readonly body: string;
  /** Statuses of the 1xx responses before. */
  readonly interim: readonly number[];
  readonly trailers: readonly string[];
  readonly ended: boolean;
  readonly failed: boolean;
  readonly keepAlive: boolean;
  /** Bytes after the response. */
  readonly surplus: number;
}

/** Feeds `text` (latin1) in pieces cut at `cuts`; `close`: the upstream closes afterwards. */
function parse(text: string, cuts: readonly number[] = [], { toHead = false, upgrade = false, close = false } = {}): Parsed {
  const bytes = Buffer.from(text, 'latin1');
  const parser = new ResponseParser(DEFAULT_LIMITS);
  let head: ResponseHead | undefined;
  let body = '';
  const interim: number[] = [];
  let trailers: readonly string[] = [];
  let ended = false;
  parser.begin(
    {
      responseInterim: ({ status }) => interim.push(status),
      responseHead: (value) => {
        head = value;
      },
      responseData: (buffer, start, end) => {
        body += buffer.toString('latin1', start, end);
      },
      responseEnd: (received) => {
        trailers = received ?? [];
        ended = true;
      },
    },
    toHead,
    upgrade,
  );
  let used = 0;
  const edges = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  let from = 0;
  for (const edge of edges) {
    // A buffer of its own, overwritten afterwards, as a connection's read buffer is.
    const piece = Buffer.from(bytes.subarray(from, edge));
    from = edge;
    if (piece.length === 0 || parser.state === 'failed' || parser.state === 'tunnel' || ended) continue;
    used += parser.feed(piece, piece.length);
    piece.fill(0);
  }
  if (close && !ended && parser.state !== 'failed') parser.finish();
  const failed = parser.state === 'failed';
  return {
    status: head?.status,
    reason: head?.reason,
    fields: head?.fields ?? [],
    body,
    interim,
    trailers,
    ended,
    failed,
    keepAlive: parser.keepAlive,
    surplus: failed ? 0 : bytes.length - used,
  };
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe('the end of a body', () => {
  it('is where Content-Length says', () => {
    expect(parse(`${OK}Content-Length: 5\r\n\r\nhello`)).toMatchObject({ body: 'hello', ended: true, keepAlive: true, surplus: 0 });
    expect(parse(`${OK}Content-Length: 5\r\n\r\nhell`)).toMatchObject({ body: 'hell', ended: false });
    expect(parse(`${OK}Content-Length: 0\r\n\r\n`)).toMatchObject({ body: '', ended: true });
  });

  it('is the last chunk, and the trailers are not among the headers', () => {
    const text = `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x="y"\r\n0123456789\r\n0\r\nDigest: abc\r\n\r\n`;
    expect(parse(text)).toMatchObject({ body: 'hello0123456789', ended: true, keepAlive: true, surplus: 0, fields: [] });
    expect(parse(text).trailers).toEqual(['Digest', 'abc']);
  });

  it('is the close where neither is given', () => {
    expect(parse(`${OK}\r\nhello`, [], { close: true })).toMatchObject({ body: 'hello', ended: true, keepAlive: false });
    expect(parse(`${OK}\r\nhello`)).toMatchObject({ body: 'hello', ended: false });
  });

  it('is not the close where the length was given', () => {
    expect(parse(`${OK}Content-Length: 5\r\n\r\nhell`, [], { close: true }).ended).toBe(false);
    expect(parse(`${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, [], { close: true }).ended).toBe(false);
    expect(parse(`${OK}Content-Le`, [], { close: true }).ended).toBe(false);
  });

  it.each([
    ['an answer to HEAD', OK, { toHead: true }],
    ['204', 'HTTP/1.1 204 No Content\r\n', {}],
    ['304', 'HTTP/1.1 304 Not Modified\r\n', {}],
  ])('comes at once for %s, whatever its head says', (_name, statusLine, options) => {
    for (const framing of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '']) {
      expect(parse(`${statusLine}${framing}\r\nhello`, [], options)).toMatchObject({ body: '', ended: true, surplus: 5 });
    }
  });

  it('keeps the length that a body would have had for HEAD and 304, and none for 204', () => {
    expect(parse(`${OK}Content-Length: 5\r\n\r\n`, [], { toHead: true }).fields).toEqual(['content-length', '5']);
    expect(parse('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n').fields).toEqual(['content-length', '5']);
    expect(parse('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n').fields).toEqual([]);
  });
});

describe('1xx', () => {
  it('is told apart, and 101 is taken where it was asked for', () => {
    const early = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
    expect(parse(`${early}${OK}Content-Length: 2\r\n\r\nhi`)).toMatchObject({
      ...{ interim: [100, 103], status: 200, body: 'hi', ended: true },
    });
    const switched = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes';
    expect(parse(switched, [], { upgrade: true })).toMatchObject({ status: 101, body: '', ended: false, surplus: 6 });
    expect(parse(switched)).toMatchObject({ failed: true });
  });

  it('cannot go on for ever', () => {
    expect(parse('HTTP/1.1 100 Continue\r\n\r\n'.repeat(DEFAULT_LIMITS.interimResponses + 1)).failed).toBe(true);
  });
});

describe('the connection', () => {
  it.each([
    ['HTTP/1.1 200 OK\r\n', true],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\n', false],
    ['HTTP/1.1 200 OK\r\nConnection: x-a, Close\r\n', false],
    ['HTTP/1.0 200 OK\r\n', false],
    ['HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n', true],
  ])('after %j may be used again: %s', (head, keepAlive) => {
    expect(parse(`${head}Content-Length: 0\r\n\r\n`)).toMatchObject({ ended: true, keepAlive });
  });

  it('is all that Trailer is about: the header passes with chunks only', () => {
    expect(parse(`${OK}Trailer: a\r\nTrailer: b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`).fields).toEqual(['trailer', 'a, b']);
    expect(parse(`${OK}Trailer: a\r\nContent-Length: 0\r\n\r\n`).fields).toEqual(['content-length', '0']);
    expect(parse(`${OK}Trailer: a\r\nConnection: trailer\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`).fields).toEqual([]);
  });

  it('keeps its own headers to itself', () => {
    const text = `${OK}Connection: x-hop, cookie\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: a\r\nTrailer: b\r\nTE: c\r\nUpgrade: h2c\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n`;
    expect(parse(text).fields).toEqual(['set-cookie', 'a=b', 'set-cookie', 'c=d', 'content-length', '0']);
  });
});

describe('refused', () => {
  it.each([
    ['another protocol', 'HTTP/2 200 OK\r\n\r\n'],
    ['another version', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['no protocol', '200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a control character in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
    ['LF alone after the status line', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['LF alone after a header', `${OK}Content-Length: 0\n\r\n`],
    ['LF alone at the end of the head', `${OK}Content-Length: 0\r\n\n`],
    ['CR alone', `${OK}X: a\rb\r\n\r\n`],
    ['a folded line', `${OK}X: a\r\n b\r\n\r\n`],
    ['a space before the colon', `${OK}X : a\r\n\r\n`],
    ['a header without colon', `${OK}X\r\n\r\n`],
    ['a header without name', `${OK}: a\r\n\r\n`],
    ['NUL in a value', `${OK}X: a\0b\r\n\r\n`],
    ['DEL in a value', `${OK}X: a\x7fb\r\n\r\n`],
    ['both framings', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`],
    ['a list of lengths', `${OK}Content-Length: 3, 3\r\n\r\n`],
    ['a negative length', `${OK}Content-Length: -3\r\n\r\n`],
    ['a signed length', `${OK}Content-Length: +3\r\n\r\n`],
    ['a length beyond all numbers', `${OK}Content-Length: 99999999999999999999\r\n\r\n`],
    ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['two codings', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['chunked in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['an empty chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
    ['a chunk size that is no number', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ['a chunk size with a space', `${OK}Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n`],
    ['a chunk size with 0x', `${OK}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n`],
    ['a chunk size beyond all numbers', `${OK}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(14)}\r\n`],
    ['LF alone after a chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n`],
    ['LF alone in a chunk extension', `${OK}Transfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n`],
    ['a chunk longer than its size', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n`],
    ['LF alone after a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\n0\r\n\r\n`],
    ['a malformed trailer', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX Y: a\r\n\r\n`],
    ['LF alone in the trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX: a\n\r\n`],
    ['a head without end', `${OK}X: ${'a'.repeat(DEFAULT_LIMITS.responseHeadBytes)}`],
    ['too many headers', `${OK}${'X: a\r\n'.repeat(DEFAULT_LIMITS.responseHeaderCount + 1)}`],
    ['trailers without end', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: aaaaaaaaaaaaaaaaaa\r\n'.repeat(500)}`],
    ['endless chunk extensions', `${OK}Transfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(CHUNK_EXTENSION_BYTES + 1)}`],
  ])('%s', (_name, text) => {
    expect(parse(text)).toMatchObject({ failed: true, ended: false });
    // As it drips in, too.
    expect(
      parse(
        text,
        Array.from({ length: Math.min(200, text.length) }, (_, at) => at),
      ),
    ).toMatchObject({ failed: true, ended: false });
  });
});

describe('tolerated', () => {
  it('a status line without reason, with or without the space', () => {
    expect(parse('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')).toMatchObject({ status: 200, reason: '', ended: true });
    expect(parse('HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n')).toMatchObject({ status: 200, reason: '', ended: true });
  });

  it('bytes above 127 in values and reason, and space around values', () => {
    expect(parse(`HTTP/1.1 200 \xe9t\xe9\r\nX:  \t a\xe9 b \t \r\nEmpty:\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({
      reason: '\xe9t\xe9',
      fields: ['x', 'a\xe9 b', 'empty', '', 'content-length', '0'],
    });
  });
});

const token = fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/);
const value = fc.stringMatching(/^[ -~]{0,30}$/);
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** A well-formed response in any of the framings, with interim ones before it and surplus after it. */
const response = fc
  .record({
    interim: fc.integer({ min: 0, max: 2 }),
    headers: fc.array(fc.tuple(token, value), { maxLength: 6 }),
    chunks: fc.array(body, { maxLength: 4 }),
    framing: fc.constantFrom('length', 'chunked', 'close'),
    surplus: fc.constantFrom('', 'HTTP/1.1 200 OK\r\n\r\n'),
  })
  .map(({ interim, headers, chunks, framing, surplus }) => {
    // x- keeps random names from being framing headers.
    const lines = headers.map(([name, text]) => `x-${name}: ${text}\r\n`).join('');
    const whole = chunks.join('');
    const head = `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(interim)}${OK}${lines}`;
    if (framing === 'length')
      return { text: `${head}Content-Length: ${whole.length}\r\n\r\n${whole}${surplus}`, whole, surplus: surplus.length };
    if (framing === 'close') return { text: `${head}\r\n${whole}`, whole, surplus: 0 };
    const coded = chunks
      .filter((chunk) => chunk !== '')
      .map((chunk) => `${chunk.length.toString(16)};e=1\r\n${chunk}\r\n`)
      .join('');
    return { text: `${head}Transfer-Encoding: chunked\r\n\r\n${coded}0\r\nT: x\r\n\r\n${surplus}`, whole, surplus: surplus.length };
  });

describe('however the bytes arrive', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });

  it('a well-formed response is the same', () => {
    fc.assert(
      fc.property(response, cuts, ({ text, whole, surplus }, where) => {
        const inOne = parse(text, [], { close: true });
        expect(inOne).toMatchObject({ body: whole, ended: true, failed: false, surplus });
        const inPieces = parse(text, where, { close: true });
        expect(inPieces).toEqual(inOne);
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });

  it('a damaged response is the same', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.constantFrom('\r', '\n', '\0', ' ', ':', ';', 'z', '0', '\x7f', '') });
    fc.assert(
      fc.property(response, fc.array(damage, { minLength: 1, maxLength: 3 }), cuts, ({ text }, damages, where) => {
        let damaged = text;
        for (const { at, byte } of damages) {
          const index = at % damaged.length;
          damaged = damaged.slice(0, index) + byte + damaged.slice(index + 1);
        }
        const { body: bodyInOne, ...inOne } = parse(damaged, [], { close: true });
        const { body: bodyInPieces, ...inPieces } = parse(damaged, where, { close: true });
        expect(inPieces).toEqual(inOne);
        expect(bodyInPieces).toBe(bodyInOne);
      }),
      { seed: 20261122, numRuns: 2000 },
    );
  });

  it('each byte on its own is enough', () => {
    const text = `HTTP/1.1 100 Continue\r\n\r\n${OK}Transfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n10;q\r\n0123456789abcdef\r\n0\r\nA: b\r\nC: d\r\n\r\n`;
    expect(parse(text, [...Buffer.from(text).keys()])).toEqual(parse(text));
    expect(parse(text)).toMatchObject({ body: 'abc0123456789abcdef', ended: true, interim: [100], trailers: ['A', 'b', 'C', 'd'] });
  });

  it('a head that drips in is scanned once', () => {
    // Quadratic work over 60 kB in single bytes would take minutes.
    const text = `${OK}X: ${'a'.repeat(DEFAULT_LIMITS.responseHeadBytes - 100)}\r\nContent-Length: 0\r\n\r\n`;
    const started = performance.now();
    expect(parse(text, [...Buffer.from(text).keys()])).toMatchObject({ ended: true });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
