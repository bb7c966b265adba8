import { casesOf, type Subject } from '../malformed-request.ts';
import { get, HELLO, HOST, post } from '../request-text.ts';

const WEBSOCKET = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

/** What a request says about its connection, and what it expects before its body. */
export const CONNECTIONS: Subject = {
  title: 'Expect, Connection, Upgrade',
  cases: casesOf([
    ['9110 10.1.1', 'an unknown expectation', 417, post('Expect: tea\r\nContent-Length: 5\r\n', 'hello')],
    ['9110 10.1.1', 'another unknown expectation', 417, post('Expect: 200-ok\r\nContent-Length: 5\r\n', 'hello')],
    ['9110 10.1.1', 'two expectations', 417, post('Expect: 100-continue, x\r\nContent-Length: 5\r\n', 'hello')],
    [
      '9110 10.1.1',
      'the same expectation twice',
      417,
      post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n', 'hello'),
    ],
    ['9110 10.1.1', 'an expectation with a parameter', 417, post('Expect: 100-continue;a=b\r\nContent-Length: 5\r\n', 'hello')],
    ['9110 10.1.1', 'an expectation that begins like the known one', 417, post('Expect: 100-continueX\r\nContent-Length: 5\r\n', 'hello')],
    ['9110 10.1.1', 'an unknown expectation without a body', 417, get('Expect: tea\r\n')],
    [
      '9112 6.1',
      'an expectation before a body of two lengths',
      400,
      post('Expect: 100-continue\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', HELLO),
    ],
    [
      '9112 6.3',
      'an expectation before two Content-Lengths',
      400,
      post('Expect: 100-continue\r\nContent-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
    ],
    [
      '9112 6.1',
      'Connection: transfer-encoding does not settle which length counts',
      400,
      post('Connection: transfer-encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', HELLO),
    ],
    [
      '9112 6.1',
      'Connection: content-length neither',
      400,
      post('Connection: content-length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', HELLO),
    ],
    ['9112 3.2', 'Connection: host does not settle which Host counts', 400, get(`Connection: host\r\n${HOST}`)],
    ['9112 6.1', 'an upgrade with two lengths', 400, post(`${WEBSOCKET}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, HELLO)],
    ['9112 6.2', 'an upgrade with an invalid length', 400, post(`${WEBSOCKET}Content-Length: x\r\n`)],
    ['9112 3.2', 'an upgrade without Host', 400, `GET / HTTP/1.1\r\n${WEBSOCKET}\r\n`],
    ['9112 3.2', 'an upgrade with two Hosts', 400, get(`${WEBSOCKET}${HOST}`)],
    ['9110 5.5', 'NUL in the protocol of an upgrade', 400, get('Connection: Upgrade\r\nUpgrade: web\0socket\r\n')],
    ['9110 15.5.22', 'an upgrade in HTTP/1.0', 426, `GET / HTTP/1.0\r\n${HOST}${WEBSOCKET}\r\n`],
    [
      '9112 6.1',
      'an upgrade to h2c with two lengths',
      400,
      post(
        'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
        HELLO,
      ),
    ],
  ]).concat(
    casesOf(
      [
        [
          '9112 7.1',
          'an upgrade whose body in chunks is malformed',
          400,
          post(`${WEBSOCKET}Transfer-Encoding: chunked\r\n`, 'x\r\nhello\r\n0\r\n\r\n'),
        ],
        [
          '9112 7.1',
          'an expectation whose body in chunks is malformed',
          400,
          post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n', 'x\r\nhello\r\n0\r\n\r\n'),
        ],
      ],
      { upstream: 'part' },
    ),
  ),
};
