import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logText, plainText } from './log-text.ts';

test('what ends a line, moves a cursor or turns the direction of writing is spelled out', () => {
  expect(plainText('a\u001b[2J\r\n\u0007\u202Eb\u2028')).toBe('a\\u{1b}[2J\\u{d}\\u{a}\\u{7}\\u{202e}b\\u{2028}');
  expect(plainText('Größe 10 % “v2” \u{1F600}')).toBe('Größe 10 % “v2” \u{1F600}');
});

test('whatever the text, the result has nothing of that, and stays as it is when done again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const plain = plainText(text);
      expect(plain).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(plainText(plain)).toBe(plain);
    }),
  );
});

test('in a log it is cut', () => {
  expect(logText('x'.repeat(301))).toBe(`${'x'.repeat(299)}…`);
  expect(logText('x'.repeat(300))).toBe('x'.repeat(300));
});
