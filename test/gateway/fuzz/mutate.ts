import type { Draw } from './draw.ts';

/** Bytes at which parsers part. */
const BYTES = [...'\0\t\n\x0b\x0c\r\x1b\x1f !"#%,-./0159:;=?@AFZ[\\]_aefgz{|}~\x7f\x80\x85\xa0\xc3\xff'];
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\r\n ', '\r\n\t', '\0\n', '', ' \r\n', '\n\n', '\x85', '\r\0\n'];
const NUMBERS = [
  ...['0', '1', '5', '00', '05', '-1', '+5', '0x5', '5,5', '5, 5', '5 5', '5.0', '5e0', '', ' ', '5;', '0_5', 'a', 'F', 'ff', 'g', '-0'],
  ...['9999999999999999', '18446744073709551621', 'ffffffffffffffff', 'fffffffffffffffff', '10000000000000005', '99999999999999999999'],
];
const LINES = [
  ...['Content-Length: 5', 'Content-Length: 0', 'content-length: 50', 'Content-Length: ', 'Content-Length : 5', 'Content-Length: 5, 5'],
  ...['Transfer-Encoding: chunked', 'transfer-encoding: CHUNKED', 'Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: identity'],
  ...['Transfer-Encoding : chunked', 'Transfer-Encoding: chunked, chunked', 'Transfer-Encoding:\tchunked', 'Transfer-Encoding: xchunked'],
  ...['Host: other', 'Host: ', 'Connection: close', 'Connection: keep-alive', 'Connection: upgrade', 'Connection: Upgrade, close'],
  ...['Connection: host, cookie, content-length', 'Connection: transfer-encoding', 'Upgrade: websocket', 'Upgrade: h2c', 'Trailer: X'],
  ...['Expect: 100-continue', 'Expect: tea', 'TE: trailers', 'Keep-Alive: timeout=1', 'Proxy-Connection: close', 'Cookie: a=b; c'],
  ...[' folded', '\tfolded', ':', ': a', 'no colon', 'X Y: z', 'X-Forwarded-For: 1.2.3.4', 'X-Request-Id: 1', 'Max-Forwards: 0'],
  ...['GET /hidden HTTP/1.1', 'HTTP/1.1 200 OK', '0', '5', '5;a=b', '', 'X: \x80\xff', 'X: a\x01b'],
];

type Mutation = (text: string, draw: Draw, other: string) => string;

function replaced(text: string, from: number, to: number, by: string): string {
  return text.slice(0, from) + by + text.slice(to);
}

/** Places of a pattern in the text. */
function places(text: string, pattern: RegExp): readonly RegExpExecArray[] {
  return [...text.matchAll(pattern)];
}

function replaceOne(text: string, draw: Draw, pattern: RegExp, by: string): string {
  const found = places(text, pattern);
  if (found.length === 0) return text;
  const { index, 0: match } = draw.of(found);
  return replaced(text, index, index + match.length, by);
}

function splitLines(text: string): string[] {
  return text.split(/(?<=\r\n)/);
}

const MUTATIONS: readonly Mutation[] = [
  (text, draw) => {
    const at = draw.below(text.length);
    return replaced(text, at, at + 1, draw.of(BYTES));
  },
  (text, draw) => {
    const at = draw.below(text.length + 1);
    return replaced(text, at, at, draw.of(BYTES));
  },
  (text, draw) => {
    const at = draw.below(text.length);
    return replaced(text, at, at + 1 + (draw.oneIn(3) ? draw.below(8) : 0), '');
  },
  (text, draw) => replaceOne(text, draw, /\r\n/g, draw.of(LINE_ENDS)),
  (text, draw) => replaceOne(text, draw, /[0-9A-Fa-f]+(?=[\r;])/g, draw.of(NUMBERS)),
  (text, draw) => {
    const lines = splitLines(text);
    lines.splice(draw.below(lines.length + 1), 0, `${draw.of(LINES)}\r\n`);
    return lines.join('');
  },
  (text, draw) => {
    const lines = splitLines(text);
    lines.splice(draw.below(lines.length + 1), 0, draw.of(lines));
    return lines.join('');
  },
  (text, draw) => {
    const lines = splitLines(text);
    lines.splice(draw.below(lines.length), 1);
    return lines.join('');
  },
  (text, draw) => {
    const lines = splitLines(text);
    const [moved = ''] = lines.splice(draw.below(lines.length), 1);
    lines.splice(draw.below(lines.length + 1), 0, moved);
    return lines.join('');
  },
  // A splice: the beginning of one, the end of another.
  (text, draw, other) => text.slice(0, draw.below(text.length + 1)) + other.slice(draw.below(other.length + 1)),
  (text, draw, other) => {
    const at = draw.below(text.length + 1);
    const from = draw.below(other.length + 1);
    return replaced(text, at, at, other.slice(from, from + draw.below(40)));
  },
  (text, draw) => replaceOne(text, draw, /: ?/g, draw.of([' : ', ':', ':  ', ':\t', ' :', '\t: ', ':\r\n ', ': \x0b', ';', '', ':\0'])),
  (text, draw) =>
    replaceOne(
      text,
      draw,
      /chunked/gi,
      draw.of(['CHUNKED', 'chunked, chunked', 'chunked;a', ' chunked', 'chunke', '"chunked"', 'gzip', 'identity, chunked']),
    ),
  (text, draw) =>
    replaceOne(
      text,
      draw,
      /HTTP\/1\.1/g,
      draw.of(['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', 'RTSP/1.1', 'HTTP/0.9', 'HTTP/1.1x']),
    ),
  (text, draw) => text.slice(0, draw.below(text.length + 1)),
];

/** The message with a few mistakes in it; `other` is what it may be spliced with. */
export function mutate(text: string, other: string, draw: Draw): string {
  let mutated = text;
  for (let left = 1 + (draw.oneIn(3) ? draw.below(4) : 0); left > 0 && mutated !== ''; left--) {
    mutated = draw.of(MUTATIONS)(mutated, draw, other);
  }
  return mutated;
}
