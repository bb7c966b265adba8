import { expect, test } from 'vitest';
import { addedEjections } from './cluster-ejections.ts';

test('sums by cluster, in order of their names', () => {
  const one = { cluster: 'outbound|80|v2|web', active: 1, enforced: 4, overflowed: 0 };
  const other = { cluster: 'outbound|80|v1|web', active: 0, enforced: 1, overflowed: 2 };
  expect(addedEjections([one, other, { ...one, overflowed: 3 }])).toEqual([
    other,
    { cluster: 'outbound|80|v2|web', active: 2, enforced: 8, overflowed: 3 },
  ]);
  expect(addedEjections([])).toEqual([]);
});
