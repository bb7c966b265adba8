import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('the last keys are remembered, and old ones forgotten', () => {
  const recent = new Recent<number>(10);
  for (let index = 0; index < 100; index += 1) {
    recent.set(`key ${index}`, index);
    for (let back = 0; back < Math.min(10, index + 1); back += 1) expect(recent.get(`key ${index - back}`)).toBe(index - back);
  }
  const remembered = Array.from({ length: 100 }, (_, index) => recent.get(`key ${index}`)).filter((value) => value !== undefined);
  expect(remembered.length).toBeLessThanOrEqual(20);
});

test('a key set again has its new value, whichever generation it was in', () => {
  const recent = new Recent<string>(2);
  recent.set('a', 'first');
  recent.set('b', 'fills the generation');
  recent.set('a', 'second');
  expect(recent.get('a')).toBe('second');
});

test('clearing forgets everything', () => {
  const recent = new Recent<number>(2);
  for (const key of ['a', 'b', 'c']) recent.set(key, 1);
  recent.clear();
  expect(['a', 'b', 'c'].map((key) => recent.get(key))).toEqual([undefined, undefined, undefined]);
});
