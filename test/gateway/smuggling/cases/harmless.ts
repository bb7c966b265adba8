import { type HarmlessRequest, sent } from '../harmless-request.ts';
import { chunked, get, HIDDEN, line, post } from '../request-text.ts';

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const LENGTH = 'content-length: 5\r\n';
const CHUNKED = 'transfer-encoding: chunked\r\n';
const H2C = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
const SPACE = ' '.repeat(50 * 1024);

type Row = readonly [section: string, name: string, bytes: string, ...upstream: string[]];
const each = (rows: readonly Row[], more: Partial<HarmlessRequest> = {}): readonly HarmlessRequest[] =>
  rows.map(([section, name, bytes, ...upstream]) => ({ section, name, bytes, upstream, ...more }));
const path = (target: string): string => line(`GET ${target} HTTP/1.1`);
const host = (authority: string): Row => [
  '3986 3.2.2',
  `Host: ${authority}`,
  `GET / HTTP/1.1\r\nHost: ${authority}\r\n\r\n`,
  sent('GET /', '', '', authority),
];
const normal = (section: string, target: string, expected: string): Row => [
  section,
  `the path ${target}`,
  path(target),
  sent(`GET ${expected}`),
];
const hundred = Array.from({ length: 99 }, (_, at) => `X${at}: a\r\n`).join('');

/** Requests that look odd, or like an attack, but say one thing only. */
export const HARMLESS: readonly HarmlessRequest[] = [
  ...each([
    ['9112 2.2', 'an empty line before the request', `\r\n${get('')}`, sent('GET /')],
    ['9112 2.2', 'several empty lines before the request', `\r\n\r\n\r\n${get('')}`, sent('GET /')],
    ['9112 3', 'several spaces in the request line', line('GET   /   HTTP/1.1'), sent('GET /')],
    ['9110 5.1', 'every character that a name may have', get("!#$%&'*+-.^_`|~09aZ: a\r\n"), sent('GET /', "!#$%&'*+-.^_`|~09az: a\r\n")],
    ['9110 5.5', 'a tab and bytes above 127 in a value', get('X: a\tb\xff\r\n'), sent('GET /', 'x: a\tb\xff\r\n')],
    ['9110 5.5', 'an empty value', get('X:\r\nY: \t \r\n'), sent('GET /', 'x: \r\ny: \r\n')],
    ['9110 5.5', 'space around a value', get('X: \t a \t\r\n'), sent('GET /', 'x: a\r\n')],
    ['9110 5.5', '50 KiB of space before a value', get(`X:${SPACE}a\r\n`), sent('GET /', 'x: a\r\n')],
    ['9110 5.3', 'a field in three lines', get('X: a\r\nY: b\r\nX: c\r\nx: d\r\n'), sent('GET /', 'x: a\r\ny: b\r\nx: c\r\nx: d\r\n')],
    ['9110 5.5', 'framing in a value', get('X: Content-Length: 5\r\n'), sent('GET /', 'x: Content-Length: 5\r\n')],
    [
      '9110 5.1',
      'names that only look like framing',
      get('Content_Length: 5\r\nTransfer_Encoding: chunked\r\n'),
      sent('GET /', 'content_length: 5\r\ntransfer_encoding: chunked\r\n'),
    ],
    ['6265 5.4', 'two Cookie lines', get('Cookie: a=b\r\nCookie: c=d\r\n'), sent('GET /', 'cookie: a=b\r\ncookie: c=d\r\n')],
    [
      '6265 4.2.1',
      'cookies with quotes, commas and spaces',
      get('Cookie: a="b, c"; d=e f;;=\r\n'),
      sent('GET /', 'cookie: a="b, c"; d=e f;;=\r\n'),
    ],
    ['9110 5.4', 'exactly 100 headers', get(hundred), sent('GET /', hundred.toLowerCase())],

    ['9112 6.2', 'space around a length', post('Content-Length: \t 5 \t\r\n', 'hello'), `${sent('POST /', '', LENGTH)}hello`],
    [
      '9112 6.2',
      'a length with leading zeros',
      post('Content-Length: 005\r\n', 'hello'),
      `${sent('POST /', '', 'content-length: 005\r\n')}hello`,
    ],
    ['9112 6.3', 'a POST without length', post(''), sent('POST /')],
    ['9112 6.3', 'a GET with a length of 0', get('Content-Length: 0\r\n'), sent('GET /', '', 'content-length: 0\r\n')],
    ['9110 9.3.1', 'a GET with a body', `${get('Content-Length: 5\r\n')}hello`, `${sent('GET /', '', LENGTH)}hello`],
    [
      '9110 9.3.1',
      'a GET with a request as its body',
      get(`Content-Length: ${HIDDEN.length}\r\n`) + HIDDEN,
      sent('GET /', '', `content-length: ${HIDDEN.length}\r\n`) + HIDDEN,
    ],
    [
      '9112 6.2',
      'a POST with a request as its body',
      post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN),
      sent('POST /', '', `content-length: ${HIDDEN.length}\r\n`) + HIDDEN,
    ],
    [
      '9112 7.1',
      'a request in a chunk',
      chunked(`${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`),
      `${sent('POST /', '', CHUNKED)}${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
    ],
    [
      '9112 7.1',
      'the end of a body in chunks within a chunk',
      chunked('5\r\n0\r\n\r\n\r\n0\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}5\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    ],
    [
      '9112 6.2',
      'a body that looks like chunks',
      post('Content-Length: 15\r\n', CHUNKS),
      sent('POST /', '', 'content-length: 15\r\n') + CHUNKS,
    ],

    ['9112 7', 'CHUNKED', post('Transfer-Encoding: CHUNKED\r\n', CHUNKS), sent('POST /', '', CHUNKED) + CHUNKS],
    ['9112 7', 'chunked after a tab', post('Transfer-Encoding:\tchunked \r\n', CHUNKS), sent('POST /', '', CHUNKED) + CHUNKS],
    ['9112 5', 'a tab right after chunked', post('Transfer-Encoding: chunked\t\r\n', CHUNKS), sent('POST /', '', CHUNKED) + CHUNKS],
    ['9112 7.1', 'no chunk but the last', chunked('0\r\n\r\n'), `${sent('POST /', '', CHUNKED)}0\r\n\r\n`],
    ['9112 7.1', 'chunk sizes with leading zeros', chunked('0000005\r\nhello\r\n000\r\n\r\n'), sent('POST /', '', CHUNKED) + CHUNKS],
    [
      '9112 7.1',
      'chunk sizes in capitals',
      chunked('A\r\nhellohello\r\n0\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}a\r\nhellohello\r\n0\r\n\r\n`,
    ],
    ['9112 7.1.1', 'a chunk extension', chunked('5;a=b\r\nhello\r\n0;c\r\n\r\n'), sent('POST /', '', CHUNKED) + CHUNKS],
    ['9112 7.1.1', 'a quoted chunk extension', chunked('5;a="b;\\"c"\r\nhello\r\n0;d\r\n\r\n'), sent('POST /', '', CHUNKED) + CHUNKS],
    [
      '9112 7.1.2',
      'a trailer',
      chunked('5\r\nhello\r\n0\r\nX: y\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}5\r\nhello\r\n0\r\nx: y\r\n\r\n`,
    ],
    [
      '9110 6.5.1',
      'trailers that must not be are dropped',
      chunked('0\r\nHost: other\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: x\r\nExpect: tea\r\nTE: x\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}0\r\n\r\n`,
    ],
    [
      '9110 6.5.1',
      'Connection: close in the trailers',
      chunked('0\r\nConnection: close\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}0\r\n\r\n`,
    ],
    [
      '9110 6.5.1',
      'an upgrade in the trailers',
      chunked('0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
      `${sent('POST /', '', CHUNKED)}0\r\n\r\n`,
    ],

    ['9110 7.6.1', 'Connection: cookie', get('Connection: cookie\r\nCookie: a=b\r\n'), sent('GET /', 'cookie: a=b\r\n')],
    ['9110 7.6.1', 'Connection: host', get('Connection: host\r\n'), sent('GET /')],
    [
      '9110 7.6.1',
      'Connection: content-length',
      post('Connection: content-length\r\nContent-Length: 5\r\n', 'hello'),
      `${sent('POST /', '', LENGTH)}hello`,
    ],
    [
      '9110 7.6.1',
      'Connection: transfer-encoding',
      post('Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n', CHUNKS),
      sent('POST /', '', CHUNKED) + CHUNKS,
    ],
    [
      '9110 7.6.1',
      'Connection names what the gateway adds',
      get('Connection: x-forwarded-for, x-request-id, x-forwarded-proto\r\n'),
      sent('GET /'),
    ],
    [
      '9110 7.6.1',
      'Connection takes out a field',
      get('Connection: X-Private\r\nX-Private: a\r\nX-Public: b\r\n'),
      sent('GET /', 'x-public: b\r\n'),
    ],
    [
      '9110 7.6.1',
      'fields of the connection',
      get('Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nTE: gzip\r\n'),
      sent('GET /'),
    ],
    ['9110 10.1.4', 'TE: chunked is no framing', get('TE: chunked\r\n'), sent('GET /')],
    ['9110 10.1.1', 'an expectation without a body', get('Expect: 100-continue\r\n'), sent('GET /')],
    ['9110 7.8', 'an upgrade that Connection does not name', get('Upgrade: websocket\r\n'), sent('GET /')],
    [
      '9110 7.8',
      'an upgrade with a body, as a plain request',
      post('Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n', 'hello'),
      `${sent('POST /', '', LENGTH)}hello`,
    ],
    [
      '9110 7.8',
      'an upgrade with a request as its body',
      post(`Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
      sent('POST /', '', `content-length: ${HIDDEN.length}\r\n`) + HIDDEN,
    ],
    ['9110 7.8', 'an upgrade to h2c, as a plain request', get(`Connection: Upgrade, HTTP2-Settings\r\n${H2C}`), sent('GET /')],
    ['9110 7.8', 'h2c beside websocket, as a plain request', get('Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'), sent('GET /')],
    ['9110 7.6.2', 'Max-Forwards: 0 concerns TRACE and OPTIONS only', get('Max-Forwards: 0\r\n'), sent('GET /', 'max-forwards: 0\r\n')],
    // Section 7.6.2 would have them answered here, or counted down: Envoy does neither, and nor does the gateway (docs/reference/differences.md).
    [
      '9110 7.6.2',
      'OPTIONS with Max-Forwards: 0, as Envoy',
      `OPTIONS / HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 0\r\n\r\n`,
      sent('OPTIONS /', 'max-forwards: 0\r\n'),
    ],
    [
      '9110 7.6.2',
      'TRACE with Max-Forwards: 5, as Envoy',
      `TRACE / HTTP/1.1\r\nHost: shop\r\nMax-Forwards: 5\r\n\r\n`,
      sent('TRACE /', 'max-forwards: 5\r\n'),
    ],
    ['9110 9.3.8', 'TRACE', line('TRACE / HTTP/1.1'), sent('TRACE /')],
    ['9110 9.1', 'a method that Icecast has, too', line('SOURCE / HTTP/1.1'), sent('SOURCE /')],

    ['9112 3.2.2', 'a URL of another host, which counts', path('http://other/a'), sent('GET /a', '', '', 'other')],
    ['9112 3.2.2', 'a URL with a query and no path', path('http://shop?b'), sent('GET /?b')],
    ['9112 3.2.2', 'a URL with a scheme in capitals', path('HTTP://shop/a'), sent('GET /a')],
    ['9112 3.2.2', 'a URL in the path', path('/http://other/'), sent('GET /http://other/')],
    ['3986 3.3', 'a path that begins with two slashes', path('//other/a'), sent('GET //other/a')],
    ['3986 3.4', 'dot segments in the query', path('/?a=/../b'), sent('GET /?a=/../b')],
    normal('3986 6.2.2.2', '/%61', '/a'),
    normal('3986 6.2.2.3', '/a/../b', '/b'),
    normal('3986 6.2.2.3', '/a/./b', '/a/b'),
    normal('3986 6.2.2.3', '/../../b', '/b'),
    normal('3986 6.2.2.3', '/a/..', '/'),
    normal('3986 6.2.2.3', '/a/%2e%2e/b', '/b'),
    normal('3986 6.2.2.3', '/a/.%2E/b', '/b'),
    normal('3986 3.3', '/a/..;x/b', '/b'),
    normal('3986 3.3', '/a\\..\\b', '/b'),
    normal('3986 2.1', '/a%2f..%2fb', '/a%2f..%2fb'),
    normal('3986 2.1', '/a%5c..%5cb', '/a%5c..%5cb'),
    normal('3986 2.1', '/a%252e%252e/b', '/a%252e%252e/b'),
    normal('3986 2.1', '/a%0d%0aX:b', '/a%0d%0aX:b'),
    normal('3986 2.1', '/a%c0%ae%c0%ae/b', '/a%c0%ae%c0%ae/b'),
    normal('3986 2.1', '/%', '/%'),
    normal('3986 2.4', '/%%32e', '/%252e'),
    normal('3986 3.3', '/a|b', '/a%7Cb'),
    normal('3986 3.3', '/a//b/', '/a//b/'),
    host('[2001:db8::1]:8080'),
    host('shop:'),
    host('SHOP.Test'),
    host('shop,other'),
    host('127.1'),
    host('a%2fb'),
  ]),
  {
    ...{ section: '9112 9.3.2', name: 'two requests at once', statuses: [200, 200] },
    bytes: get('') + line('GET /second HTTP/1.1'),
    upstream: [sent('GET /'), sent('GET /second')],
  },
  { section: '9112 3.2.4', name: 'OPTIONS * is nowhere', bytes: line('OPTIONS * HTTP/1.1'), upstream: [], statuses: [404] },
  {
    ...{ section: '9112 9.3.2', name: 'a request behind one that closes the connection', last: true },
    bytes: get('Connection: close\r\n') + HIDDEN,
    upstream: [sent('GET /')],
  },
  {
    ...{ section: '9110 7.8', name: 'a request behind an upgrade that the upstream does not grant', last: true },
    bytes: get('Connection: Upgrade\r\nUpgrade: websocket\r\n') + HIDDEN,
    upstream: [sent('GET /', '', 'connection: upgrade\r\nupgrade: websocket\r\n')],
  },
  ...each(
    [
      [
        '9110 7.6.1',
        'inside: Connection: x-request-id',
        get('Connection: x-request-id\r\nX-Request-Id: 00000000-0000-4000-8000-000000000000\r\n'),
        sent('GET /').replace(/x-forwarded-for.*\r\n/, ''),
      ],
    ],
    { listener: 'mesh' },
  ),
  ...each(
    [
      [
        '9112 3.2.2',
        'through the proxy: a URL of another host than Host',
        path('http://other/a'),
        sent('GET /a', '', '', 'other').replace(/x-forwarded-for.*\r\n/, ''),
      ],
      [
        '9112 3.2.4',
        'through the proxy: OPTIONS of a URL without path',
        line('OPTIONS http://shop HTTP/1.1'),
        sent('OPTIONS /').replace(/x-forwarded-for.*\r\n/, ''),
      ],
    ],
    { listener: 'proxy' },
  ),
];
