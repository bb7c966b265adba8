import { expect, test } from 'vitest';
import { widthOf, wrap } from './wrap.ts';

test('width counts what is seen: colours take no column', () => {
  expect(widthOf('a \u001b[31mred\u001b[39m …')).toBe(7);
});

test('a text is broken between words, never inside one', () => {
  expect(wrap('waiting: v2 is not ready: connection refused', 16)).toEqual(['waiting: v2 is', 'not ready:', 'connection', 'refused']);
  expect(wrap('reviews.default.svc.cluster.local is long', 10)).toEqual(['reviews.default.svc.cluster.local', 'is long']);
  expect(wrap('', 10)).toEqual(['']);
});

test('what goes on below hangs under the first line', () => {
  expect(wrap('error: the port is in use', 16, 7)).toEqual(['error: the port', '       is in use']);
});
