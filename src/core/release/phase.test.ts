import { expect, test } from 'vitest';
import { isExposed, isSettled, isUnderWay, PHASES } from './phase.ts';

test('what each phase means for visitors', () => {
  const meanings = PHASES.map((phase) => [phase, isUnderWay(phase), isExposed(phase), isSettled(phase)]);
  expect(meanings).toEqual([
    ['Pending', false, false, false],
    ['Progressing', true, true, false],
    ['Paused', true, true, false],
    ['Completing', true, true, false],
    ['Succeeded', false, false, true],
    ['RollingBack', true, false, false],
    ['RolledBack', false, false, true],
    ['Superseded', true, false, false],
  ]);
});
