import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unifiedDiff } from './unified-diff.ts';

const NAMES = ['base', 'step 1'] as const;

/** Applies a unified diff as patch does, line by line, strictly. */
function patched(before: readonly string[], diff: readonly string[]): readonly string[] {
  const after: string[] = [];
  let at = 0;
  for (const line of diff.slice(2)) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@$/.exec(line);
    if (hunk !== null) {
      const start = Number(hunk[1]) - (hunk[2] === '0' ? 0 : 1);
      while (at < start) after.push(before[at++] ?? expect.fail('beyond the end'));
      expect(after.length).toBe(Number(hunk[3]) - (hunk[4] === '0' ? 0 : 1));
    } else if (line.startsWith('+')) {
      after.push(line.slice(1));
    } else {
      expect(before[at]).toBe(line.slice(1));
      if (line.startsWith(' ')) after.push(line.slice(1));
      at++;
    }
  }
  return [...after, ...before.slice(at)];
}

describe('a unified diff', () => {
  test('shows what changed, with three lines around it', () => {
    const before = 'a b c d e f g h i j k l m n o p'.split(' ');
    const after = before.toSpliced(4, 1, 'E', 'EE').toSpliced(15, 1);
    expect(unifiedDiff(before, after, NAMES).join('\n')).toBe(
      `--- base
+++ step 1
@@ -2,7 +2,8 @@
 b
 c
 d
-e
+E
+EE
 f
 g
 h
@@ -12,5 +13,4 @@
 l
 m
 n
-o
 p`,
    );
  });

  test('of equal texts is empty', () => expect(unifiedDiff(['a'], ['a'], NAMES)).toEqual([]));

  const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

  test('makes the one text of the other, with as few changes as the longest common lines leave', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const diff = unifiedDiff(before, after, NAMES);
        expect(patched(before, diff)).toEqual(after);
        const changed = diff.slice(2).filter((line) => /^[-+]/.test(line)).length;
        expect(changed).toBe(before.length + after.length - 2 * longestCommon(before, after));
      }),
    );
  });

  test('of long texts that have little in common replaces all of it', () => {
    const text = (side: string): string[] => ['first', ...Array.from({ length: 5000 }, (_, index) => `${side} ${index}`), 'last'];
    const diff = unifiedDiff(text('left'), text('right'), NAMES);
    expect(patched(text('left'), diff)).toEqual(text('right'));
    expect(diff).toHaveLength(3 + 2 * 5002);
    expect(patched([], unifiedDiff([], text('right'), NAMES))).toEqual(text('right'));
  });
});

function longestCommon(left: readonly string[], right: readonly string[]): number {
  let row = new Array<number>(right.length + 1).fill(0);
  for (const line of left) {
    const next = [0];
    for (const [index, other] of right.entries()) {
      next.push(line === other ? (row[index] ?? 0) + 1 : Math.max(row[index + 1] ?? 0, next[index] ?? 0));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
