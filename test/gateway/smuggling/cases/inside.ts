import { casesOf, type Subject } from '../malformed-request.ts';
import { chunked, get, HELLO, host, line, post } from '../request-text.ts';

/** Inside the mesh a mistake is no better than at the edge. */
export const INSIDE: Subject = {
  title: 'The mesh’s listeners',
  cases: casesOf(
    [
      ['9112 6.1', 'inside: Content-Length and chunks', 400, post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', HELLO)],
      ['9112 6.3', 'inside: two Content-Lengths', 400, post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
      ['9112 6.1', 'inside: an unknown coding', 501, post('Transfer-Encoding: gzip\r\n')],
      ['9112 3.2', 'inside: two hosts', 400, get('Host: other\r\n')],
      ['9112 3.2', 'inside: no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
      ['9110 7.2', 'inside: a Host with a path', 400, host('a/b')],
      ['9112 2.2', 'inside: LF alone after a header', 400, 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n'],
      ['9112 5.2', 'inside: a folded line', 400, get('X: a\r\n b\r\n')],
      ['9110 5.5', 'inside: NUL in a value', 400, get('X: a\0b\r\n')],
      ['9112 3.2.1', 'inside: a fragment', 400, line('GET /a#b HTTP/1.1')],
      ['9110 7.4', 'inside: an https URL', 403, line('GET https://shop/ HTTP/1.1')],
      ['9110 9.3.6', 'inside: CONNECT', 501, line('CONNECT shop:443 HTTP/1.1')],
      ['9110 15.5.22', 'inside: HTTP/1.0', 426, line('GET / HTTP/1.0')],
      ['9113 3.4', 'inside: the preface of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ],
    { listener: 'mesh' },
  ).concat(
    casesOf([['9112 7.1', 'inside: a chunk size with a space', 400, chunked('5 \r\nhello\r\n0\r\n\r\n')]], {
      listener: 'mesh',
      upstream: 'part',
    }),
  ),
};
