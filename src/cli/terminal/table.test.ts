import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns are as wide as their widest cell, and no line ends in spaces', () => {
  expect(
    table(
      ['NAME', 'AGE', 'NOTE'],
      [
        ['a-long-name', '3s', ''],
        ['b', '12m', 'x'],
      ],
    ),
  ).toEqual(['NAME          AGE   NOTE', 'a-long-name   3s', 'b             12m   x']);
});

test('without rows there is the head', () => {
  expect(table(['NAME', 'AGE'], [])).toEqual(['NAME   AGE']);
});
