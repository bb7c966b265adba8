import { describe, expect, test } from 'vitest';
import { createCookieJar } from './cookie-jar.ts';

function jarAt(start: number) {
  const clock = { now: start };
  return { clock, jar: createCookieJar(() => clock.now) };
}

describe('a cookie jar', () => {
  test('sends what was set, without its attributes', () => {
    const { jar } = jarAt(0);
    jar.store(['perch=abc; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax', 'theme=dark']);
    expect(jar.header('/productpage')).toBe('perch=abc; theme=dark');
  });

  test('has nothing to send at first', () => {
    expect(jarAt(0).jar.header('/')).toBeUndefined();
  });

  test('replaces a cookie of the same name and path', () => {
    const { jar } = jarAt(0);
    jar.store(['perch=first; Path=/']);
    jar.store(['perch=second; Path=/']);
    expect(jar.header('/')).toBe('perch=second');
  });

  test.each(['Max-Age=0', 'Max-Age=-1', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT'])(
    'forgets a cookie by %s',
    (attribute) => {
      const { jar } = jarAt(Date.UTC(2026, 10, 22));
      jar.store(['perch=abc; Path=/']);
      jar.store([`perch=; Path=/; ${attribute}`]);
      expect(jar.header('/')).toBeUndefined();
    },
  );

  test('keeps a cookie exactly as long as Max-Age says', () => {
    const { jar, clock } = jarAt(1_000);
    jar.store(['perch=abc; Max-Age=10']);
    clock.now = 10_999;
    expect(jar.header('/')).toBe('perch=abc');
    clock.now = 11_000;
    expect(jar.header('/')).toBeUndefined();
  });

  test('sends a cookie below its path only', () => {
    const { jar } = jarAt(0);
    jar.store(['shop=1; Path=/shop']);
    expect(['/', '/shopping', '/shop', '/shop/cart'].map((path) => jar.header(path))).toEqual([undefined, undefined, 'shop=1', 'shop=1']);
  });

  test('takes no line that is no cookie', () => {
    const { jar } = jarAt(0);
    jar.store(['', '=x', 'novalue']);
    expect(jar.header('/')).toBeUndefined();
  });

  test('a cookie without Path is for the folder of the address that set it', () => {
    const { jar } = jarAt(0);
    jar.store(['shop=1'], '/shop/a');
    expect(['/', '/shop', '/shop/b', '/static/b'].map((path) => jar.header(path))).toEqual([undefined, 'shop=1', 'shop=1', undefined]);
    expect([...jar.sent('/shop/b')]).toEqual([['shop', '1']]);
  });

  test.each([
    ['a=1; Secure', 'http', 'shop.example', undefined],
    ['a=1; Secure', 'https', 'shop.example', 'a=1'],
    ['a=1; Secure', 'http', 'localhost', 'a=1'],
    ['a=1; Domain=example', 'http', 'shop.example', 'a=1'],
    ['a=1; Domain=other.example', 'http', 'shop.example', undefined],
    ['__Host-a=1; Secure; Path=/', 'https', 'shop.example', '__Host-a=1'],
    ['__Host-a=1; Secure', 'https', 'shop.example', undefined],
    ['__Secure-a=1', 'https', 'shop.example', undefined],
    ['a=1; SameSite=None', 'https', 'shop.example', undefined],
    ['a=1; SameSite=None; Secure', 'https', 'shop.example', 'a=1'],
    ['a=1; Partitioned', 'https', 'shop.example', undefined],
    ['a=1; Partitioned; Secure', 'https', 'shop.example', 'a=1'],
  ])('as a browser at a site: %s by %s at %s', (line, scheme, host, sent) => {
    const jar = createCookieJar(() => 0, { secure: scheme === 'https', host });
    jar.store([line], '/');
    expect(jar.header('/')).toBe(sent);
  });
});
