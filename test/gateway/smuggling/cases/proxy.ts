import { casesOf, type Subject } from '../malformed-request.ts';
import { HELLO, HOST, line } from '../request-text.ts';

const url = (target: string): string => line(`GET ${target} HTTP/1.1`);

/** The proxy listener wants the whole URL, and only http. */
export const PROXY: Subject = {
  title: 'The proxy listener',
  cases: casesOf(
    [
      ['9112 3.2.2', 'through the proxy: a path alone', 400, line('GET / HTTP/1.1')],
      ['9112 3.2.2', 'through the proxy: two slashes and a host', 400, line('GET //shop/ HTTP/1.1')],
      ['9112 3.2.4', 'through the proxy: OPTIONS *', 400, line('OPTIONS * HTTP/1.1')],
      ['9112 3.2.3', 'through the proxy: host and port alone', 400, url('shop:80')],
      ['9110 9.3.6', 'through the proxy: CONNECT', 501, line('CONNECT shop:443 HTTP/1.1')],
      ['9110 7.4', 'through the proxy: an https URL', 403, url('https://shop/')],
      ['9110 7.4', 'through the proxy: a file URL', 403, url('file:///etc/passwd')],
      ['9110 4.2.4', 'through the proxy: a URL with a user', 400, url('http://u:p@shop/')],
      ['9110 4.2.1', 'through the proxy: a URL without host', 400, url('http:///a')],
      ['9112 3.2.2', 'through the proxy: a URL with a fragment', 400, url('http://shop/#a')],
      ['3986 3.2.2', 'through the proxy: a URL with a backslash', 400, url('http://shop\\.other/')],
      ['3986 3.2.3', 'through the proxy: a URL with port 0', 400, url('http://shop:0/')],
      ['9112 3.2', 'through the proxy: a URL without Host', 400, 'GET http://shop/ HTTP/1.1\r\n\r\n'],
      ['9112 3.2', 'through the proxy: two Hosts', 400, `GET http://shop/ HTTP/1.1\r\n${HOST}${HOST}\r\n`],
      [
        '9112 6.1',
        'through the proxy: Content-Length and chunks',
        400,
        `POST http://shop/ HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${HELLO}`,
      ],
      ['9112 2.2', 'through the proxy: LF alone after a header', 400, `GET http://shop/ HTTP/1.1\r\n${HOST}X: a\n\r\n`],
      ['9110 15.5.22', 'through the proxy: HTTP/1.0', 426, line('GET http://shop/ HTTP/1.0')],
    ],
    { listener: 'proxy' },
  ),
};
