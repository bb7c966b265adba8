import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizePath } from './path.ts';

describe('paths come out as Envoy 1.40 leaves them (istio-semantics 9)', () => {
  test.each([
    // dot segments go, plain, encoded, or with parameters
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../b', '/b'],
    ['/..', '/'],
    ['/a/..', '/'],
    ['/a/.', '/a/'],
    ['/a/b/../../..', '/'],
    ['/a/%2e/b', '/a/b'],
    ['/a/%2E%2e/b', '/b'],
    ['/a/..;x=1/b', '/b'],
    ['/a/.;x/b', '/a/b'],
    ['/a\\..\\b', '/b'],
    // what only looks like one stays
    ['/...', '/...'],
    ['/.a/..a/a./a..', '/.a/..a/a./a..'],
    ['/a;x=1/b', '/a;x=1/b'],
    ['/a/;x', '/a/;x'],
    ['/a/..%3b/c', '/a/..%3b/c'],
    // double slashes stay
    ['//a', '//a'],
    ['/a//b', '/a//b'],
    ['/a//../b', '/a/b'],
    ['/a/b//..', '/a/b/'],
    // unreserved characters are decoded, nothing else
    ['/%41%7e%2D', '/A~-'],
    ['/%2f%5c%25%c3%a9', '/%2f%5c%25%c3%a9'],
    ['/a%2eb', '/a.b'],
    ['/%zz%2', '/%zz%2'],
    // a lone percent sign never becomes an escape
    ['/%%32e', '/%252e'],
    ['/%2%41', '/%252A'],
    // characters that do not belong into a path are encoded
    ['/{id}<x>|^`"', '/%7Bid%7D%3Cx%3E%7C%5E%60%22'],
    ["/[x]a:b@c!$&'()*+,;=", "/[x]a:b@c!$&'()*+,;="],
    // the query is left alone
    ['/a?x/../y|%41\\"%00', '/a?x/../y|%41\\"%00'],
    ['/../a?b?c', '/a?b?c'],
    ['/?', '/?'],
    ['/', '/'],
  ])('%s -> %s', (raw, normal) => {
    expect(normalizePath(raw)).toBe(normal);
  });

  test.each([
    ['not absolute', 'a'],
    ['asterisk', '*'],
    ['empty', ''],
    ['a fragment', '/a#b'],
    ['a fragment in the query', '/a?b#c'],
    ['a space', '/a b'],
    ['a space in the query', '/a?b c'],
    ['a NUL', '/a%00'],
    ['raw UTF-8', '/Ã©'],
    ['raw UTF-8 in the query', '/?Ã©'],
    ['a character beyond a byte', '/€'],
    ['a control character', '/a\u0001'],
    ['DEL', '/a\u007f'],
  ])('%s is 400: %j', (_, raw) => {
    expect(normalizePath(raw)).toBeUndefined();
  });

  test('stricter than Envoy: what another look would read differently is 400', () => {
    expect(normalizePath('/a/b/.%2e;p/c')).toBeUndefined();
    expect(normalizePath('/a/\\..;p/c')).toBeUndefined();
  });
});

const rawPath = fc
  .array(
    fc.constantFrom('/', '/', '.', '..', '%2e', '%2F', '%5c', '\\', '%', '%3', '%%32e', ';', '..;p', '?', 'a', '%41', '|', '{', '%c3', '='),
    {
      maxLength: 10,
    },
  )
  .map((parts) => `/${parts.join('')}`);

test('normalizing twice changes nothing, and no dot segment is left', () => {
  fc.assert(
    fc.property(rawPath, (raw) => {
      const normal = normalizePath(raw);
      fc.pre(normal !== undefined);
      expect(normalizePath(normal)).toBe(normal);
      expect(normal.split('?', 1)[0]).not.toMatch(/\/\.\.?(;[^/]*)?(\/|$)/);
    }),
    { seed: 7, numRuns: 5000 },
  );
});
