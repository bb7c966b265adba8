import { expect, test } from 'vitest';
import { describeStep } from './describe-step.ts';

test('a step says whom it sends to the canary: a share, or those whom it picks', () => {
  expect(describeStep({ weight: 12.5 })).toBe('12.5 %');
  expect(describeStep({ match: [{ headers: { 'x-team': { exact: 'qa' } } }] })).toBe('those picked by header x-team');
  const match = [{ headers: { 'x-team': {}, 'x-region': {} } }, { headers: { 'x-team': {} } }];
  expect(describeStep({ weight: 0, match })).toBe('those picked by header x-team, x-region');
});
