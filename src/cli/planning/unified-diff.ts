import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

/** Lines around a change. */
const CONTEXT = 3;
/** Beyond so many changed lines the shortest way from one text to the other is not looked for: the search takes their square. */
const MOST_CHANGES = 2000;

/**
 * Two texts as a unified diff (POSIX diff -u), without line ends; nothing where they are equal. Of texts that have little in common all of
 * the one is replaced by all of the other.
 */
export function unifiedDiff(
  before: readonly string[],
  after: readonly string[],
  [from, to]: readonly [from: string, to: string],
): readonly string[] {
  const [left, right] = [textOf(before), textOf(after)];
  if (left === right) return [];
  const options = { context: CONTEXT, headerOptions: FILE_HEADERS_ONLY, maxEditLength: MOST_CHANGES };
  const patch = createTwoFilesPatch(from, to, left, right, undefined, undefined, options);
  return patch === undefined ? replaced(before, after, [from, to]) : patch.slice(0, -1).split('\n');
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function replaced(before: readonly string[], after: readonly string[], [from, to]: readonly [string, string]): readonly string[] {
  const range = ({ length }: readonly string[]): string => `${length === 0 ? 0 : 1},${length}`;
  const hunk = `@@ -${range(before)} +${range(after)} @@`;
  return [`--- ${from}`, `+++ ${to}`, hunk, ...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)];
}
