import { expect, test } from 'vitest';
import { clip, padTo, printable, widthOf, wrap } from './clip.ts';
import { colourStyle } from './style.ts';

test('width counts what is seen: colours take no column', () => {
  expect(widthOf(`a ${colourStyle.bad('red')} …`)).toBe(7);
  expect(padTo(colourStyle.good('ok'), 4)).toBe(`${colourStyle.good('ok')}  `);
});

test('a line that fits stays as it is, one that does not ends in an ellipsis at the width', () => {
  expect(clip('12345', 5)).toBe('12345');
  expect(clip('123456', 5)).toBe('1234…');
  expect(clip('123456', 0)).toBe('');
});

test('a cut inside a colour ends the colour', () => {
  const clipped = clip(`${colourStyle.bad('abcdef')}gh`, 4);
  expect(clipped).toBe('\u001b[31mabc…\u001b[0m');
  expect(widthOf(clipped)).toBe(4);
});

test('a text is broken between words, never inside one', () => {
  expect(wrap('waiting: v2 is not ready: connection refused', 16)).toEqual(['waiting: v2 is', 'not ready:', 'connection', 'refused']);
  expect(wrap('reviews.default.svc.cluster.local is long', 10)).toEqual(['reviews.default.svc.cluster.local', 'is long']);
  expect(wrap('', 10)).toEqual(['']);
});

test('foreign text cannot move the cursor or start a line', () => {
  expect(printable('on-call\u001b[2J\nerrors\u0007')).toBe('on-call [2J errors');
});
