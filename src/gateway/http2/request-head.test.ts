import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../limits.ts';
import { readHttp2Head } from './request-head.ts';

const GET = [':method', 'GET', ':scheme', 'https', ':authority', 'shop.test', ':path', '/'];
const read = (raw: readonly string[], ended = true) => readHttp2Head(raw, ended, 'https', DEFAULT_LIMITS);
const RESET = { refused: 'reset' };

test('a head as HTTP/1.1 would write it', () => {
  expect(read([...GET, 'accept', '*/*', 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'te', 'trailers'])).toEqual({
    method: 'GET',
    target: '/',
    rawHeaders: ['accept', '*/*', 'cookie', 'a=1; b=2', 'x', 'y', 'te', 'trailers', 'host', 'shop.test'],
    expectsContinue: false,
  });
  expect(read([':method', 'POST', ':scheme', 'https', ':path', '/', 'host', 'shop.test', 'expect', '100-continue'], false)).toEqual({
    method: 'POST',
    target: '/',
    rawHeaders: ['expect', '100-continue', 'host', 'shop.test', 'transfer-encoding', 'chunked'],
    expectsContinue: true,
  });
  expect(read([...GET, 'host', 'Shop.Test', 'content-length', '3'], false)).toMatchObject({
    rawHeaders: ['content-length', '3', 'host', 'shop.test'],
  });
  expect(read([':method', 'OPTIONS', ...GET.slice(2, 6), ':path', '*'])).toMatchObject({ target: '*' });
});

// nghttp2 refuses most of these before: this is what holds should it not.
test.each([
  ['transfer-encoding', [...GET, 'transfer-encoding', 'chunked']],
  ['connection', [...GET, 'connection', 'close']],
  ['keep-alive', [...GET, 'keep-alive', 'a']],
  ['proxy-connection', [...GET, 'proxy-connection', 'a']],
  ['upgrade', [...GET, 'upgrade', 'h2c']],
  ['http2-settings', [...GET, 'http2-settings', 'a']],
  ['te', [...GET, 'te', 'gzip']],
  ['an upper-case name', [...GET, 'X-a', 'b']],
  ['a name with a colon', [...GET, 'x:y', 'b']],
  ['an empty name', [...GET, '', 'b']],
  ['a name with a line', [...GET, 'x\r\ny', 'b']],
  ['a value with CR', [...GET, 'x', 'a\rb']],
  ['a value with LF', [...GET, 'x', 'a\nb']],
  ['a value with NUL', [...GET, 'x', 'a\0b']],
  ['a path with CR and LF', [...GET.slice(0, 6), ':path', '/\r\nx: y']],
  ['space before a value', [...GET, 'x', ' a']],
  ['space behind a value', [...GET, 'x', 'a\t']],
  ['two hosts', [...GET, 'host', 'shop.test', 'host', 'shop.test']],
  ['another host', [...GET, 'host', 'other.test']],
  ['no host', [...GET.slice(0, 4), ':path', '/']],
  ['no path', GET.slice(0, 6)],
  ['a path that is none', [...GET.slice(0, 6), ':path', 'a']],
  ['* with GET', [...GET.slice(0, 6), ':path', '*']],
  ['another scheme', [':method', 'GET', ':scheme', 'http', ...GET.slice(4)]],
  ['two paths', [...GET, ':path', '/b']],
  ['a pseudo field behind others', ['accept', '*/*', ...GET]],
  ['a pseudo field behind host', [...GET.slice(0, 6), 'host', 'shop.test', ':path', '/']],
  ['an unknown pseudo field', [...GET, ':x', 'y']],
  [':protocol', [':method', 'CONNECT', ':protocol', 'websocket', ...GET.slice(2)]],
  ['two lengths', [...GET, 'content-length', '1', 'content-length', '1']],
  ['a length and no body', [...GET, 'content-length', '1']],
  ['a length that is none, and no body', [...GET, 'content-length', 'x']],
])('refused: %s', (_what, raw) => {
  expect(read(raw)).toEqual(RESET);
});

test('CONNECT, and heads that are too large', () => {
  expect(read([':method', 'CONNECT', ':authority', 'shop.test:443'])).toEqual({ refused: 501 });
  expect(read([...GET, 'x', 'a'.repeat(DEFAULT_LIMITS.requestHeadBytes)])).toEqual({ refused: 431 });
});
