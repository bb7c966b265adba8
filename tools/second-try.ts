import type { TestReport } from './test-summary.ts';

/** More files than these do not fail by chance. */
const MOST_FILES = 5;

/** The files of a run that are worth a second try: those that failed, where they are few. */
export function filesToTryAgain(report: TestReport | undefined): readonly string[] {
  const failed = report?.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name) ?? [];
  return failed.length <= MOST_FILES ? failed : [];
}

/** A run, with the files that were tried again as they were the second time. */
export function withSecondTry(first: TestReport, second: TestReport): TestReport {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  return { success: second.success && testResults.every(({ status }) => status !== 'failed'), testResults };
}
