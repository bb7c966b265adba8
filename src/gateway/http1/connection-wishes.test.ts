import { describe, expect, it } from 'vitest';
import { type ConnectionWishes, readWishes } from './connection-wishes.ts';

const wishes = (rawHeaders: readonly string[], version = '1.1'): ConnectionWishes =>
  readWishes({ method: 'POST', target: '/', version, rawHeaders });

describe('what a request wishes of its connection', () => {
  it('is to be kept, where nothing is said', () => {
    expect(wishes(['Host', 'shop', 'Cookies', 'a'])).toEqual({ keepAlive: true, upgradable: false, expectsContinue: false, body: 'none' });
  });

  it.each([
    [['Connection', 'close'], false],
    [['connection', 'keep-alive, Close'], false],
    [['Connection', 'keep-alive', 'CONNECTION', 'close'], false],
    [['Connection', 'closed'], true],
  ])('%j', (rawHeaders, keepAlive) => {
    expect(wishes(rawHeaders).keepAlive).toBe(keepAlive);
  });

  it('is to be closed in HTTP/1.0, whatever it says', () => {
    expect(wishes(['Connection', 'keep-alive'], '1.0').keepAlive).toBe(false);
  });

  it.each([
    [['Content-Length', '5'], { length: 5 }],
    [['Content-Length', '005'], { length: 5 }],
    [['Transfer-Encoding', 'CHUNKED'], 'chunked'],
    [['Transfer-Encoding', 'gzip'], 'uncertain'],
    [['Content-Length', '5', 'Content-Length', '5'], 'uncertain'],
    [['Content-Length', '5', 'Transfer-Encoding', 'chunked'], 'uncertain'],
    [['Content-Length', '-5'], 'uncertain'],
    [['Content-Length', ''], 'uncertain'],
  ] as const)('the body of %j', (rawHeaders, body) => {
    expect(wishes(rawHeaders).body).toEqual(body);
  });

  it.each([
    [['Connection', 'keep-alive, Upgrade', 'Upgrade', 'websocket'], true],
    [['Upgrade', 'websocket'], false],
    [['Connection', 'upgrade'], false],
    [['Connection', 'upgrade', 'Upgrade', 'websocket, h2c'], false],
    [['Connection', 'upgrade', 'Upgrade', 'websocket', 'Upgrade', 'H2C'], false],
    [['Connection', 'upgrade', 'Upgrade', 'websocket', 'Content-Length', '0'], false],
  ])('an upgrade by %j', (rawHeaders, upgradable) => {
    expect(wishes(rawHeaders).upgradable).toBe(upgradable);
  });

  it('a 100 concerns a body that is to come', () => {
    expect(wishes(['Expect', '100-Continue', 'Content-Length', '5']).expectsContinue).toBe(true);
    expect(wishes(['Expect', '100-continue']).expectsContinue).toBe(false);
  });
});
