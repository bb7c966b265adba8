import { expect, test } from 'vitest';
import { compileCapture } from './capture-pattern.ts';

function captured(regex: string, text: string): string | undefined {
  const capture = compileCapture(regex);
  if (typeof capture !== 'function') throw new Error(capture.problem);
  return capture(text);
}

test('the first group of the first match, anywhere in the text', () => {
  expect(captured('version="(v\\d+)"', '<p version="v1"><p version="v22">')).toBe('v1');
  expect(captured('(?i)VERSION (\\S+)', 'Shop, version 2.1')).toBe('2.1');
  expect(captured('version="(v\\d+)"', '<p>')).toBeUndefined();
});

test('a pattern that would take JavaScript years', () => {
  expect(captured('(a+)+$', `${'a'.repeat(20_000)}!`)).toBeUndefined();
});

test.each([
  ['v\\d', /no capturing group/],
  ['(v', /missing closing/],
  ['(?=v)', /invalid or unsupported/],
])('%s is refused with the reason', (regex, problem) => {
  expect(compileCapture(regex)).toEqual({ problem: expect.stringMatching(problem) });
});
