import { expect, test } from 'vitest';
import { followGuide, guideSteps } from './follow-guide.ts';

followGuide('first-release.md');

test('the guide has files, programs and commands', () => {
  const steps = guideSteps('first-release.md');
  expect(steps.filter(({ kind }) => kind === 'file')).toHaveLength(4);
  expect(steps.filter((step) => step.kind === 'console' && step.background)).toHaveLength(3);
  expect(steps.flatMap((step) => (step.kind === 'console' ? step.commands : [])).length).toBeGreaterThan(20);
});
