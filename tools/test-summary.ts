/** The parts of vitest's JSON report (`--reporter=json`) that count. */
export interface TestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    /** `failed` also where the file could not be loaded; then it has no tests. */
    readonly status: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      /** What was wrong with it. */
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** What came of a run of the tests: counts of tests, and whether the run may pass. */
interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  /** What people must know: failures by name, skipped suites and how to run them, files that did not load, that nothing ran. */
  readonly notes: readonly string[];
  readonly ok: boolean;
}

type FileReport = TestReport['testResults'][number];
type SingleTest = FileReport['assertionResults'][number];

function nameOf(file: FileReport, test: SingleTest): string {
  return `${file.name}: ${[...test.ancestorTitles, test.title].join(' > ')}`;
}

/** Longest part of a failure that is told again, in characters. */
const SAID_AGAIN = 200;

function firstLine({ failureMessages: [message = ''] }: SingleTest): string {
  return message.split('\n', 1)[0]?.slice(0, SAID_AGAIN) ?? '';
}

/** Each failure once more, for the end: of a long output often only that is kept. */
function failuresOf(report: TestReport | undefined): string[] {
  return (report?.testResults ?? []).flatMap((file) =>
    file.assertionResults.filter(({ status }) => status === 'failed').map((test) => `failed: ${nameOf(file, test)}: ${firstLine(test)}`),
  );
}

const NEED = / \(needs (\w+)\)$/;

/** The suites that were skipped for want of something, by what they need; and the tests that were skipped for no such reason. */
function skippedTests(report: TestReport): { suites: ReadonlyMap<string, ReadonlySet<string>>; others: readonly string[] } {
  const suites = new Map<string, Set<string>>();
  const others: string[] = [];
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed' || test.status === 'failed') continue;
      const suite = test.ancestorTitles.find((title) => NEED.test(title));
      const need = suite === undefined ? undefined : NEED.exec(suite)?.[1];
      if (need === undefined) others.push(nameOf(file, test));
      else suites.set(need, (suites.get(need) ?? new Set()).add(`${file.name}: ${suite}`));
    }
  }
  return { suites, others };
}

/**
 * Counts a run. A file that did not load is one failure. With `nothingSkipped` (`npm run test:all`) each skipped suite or
 * test is a failure too. `exitCode` is vitest's: errors outside any test show only there.
 */
export function summarizeTests(report: TestReport | undefined, exitCode: number, nothingSkipped: boolean): TestSummary {
  const notes = failuresOf(report);
  const tests = report?.testResults.flatMap((file) => file.assertionResults) ?? [];
  const passed = tests.filter((test) => test.status === 'passed').length;
  let failed = tests.filter((test) => test.status === 'failed').length;
  for (const file of report?.testResults ?? []) {
    if (file.status !== 'failed' || file.assertionResults.some((test) => test.status === 'failed')) continue;
    failed += 1;
    notes.push(`failed: ${file.name}, outside its tests`);
  }
  const { suites, others } = report === undefined ? { suites: new Map<string, ReadonlySet<string>>(), others: [] } : skippedTests(report);
  for (const [need, names] of suites) {
    const what = names.size === 1 ? '1 suite needs' : `${names.size} suites need`;
    notes.push(`skipped: ${what} ${need}${nothingSkipped ? ', which was not provided' : ': npm run test:all provides it'}`);
    if (nothingSkipped) failed += names.size;
  }
  for (const name of others) notes.push(`skipped: ${name}`);
  if (nothingSkipped) failed += others.length;
  const broken = exitCode !== 0 || report?.success !== true;
  if (broken && failed === 0) {
    if (tests.length > 0 || report === undefined) failed = 1;
    notes.push('vitest failed outside any test: see its output above');
  }
  if (passed + failed === 0) notes.push('no tests ran');
  return { passed, failed, notes, ok: !broken && failed === 0 && passed > 0 };
}
