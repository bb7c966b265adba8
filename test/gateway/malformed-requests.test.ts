import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, startHttpOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, startTestGateway, type TestGateway } from './running-gateway.ts';

/** Requests that the origin received to their end. */
const served: string[] = [];
let origin: Origin;
let test: TestGateway;

beforeAll(async () => {
  origin = await startHttpOrigin((request, response) => {
    request.resume();
    request.on('end', () => {
      served.push(`${request.method} ${request.url}`);
      response.end('ok');
    });
  });
  test = await startTestGateway(everythingTo(clusterAt(origin.port)));
});

afterAll(async () => {
  await test.gateway.close(0);
  await origin.close();
});

const HOST = 'Host: shop\r\n';
const post = (headers: string, body = ''): string => `POST / HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const get = (headers: string): string => `GET / HTTP/1.1\r\n${HOST}${headers}\r\n`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);
/** A second request behind the malformed one: an answer to it would be the smuggled one's. */
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

/** Sends `text`, and something that must not be taken for a request behind it. */
async function refused(status: number, text: string): Promise<void> {
  served.length = 0;
  const received = await exchange(test.ingress, text + SMUGGLED, 5_000);
  expect(firstStatus(received)).toBe(status);
  expect(received.split(/HTTP\/1\.1 [0-9]{3} /).length - 1, received).toBe(1);
  expect(received.toLowerCase()).toContain('connection: close\r\n');
  expect(served).toEqual([]);
}

describe('a malformed or ambiguous request is refused, never forwarded, and ends its connection', () => {
  it.each<[name: string, status: number, text: string]>([
    ['Content-Length and Transfer-Encoding', 400, post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding and Content-Length', 400, post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n')],
    ['the same Content-Length twice', 400, post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
    ['two Content-Lengths', 400, post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
    ['a list as Content-Length', 400, post('Content-Length: 5, 5\r\n', 'hello')],
    ['a signed Content-Length', 400, post('Content-Length: +5\r\n', 'hello')],
    ['a negative Content-Length', 400, post('Content-Length: -5\r\n', 'hello')],
    ['a hexadecimal Content-Length', 400, post('Content-Length: 0x5\r\n', 'hello')],
    ['an empty Content-Length', 400, post('Content-Length:\r\n', 'hello')],
    ['a Content-Length of two numbers', 400, post('Content-Length: 5 5\r\n', 'hello')],
    ['a Content-Length beyond 64 bits', 400, post('Content-Length: 99999999999999999999999\r\n', 'hello')],
    ['a Content-Length that no double holds', 400, post('Content-Length: 9999999999999999\r\n', 'hello')],
    ['two hosts', 400, get('Host: other\r\n')],
    ['the same host twice', 400, get(HOST)],
    ['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['an empty Host', 400, 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['a Host with a space', 400, 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a Host with a path', 400, 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a Host with a user', 400, 'GET / HTTP/1.1\r\nHost: u@b\r\n\r\n'],
    ['a Host with a word as port', 400, 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n'],
    ['LF alone after the request line', 400, `GET / HTTP/1.1\n${HOST}\r\n`],
    ['LF alone after a header', 400, 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n'],
    ['LF alone at the end of the head', 400, 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['LF alone throughout', 400, 'GET / HTTP/1.1\nHost: a\n\n'],
    ['CR alone in a value', 400, get('X: a\rb\r\n')],
    ['a folded line', 400, get('X: a\r\n b\r\n')],
    ['a line folded with a tab', 400, get('X: a\r\n\tb\r\n')],
    ['a space before the first header', 400, `GET / HTTP/1.1\r\n ${HOST}\r\n`],
    ['a space before the colon', 400, get('X : a\r\n')],
    ['a space between Transfer-Encoding and its colon', 400, post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
    ['a header without colon', 400, get('Xyz\r\n')],
    ['a header without name', 400, get(': a\r\n')],
    ['a control character in a name', 400, get('X\x01Y: a\r\n')],
    ['a parenthesis in a name', 400, get('X(Y: a\r\n')],
    ['a byte above 127 in a name', 400, get('X\xe9Y: a\r\n')],
    ['NUL in a value', 400, get('X: a\0b\r\n')],
    ['a control character in a value', 400, get('X: a\x01b\r\n')],
    ['DEL in a value', 400, get('X: a\x7fb\r\n')],
    ['a vertical tab in a value', 400, get('X: a\x0bb\r\n')],
    ['Transfer-Encoding: gzip', 501, post('Transfer-Encoding: gzip\r\n')],
    ['Transfer-Encoding: gzip, chunked', 501, post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding: chunked, gzip', 400, post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding: chunked, chunked', 400, post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding twice', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding: identity', 501, post('Transfer-Encoding: identity\r\n')],
    ['Transfer-Encoding: xchunked', 501, post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding in quotes', 501, post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding after a vertical tab', 400, post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
    ['an empty Transfer-Encoding', 400, post('Transfer-Encoding:\r\n', '0\r\n\r\n')],
    ['Transfer-Encoding in HTTP/1.0', 426, `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['HTTP/1.0', 426, `GET / HTTP/1.0\r\n${HOST}\r\n`],
    ['HTTP/1.2', 426, `GET / HTTP/1.2\r\n${HOST}\r\n`],
    ['HTTP/2.0', 426, `GET / HTTP/2.0\r\n${HOST}\r\n`],
    ['no version', 426, 'GET /\r\n\r\n'],
    ['a version in lower case', 400, `GET / http/1.1\r\n${HOST}\r\n`],
    ['a version with a tail', 400, `GET / HTTP/1.1x\r\n${HOST}\r\n`],
    ['a version of two digits', 400, `GET / HTTP/11.1\r\n${HOST}\r\n`],
    ['a method in lower case', 400, `get / HTTP/1.1\r\n${HOST}\r\n`],
    ['an unknown method', 400, `FOO / HTTP/1.1\r\n${HOST}\r\n`],
    ['M-SEARCH, as at Envoy', 400, `M-SEARCH / HTTP/1.1\r\n${HOST}\r\n`],
    ['a tab in the request line', 400, `GET\t/ HTTP/1.1\r\n${HOST}\r\n`],
    ['a space before the method', 400, ` GET / HTTP/1.1\r\n${HOST}\r\n`],
    ['a space in the path', 400, `GET /a b HTTP/1.1\r\n${HOST}\r\n`],
    ['a control character in the path', 400, `GET /a\x01b HTTP/1.1\r\n${HOST}\r\n`],
    ['NUL in the path', 400, `GET /a\0b HTTP/1.1\r\n${HOST}\r\n`],
    ['an escaped NUL in the path', 400, `GET /a%00 HTTP/1.1\r\n${HOST}\r\n`],
    ['raw UTF-8 in the path', 400, `GET /a\xc3\xa9 HTTP/1.1\r\n${HOST}\r\n`],
    ['a fragment', 400, `GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
    ['a relative path', 400, `GET a HTTP/1.1\r\n${HOST}\r\n`],
    ['GET *', 400, `GET * HTTP/1.1\r\n${HOST}\r\n`],
    ['an https URL', 403, `GET https://shop/ HTTP/1.1\r\n${HOST}\r\n`],
    ['an ftp URL', 403, `GET ftp://shop/ HTTP/1.1\r\n${HOST}\r\n`],
    ['a URL with a user', 400, `GET http://u:p@shop/ HTTP/1.1\r\n${HOST}\r\n`],
    ['a URL without host', 400, `GET http:///x HTTP/1.1\r\n${HOST}\r\n`],
    ['a URL whose port is none', 400, `GET http://shop:99999/ HTTP/1.1\r\n${HOST}\r\n`],
    ['CONNECT', 501, `CONNECT shop:443 HTTP/1.1\r\n${HOST}\r\n`],
    ['an unknown expectation', 417, post('Expect: tea\r\nContent-Length: 5\r\n', 'hello')],
    ['a head over 60 kB', 431, get(`X: ${'a'.repeat(61 * 1024)}\r\n`)],
    ['a path over 60 kB', 431, `GET /${'a'.repeat(61 * 1024)} HTTP/1.1\r\n${HOST}\r\n`],
    ['101 headers', 431, get(Array.from({ length: 100 }, (_, at) => `X${at}: a\r\n`).join(''))],
    ['a chunk size that is no number', 400, chunked('xyz\r\n')],
    ['a negative chunk size', 400, chunked('-5\r\nhello\r\n0\r\n\r\n')],
    ['a chunk size with 0x', 400, chunked('0x5\r\nhello\r\n0\r\n\r\n')],
    ['an empty chunk size', 400, chunked('\r\nhello\r\n0\r\n\r\n')],
    ['a chunk size with a space', 400, chunked('5 \r\nhello\r\n0\r\n\r\n')],
    ['a chunk size beyond 64 bits', 400, chunked('fffffffffffffffff\r\nhello\r\n0\r\n\r\n')],
    ['LF alone after a chunk size', 400, chunked('5\nhello\r\n0\r\n\r\n')],
    ['LF alone after a chunk', 400, chunked('5\r\nhello\n0\r\n\r\n')],
    ['LF alone in a chunk extension', 400, chunked('5;a\nhello\r\n0\r\n\r\n')],
    ['LF in a quoted chunk extension', 400, chunked('5;a="\n"\r\nhello\r\n0\r\n\r\n')],
    ['CR alone in a chunk extension', 400, chunked('5;a\rb\r\nhello\r\n0\r\n\r\n')],
    ['NUL in a chunk extension', 400, chunked('5;a\0b\r\nhello\r\n0\r\n\r\n')],
    ['a chunk longer than its size', 400, chunked('5\r\nhelloX\r\n0\r\n\r\n')],
    ['LF alone after the last chunk', 400, chunked('5\r\nhello\r\n0\n\r\n')],
    ['LF alone after the trailers', 400, chunked('5\r\nhello\r\n0\r\n\n')],
    ['LF alone in the trailers', 400, chunked('5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n')],
    ['a malformed trailer', 400, chunked('5\r\nhello\r\n0\r\nX Y: a\r\n\r\n')],
    ['a TLS hello', 400, '\x16\x03\x01\x00\xa5\x01\x00\x00'],
    ['the preface of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['no HTTP at all', 400, 'hello\r\n\r\n'],
  ])('%s: %d', async (_name, status, text) => {
    await refused(status, text);
  });

  // What RFC 9112 (where no other is named) forbids and some parser somewhere lets pass.
  it.each<[section: string, name: string, status: number, text: string]>([
    ['2.2', 'a line of space before the request', 400, ` \r\n${get('')}`],
    ['2.2', 'CR alone at the start of a line', 400, get('\rX: a\r\n')],
    ['2.2', 'CR alone between two headers', 400, get('X: a\rY: b\r\n')],
    ['2.2', 'two CR before LF', 400, get('X: a\r\r\n')],
    ['2.2', 'two CR before LF at the end of the head', 400, `GET / HTTP/1.1\r\n${HOST}\r\r\n`],
    ['2.2', 'two CR before LF after the request line', 400, `GET / HTTP/1.1\r\r\n${HOST}\r\n`],
    ['2.2', 'LF before CR after a header', 400, get('X: a\n\r\n')],
    ['2.3', 'a version of three digits', 400, `GET / HTTP/1.10\r\n${HOST}\r\n`],
    ['2.3', 'a version with a leading zero', 400, `GET / HTTP/01.1\r\n${HOST}\r\n`],
    ['2.3', 'HTTP/0.9', 426, `GET / HTTP/0.9\r\n${HOST}\r\n`],
    ['2.3', 'ICE instead of HTTP', 400, `SOURCE / ICE/1.1\r\n${HOST}\r\n`],
    ['3', 'a space after the version', 400, `GET / HTTP/1.1 \r\n${HOST}\r\n`],
    ['3.1', 'a method in mixed case', 400, `Get / HTTP/1.1\r\n${HOST}\r\n`],
    ['3.1', 'a longer method', 400, `GETX / HTTP/1.1\r\n${HOST}\r\n`],
    ['3.1', 'a shorter method', 400, `GE / HTTP/1.1\r\n${HOST}\r\n`],
    ['3.1', 'NUL in the method', 400, `GE\0T / HTTP/1.1\r\n${HOST}\r\n`],
    ['3.1', 'a method of RTSP', 400, `DESCRIBE / HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2', 'DEL in the path', 400, `GET /a\x7f HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2', 'a space in the query', 400, `GET /a?b c HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2', 'a control character in the query', 400, `GET /a?\x01 HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2', 'raw UTF-8 in the query', 400, `GET /a?\xc3\xa9 HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2', 'a port that is none in Host', 400, 'GET / HTTP/1.1\r\nHost: shop:65536\r\n\r\n'],
    ['3.2', 'port 0 in Host', 400, 'GET / HTTP/1.1\r\nHost: shop:0\r\n\r\n'],
    ['3.2', 'two ports in Host', 400, 'GET / HTTP/1.1\r\nHost: shop:80:80\r\n\r\n'],
    ['3.2', 'a port without host in Host', 400, 'GET / HTTP/1.1\r\nHost: :80\r\n\r\n'],
    ['3.2', 'a URL in Host', 400, 'GET / HTTP/1.1\r\nHost: http://shop\r\n\r\n'],
    ['3.2', 'a query in Host', 400, 'GET / HTTP/1.1\r\nHost: shop?a\r\n\r\n'],
    ['3.2', 'a fragment in Host', 400, 'GET / HTTP/1.1\r\nHost: shop#a\r\n\r\n'],
    ['3.2', 'a backslash in Host', 400, 'GET / HTTP/1.1\r\nHost: shop\\a\r\n\r\n'],
    ['3.2', 'a tab in Host', 400, 'GET / HTTP/1.1\r\nHost: sh\top\r\n\r\n'],
    ['3.2', 'a byte above 127 in Host', 400, 'GET / HTTP/1.1\r\nHost: shop\xa0\r\n\r\n'],
    ['3.2', 'an escape without digits in Host', 400, 'GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n'],
    ['3.2', 'IPv6 without brackets in Host', 400, 'GET / HTTP/1.1\r\nHost: ::1\r\n\r\n'],
    ['3.2', 'an open bracket in Host', 400, 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n'],
    ['3.2', 'brackets without IPv6 in Host', 400, 'GET / HTTP/1.1\r\nHost: [...]\r\n\r\n'],
    ['3.2', 'a URL, but no Host', 400, 'GET http://shop/ HTTP/1.1\r\n\r\n'],
    ['3.2', 'a URL beside an invalid Host', 400, 'GET http://shop/ HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['3.2.1', 'OPTIONS * with a query', 400, `OPTIONS *?a HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with an empty user', 400, `GET http://@shop/ HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with a fragment', 400, `GET http://shop/a#b HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with a fragment, without path', 400, `GET http://shop#b HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with a word as port', 400, `GET http://shop:x/ HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with port 0', 400, `GET http://shop:0/ HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with a backslash', 400, `GET http://shop\\@other/ HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL with one slash', 400, `GET http:/shop/ HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.2', 'a URL without slashes', 400, `GET http:shop HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.3', 'the form of CONNECT with another method', 400, `GET shop:80 HTTP/1.1\r\n${HOST}\r\n`],
    ['3.2.3', 'CONNECT with a body', 501, `CONNECT shop:80 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`],
    ['5.1', 'a tab before the colon', 400, get('X\t: a\r\n')],
    ['5.1', 'a line feed in a name', 400, get('X\nY: a\r\n')],
    ['5.1', 'NUL in a name', 400, get('X\0Y: a\r\n')],
    ['5.1', 'a quote in a name', 400, get('X"Y: a\r\n')],
    ['5.1', 'a slash in a name', 400, get('X/Y: a\r\n')],
    ['5.1', 'a comma in a name', 400, get('X,Y: a\r\n')],
    ['5.2', 'a folded Content-Length', 400, post('Content-Length:\r\n 5\r\n', 'hello')],
    ['5.2', 'a folded Transfer-Encoding', 400, post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n')],
    ['5.2', 'a fold without text at the end of the head', 400, get('X: a\r\n\t\r\n')],
    ['5.5 of 9110', 'a form feed in a value', 400, get('X: a\x0cb\r\n')],
    ['5.5 of 9110', 'an escape character in a value', 400, get('X: a\x1bb\r\n')],
    ['6.1', 'Transfer-Encoding: identity, chunked', 501, post('Transfer-Encoding: identity, chunked\r\n', '0\r\n\r\n')],
    ['6.1', 'Transfer-Encoding: chunked, identity', 400, post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n')],
    ['6.1', 'Transfer-Encoding: chunked with a parameter', 501, post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n')],
    ['6.1', 'Transfer-Encoding: chunked and a comma', 400, post('Transfer-Encoding: chunked,\r\n', '0\r\n\r\n')],
    ['6.1', 'Transfer-Encoding: a comma and chunked', 501, post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n')],
    ['6.1', 'Transfer-Encoding: chunked and a no-break space', 501, post('Transfer-Encoding: chunked\xa0\r\n', '0\r\n\r\n')],
    [
      ...(['6.1', 'Transfer-Encoding identity, then chunked', 400] as const),
      post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    ],
    [
      ...(['6.1', 'Transfer-Encoding chunked, then identity', 400] as const),
      post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    ],
    [
      ...(['6.1', 'an empty Transfer-Encoding, then chunked', 400] as const),
      post('Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    ],
    ['6.2', 'Content-Length: 5 and a comma', 400, post('Content-Length: 5,\r\n', 'hello')],
    ['6.2', 'Content-Length: 5.0', 400, post('Content-Length: 5.0\r\n', 'hello')],
    ['6.2', 'Content-Length: 5e0', 400, post('Content-Length: 5e0\r\n', 'hello')],
    ['6.2', 'Content-Length in other digits', 400, post('Content-Length: \xd9\xa5\r\n', 'hello')],
    ['6.2', 'Content-Length with a no-break space', 400, post('Content-Length: 5\xa0\r\n', 'hello')],
    ['6.2', 'an empty Content-Length, then one', 400, post('Content-Length:\r\nContent-Length: 5\r\n', 'hello')],
    ['6.3', 'Content-Length: 0 twice', 400, get('Content-Length: 0\r\nContent-Length: 0\r\n')],
    ['6.3', 'Content-Length: 0 and chunks', 400, post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
    ['7.1', 'a signed chunk size', 400, chunked('+5\r\nhello\r\n0\r\n\r\n')],
    ['7.1', 'an underscore in a chunk size', 400, chunked('0_5\r\nhello\r\n0\r\n\r\n')],
    ['7.1', 'a space before a chunk size', 400, chunked(' 5\r\nhello\r\n0\r\n\r\n')],
    ['7.1', 'a tab after a chunk size', 400, chunked('5\t\r\nhello\r\n0\r\n\r\n')],
    ['7.1', 'CR alone after a chunk size', 400, chunked('5\rhello\r\n0\r\n\r\n')],
    ['7.1', 'two CR before LF after a chunk size', 400, chunked('5\r\r\nhello\r\n0\r\n\r\n')],
    ['7.1', 'CR alone after a chunk', 400, chunked('5\r\nhello\rX0\r\n\r\n')],
    ['7.1', 'nothing after a chunk', 400, chunked('5\r\nhello0\r\n\r\n')],
    ['7.1', 'LF before CR after a chunk', 400, chunked('5\r\nhello\n\r0\r\n\r\n')],
    ['7.1.1', 'a space before a chunk extension', 400, chunked('5 ;a=b\r\nhello\r\n0\r\n\r\n')],
    ['7.1.1', 'a chunk extension without name or value', 400, chunked('5;\r\nhello\r\n0\r\n\r\n')],
    ['7.1.1', 'a quoted chunk extension without end', 400, chunked('5;a="b\r\nhello\r\n0\r\n\r\n')],
    ['7.1.1', 'DEL in a chunk extension', 400, chunked('5;a=\x7f\r\nhello\r\n0\r\n\r\n')],
    ['7.1.1', 'more than 16 KiB of chunk extensions', 413, chunked(`5;${'a'.repeat(17 * 1024)}\r\nhello\r\n0\r\n\r\n`)],
    ['7.1.2', 'a folded trailer', 400, chunked('0\r\nX: a\r\n b\r\n\r\n')],
    ['7.1.2', 'a space before the colon of a trailer', 400, chunked('0\r\nX : a\r\n\r\n')],
    ['7.1.2', 'CR alone in a trailer', 400, chunked('0\r\nX: a\rb\r\n\r\n')],
    ['7.1.2', 'NUL in a trailer', 400, chunked('0\r\nX: a\0b\r\n\r\n')],
    ['6.5.1 of 9110', 'Content-Length as a trailer', 400, chunked('0\r\nContent-Length: 5\r\n\r\n')],
    ['6.5.1 of 9110', 'Transfer-Encoding as a trailer', 400, chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n')],
    ['10.1.1 of 9110', 'an unknown expectation', 417, post('Expect: 200-ok\r\nContent-Length: 5\r\n', 'hello')],
    ['10.1.1 of 9110', 'two expectations', 417, post('Expect: 100-continue, x\r\nContent-Length: 5\r\n', 'hello')],
  ])('RFC 9112 section %s: %s: %d', async (_section, _name, status, text) => {
    await refused(status, text);
  });

  it('is logged with the flag of a downstream protocol error', async () => {
    test.log.length = 0;
    await exchange(test.ingress, get('Host: other\r\n'));
    await exchange(test.ingress, get('X: a\0b\r\n'));
    expect(test.log).toMatchObject([
      { method: 'GET', path: '/', response_code: 400, response_flags: 'DPE', authority: null },
      { method: null, path: null, response_code: 400, response_flags: 'DPE' },
    ]);
  });
});

describe('what looks odd but is clear passes', () => {
  const close = 'Connection: close\r\n';
  it.each<[name: string, text: string, served: string]>([
    ['an empty line before the request', `\r\n${get(close)}`, 'GET /'],
    // RFC 9112 section 3 lets a server read it so, and Envoy does.
    ['several spaces in the request line', `GET   /   HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET /'],
    ['every character that a name may have', get(`!#$%&'*+-.^_\`|~09aZ: a\r\n${close}`), 'GET /'],
    ['a tab and bytes above 127 in a value', get(`X: a\tb\xff\r\n${close}`), 'GET /'],
    ['space around a length', post(`Content-Length: \t 5 \t\r\n${close}`, 'hello'), 'POST /'],
    ['a length with leading zeros', post(`Content-Length: 005\r\n${close}`, 'hello'), 'POST /'],
    ['CHUNKED', post(`Transfer-Encoding: CHUNKED\r\n${close}`, '5\r\nhello\r\n0\r\n\r\n'), 'POST /'],
    ['chunk sizes with leading zeros', post(`Transfer-Encoding: chunked\r\n${close}`, '0000005\r\nhello\r\n000\r\n\r\n'), 'POST /'],
    ['a quoted chunk extension', post(`Transfer-Encoding: chunked\r\n${close}`, '5;a="b;\\"c"\r\nhello\r\n0;d\r\n\r\n'), 'POST /'],
    ['IPv6 in Host', `GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n${close}\r\n`, 'GET /'],
    ['a colon without port in Host', `GET / HTTP/1.1\r\nHost: shop:\r\n${close}\r\n`, 'GET /'],
    ['a URL of another host, which counts', `GET http://other/a HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET /a'],
    ['a path that begins with two slashes', `GET //other/a HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET //other/a'],
    ['exactly 100 headers', get(close + Array.from({ length: 98 }, (_, at) => `X${at}: a\r\n`).join('')), 'GET /'],
    ['an http URL', `GET http://shop/a?b HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET /a?b'],
    ['an http URL without path', `GET http://shop?b HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET /?b'],
    ['a chunk extension', post(`Transfer-Encoding: chunked\r\n${close}`, '5;a=b\r\nhello\r\n0\r\n\r\n'), 'POST /'],
    ['trailers', post(`Transfer-Encoding: chunked\r\n${close}`, '5\r\nhello\r\n0\r\nX: y\r\n\r\n'), 'POST /'],
    ['TRACE', `TRACE / HTTP/1.1\r\n${HOST}${close}\r\n`, 'TRACE /'],
    ['PROPFIND', `PROPFIND / HTTP/1.1\r\n${HOST}${close}\r\n`, 'PROPFIND /'],
    ['GET with a body', `GET / HTTP/1.1\r\n${HOST}${close}Content-Length: 5\r\n\r\nhello`, 'GET /'],
    [
      'an upgrade with a body, as a plain request',
      post('Connection: upgrade, close\r\nUpgrade: websocket\r\nContent-Length: 2\r\n', 'hi'),
      'POST /',
    ],
    [
      'an upgrade to h2c, as a plain request',
      get('Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
      'GET /',
    ],
    ['an escaped path', `GET /%61/../b HTTP/1.1\r\n${HOST}${close}\r\n`, 'GET /b'],
  ])('%s', async (_name, text, request) => {
    served.length = 0;
    expect(firstStatus(await exchange(test.ingress, text, 5_000))).toBe(200);
    expect(served).toEqual([request]);
  });

  it('OPTIONS * is nowhere: 404, and the connection goes on', async () => {
    const received = await exchange(
      test.ingress,
      `OPTIONS * HTTP/1.1\r\n${HOST}\r\nGET /next HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      5_000,
    );
    expect(received.match(/HTTP\/1\.1 [0-9]{3}/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 200']);
  });
});
