import { expect, test } from 'vitest';
import { followGuide, guideSteps } from './follow-guide.ts';

followGuide('readiness.md');

test('the guide has files, programs and commands', () => {
  const steps = guideSteps('readiness.md');
  expect(steps.filter(({ kind }) => kind === 'file')).toHaveLength(2);
  expect(steps.filter((step) => step.kind === 'console' && step.background)).toHaveLength(3);
  expect(steps.flatMap((step) => (step.kind === 'console' ? step.commands : [])).length).toBeGreaterThan(10);
});
