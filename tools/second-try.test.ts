import { expect, test } from 'vitest';
import { filesToTryAgain, withSecondTry } from './second-try.ts';
import type { TestReport } from './test-summary.ts';

const file = (name: string, status: 'passed' | 'failed') => ({
  name,
  status,
  assertionResults: [{ title: 'a', status, ancestorTitles: [], failureMessages: [] }],
});

const run = (...testResults: TestReport['testResults']): TestReport => ({
  success: testResults.every(({ status }) => status === 'passed'),
  testResults,
});

test('what failed is tried again, and nothing else', () => {
  expect(filesToTryAgain(run(file('a', 'passed'), file('b', 'failed')))).toEqual(['b']);
  expect(filesToTryAgain(undefined)).toEqual([]);
});

test('a change that breaks much is not tried again', () => {
  expect(filesToTryAgain(run(...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => file(name, 'failed'))))).toEqual([]);
});

test('the second result of a file counts, the first of all others', () => {
  const first = run(file('a', 'passed'), file('b', 'failed'));
  expect(withSecondTry(first, run(file('b', 'passed')))).toEqual(run(file('a', 'passed'), file('b', 'passed')));
  expect(withSecondTry(first, run(file('b', 'failed')))).toEqual(first);
});

test('a file that the second run left out has failed still, and so has a second run with an error outside its tests', () => {
  const first = run(file('a', 'failed'), file('b', 'failed'));
  expect(withSecondTry(first, run(file('b', 'passed')))).toMatchObject({ success: false });
  expect(withSecondTry(run(file('b', 'failed')), { ...run(file('b', 'passed')), success: false })).toMatchObject({ success: false });
});
