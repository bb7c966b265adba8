import type { Draw } from './draw.ts';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PURGE'];
const PATHS = [
  '/',
  '/a',
  '/a/b?c=d',
  '/a/../b',
  '/%61',
  '/a%2fb',
  '/a;b',
  '//a',
  '/?',
  '/a\\b',
  '/.',
  '/%2e%2e/a',
  'http://other/x',
  'HTTP://h:80?q',
  '*',
  'a:1',
];
const HOSTS = ['shop', 'shop:80', '[::1]', 'a.b', 'SHOP'];
const FIELDS = [
  ...[
    'Accept: */*',
    'User-Agent: a b (c)',
    'Cookie: a=b; c="d e"',
    'X-Empty:',
    'x-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'Accept: a,b',
    'TE: trailers',
  ],
  ...[
    'X-Obs: \x80\xfe',
    'Connection: keep-alive',
    'Connection: close',
    'Cache-Control: no-cache',
    'X-A: 1',
    'X-A: 2',
    'Content-Type: text/plain',
  ],
];
const BODIES = ['', 'hello', 'a=b&c=d', '0\r\n\r\n', 'GET /hidden HTTP/1.1\r\nHost: shop\r\n\r\n', '\r\n', '\0\xff', 'x'.repeat(300)];
const EXTENSIONS = ['', '', '', '', ';a', ';a=b', ';a="b;c"', ';a=b;c', ';a="\\""'];
const TRAILERS = ['', '', '', 'X-T: a\r\n', 'x-t: a\r\nY:\r\n', 'Host: a\r\n', 'Connection: close\r\n', 'Content-MD5: \x80\r\n'];
const STATUSES = ['200 OK', '200 OK', '200 OK', '404 Not Found', '204 No Content', '304 Not Modified', '500', '302 \xe9', '206 ', '999 x'];
const INTERIM = ['100 Continue', '103 Early Hints', '102 Processing'];

function someFields(draw: Draw): string {
  let text = '';
  for (let left = draw.below(4); left > 0; left--) text += `${draw.of(FIELDS)}\r\n`;
  return text;
}

/** A body in chunks. */
function inChunks(body: string, draw: Draw): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const size = 1 + draw.below(body.length - at);
    const digits = size.toString(16);
    text += `${draw.oneIn(4) ? digits.toUpperCase().padStart(3, '0') : digits}${draw.of(EXTENSIONS)}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${text}0${draw.of(EXTENSIONS)}\r\n${draw.of(TRAILERS)}\r\n`;
}

/** A request that is right, or nearly. `mark` becomes the value of a field by which to tell it from others. */
export function requestText(draw: Draw, mark: string): string {
  const method = draw.of(METHODS);
  const start = `${method} ${draw.of(PATHS)} HTTP/1.1\r\n`;
  const lines = [`Host: ${draw.of(HOSTS)}\r\n`, `X-Mark: ${mark}\r\n`, someFields(draw)];
  if (draw.oneIn(4)) lines.reverse();
  const fields = lines.join('');
  const body = draw.of(BODIES);
  const kind = method === 'GET' || method === 'HEAD' ? draw.below(12) : draw.below(4);
  if (kind === 1) return `${start}${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
  if (kind === 2) return `${start}${fields}Transfer-Encoding: chunked\r\n\r\n${inChunks(body, draw)}`;
  if (kind === 3) return `${start}Content-Length: ${body.length}\r\n${fields}\r\n${body}`;
  return `${start}${fields}\r\n`;
}

/** A response that is right, or nearly, perhaps after interim ones. */
export function responseText(draw: Draw, mark: string): string {
  let interim = '';
  while (draw.oneIn(6)) interim += `HTTP/1.1 ${draw.of(INTERIM)}\r\n${draw.oneIn(2) ? 'Link: </a>\r\n' : ''}\r\n`;
  const start = `${interim}HTTP/1.${draw.oneIn(8) ? 0 : 1} ${draw.of(STATUSES)}\r\n`;
  const fields = `X-Mark: ${mark}\r\n${someFields(draw)}`;
  const body = draw.of(BODIES);
  const kind = draw.below(5);
  if (kind === 0) return `${start}${fields}\r\n${body}`;
  if (kind <= 2) return `${start}${fields}Transfer-Encoding: chunked\r\n\r\n${inChunks(body, draw)}`;
  return `${start}Content-Length: ${body.length}\r\n${fields}\r\n${body}`;
}
