import { expect, test } from 'vitest';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import { clip, padTo, printable } from './clip.ts';
import { colourStyle } from './style.ts';

test('padding counts what is seen: colours take no column', () => {
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

test('foreign text cannot move the cursor or start a line', () => {
  expect(printable('on-call\u001b[2J\nerrors\u0007')).toBe('on-call [2J errors');
});
