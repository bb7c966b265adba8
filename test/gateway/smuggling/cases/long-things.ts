import { casesOf, type Subject } from '../malformed-request.ts';
import { get, host, line, post } from '../request-text.ts';

const LONG = 'a'.repeat(61 * 1024);
const lines = (count: number): string => Array.from({ length: count }, (_, at) => `X${at}: a\r\n`).join('');

/** More than the limits of the gateway (docs/reference/gateway-limits.md), which a server may set. */
export const LONG_THINGS: Subject = {
  title: 'Very long things',
  cases: casesOf([
    ['6585 5', 'a head over 60 KiB', 431, get(`X: ${LONG}\r\n`)],
    ['6585 5', 'space over 60 KiB before a value', 431, get(`X:${' '.repeat(61 * 1024)}a\r\n`)],
    ['6585 5', 'a name over 60 KiB', 431, get(`${LONG}: a\r\n`)],
    ['6585 5', 'a cookie over 60 KiB', 431, get(`Cookie: a=${LONG}\r\n`)],
    ['6585 5', '60 KiB in 60 lines', 431, get(`X: ${'a'.repeat(1100)}\r\n`.repeat(60))],
    ['6585 5', '101 headers', 431, get(lines(100))],
    ['6585 5', '3,000 headers', 431, get(lines(3000))],
    ['6585 5', 'a Host over 60 KiB', 431, host(LONG)],
    ['9112 6.2', 'a Content-Length of 200 digits', 400, post(`Content-Length: ${'0'.repeat(199)}5\r\n`, 'hello')],
    ['9110 15.5.15', 'a path over 60 KiB', 431, line(`GET /${LONG} HTTP/1.1`)],
    ['9110 15.5.15', 'a query over 60 KiB', 431, line(`GET /?${LONG} HTTP/1.1`)],
    ['9110 15.5.15', 'a URL over 60 KiB', 431, line(`GET http://shop/${LONG} HTTP/1.1`)],
    ['9112 3', 'a method over 60 KiB', 400, line(`${LONG.toUpperCase()} / HTTP/1.1`)],
  ]).concat(
    casesOf(
      [
        ['6585 5', 'trailers over 8 KiB', 431, post('Transfer-Encoding: chunked\r\n', `0\r\nX: ${'a'.repeat(9 * 1024)}\r\n\r\n`)],
        ['6585 5', '101 trailers', 431, post('Transfer-Encoding: chunked\r\n', `0\r\n${lines(101)}\r\n`)],
      ],
      { upstream: 'part' },
    ),
  ),
};
