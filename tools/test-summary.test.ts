import { expect, test } from 'vitest';
import { summarizeTests, type TestReport } from './test-summary.ts';

type Status = 'passed' | 'failed' | 'skipped' | 'todo';

function file(name: string, tests: readonly (readonly [status: Status, title: string, suite?: string])[], status = 'passed') {
  return {
    name,
    status,
    assertionResults: tests.map(([result, title, suite]) => ({
      status: result,
      title,
      failureMessages: result === 'failed' ? ['AssertionError: expected 1 to be 2\n    at somewhere'] : [],
      ancestorTitles: suite === undefined ? [] : [suite],
    })),
  };
}

function report(...testResults: TestReport['testResults']): TestReport {
  return { success: testResults.every((result) => result.status === 'passed'), testResults };
}

test('a clean run is counted and good', () => {
  const clean = report(file('a.test.ts', [['passed', 'one']]), file('b.test.ts', [['passed', 'two']]));
  expect(summarizeTests(clean, 0, true)).toEqual({ passed: 2, failed: 0, notes: [], ok: true });
});

test('a failed test makes the run fail', () => {
  const failing = report(
    file(
      'a.test.ts',
      [
        ['passed', 'one'],
        ['failed', 'two'],
      ],
      'failed',
    ),
  );
  expect(summarizeTests(failing, 1, false)).toEqual({
    passed: 1,
    failed: 1,
    notes: ['failed: a.test.ts: two: AssertionError: expected 1 to be 2'],
    ok: false,
  });
});

test('a file that does not load is one failure, although it has no tests', () => {
  const unloadable = report(file('a.test.ts', [['passed', 'one']]), file('b.test.ts', [], 'failed'));
  expect(summarizeTests(unloadable, 1, false)).toMatchObject({
    passed: 1,
    failed: 1,
    ok: false,
    notes: ['failed: b.test.ts, outside its tests'],
  });
});

test('suites that lack something are skipped loudly, counted as suites, and fail only where everything must run', () => {
  const skipping = report(
    file('a.test.ts', [
      ['passed', 'one'],
      ['skipped', 'x', 'routes (needs Envoy)'],
      ['skipped', 'y', 'routes (needs Envoy)'],
    ]),
    file('b.test.ts', [
      ['skipped', 'x', 'routes (needs Envoy)'],
      ['skipped', 'z', 'pages (needs Chromium)'],
    ]),
  );
  expect(summarizeTests(skipping, 0, false)).toEqual({
    passed: 1,
    failed: 0,
    ok: true,
    notes: ['skipped: 2 suites need Envoy: npm run test:all provides it', 'skipped: 1 suite needs Chromium: npm run test:all provides it'],
  });
  expect(summarizeTests(skipping, 0, true)).toMatchObject({ passed: 1, failed: 3, ok: false });
});

test('a test skipped for any other reason is named, and fails where everything must run', () => {
  const skipping = report(
    file('a.test.ts', [
      ['passed', 'one'],
      ['todo', 'later'],
      ['skipped', 'never', 'group'],
    ]),
  );
  expect(summarizeTests(skipping, 0, false)).toMatchObject({
    failed: 0,
    ok: true,
    notes: ['skipped: a.test.ts: later', 'skipped: a.test.ts: group > never'],
  });
  expect(summarizeTests(skipping, 0, true)).toMatchObject({ failed: 2, ok: false });
});

test('a run without tests is not a good run', () => {
  expect(summarizeTests(report(), 0, false)).toEqual({ passed: 0, failed: 0, notes: ['no tests ran'], ok: false });
  expect(summarizeTests({ success: false, testResults: [] }, 1, false)).toMatchObject({ passed: 0, failed: 0, ok: false });
});

test('an error outside any test, or a vitest that died without a report, is a failure', () => {
  const clean = report(file('a.test.ts', [['passed', 'one']]));
  expect(summarizeTests(clean, 1, false)).toMatchObject({ passed: 1, failed: 1, ok: false });
  expect(summarizeTests(undefined, 137, false)).toMatchObject({ passed: 0, failed: 1, ok: false });
});
