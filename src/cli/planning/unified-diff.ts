/** Lines around a change. */
const CONTEXT = 3;
/** Beyond so many changed lines the shortest way from one text to the other is not looked for: the search takes their square. */
const MOST_CHANGES = 1000;

type Edit = readonly [kind: ' ' | '-' | '+', line: string];

/**
 * Two texts as a unified diff (POSIX diff -u), without line ends; nothing where they are equal. Shortest for changes of ordinary size
 * (E. Myers, An O(ND) difference algorithm, 1986).
 */
export function unifiedDiff(
  before: readonly string[],
  after: readonly string[],
  names: readonly [from: string, to: string],
): readonly string[] {
  const edits = editsOf(before, after);
  const hunks = hunksOf(edits);
  return hunks.length === 0 ? [] : [`--- ${names[0]}`, `+++ ${names[1]}`, ...hunks.flatMap((hunk) => hunkLines(edits, hunk))];
}

function editsOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const room = Math.min(before.length, after.length) - start;
  while (end < room && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const kept = (lines: readonly string[]): readonly Edit[] => lines.map((line) => [' ', line]);
  return [
    ...kept(before.slice(0, start)),
    ...changes(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...kept(before.slice(before.length - end)),
  ];
}

/** Myers' search: the furthest place in `before` on each diagonal after each number of changes, then the way back. */
function changes(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const trace: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let count = 0; count <= Math.min(before.length + after.length, MOST_CHANGES); count++) {
    trace.push(furthest);
    const next = new Map(furthest);
    for (let diagonal = -count; diagonal <= count; diagonal += 2) {
      let x = startOn(furthest, diagonal, count);
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      next.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return wayBack(before, after, trace);
    }
    furthest = next;
  }
  return [...before.map((line): Edit => ['-', line]), ...after.map((line): Edit => ['+', line])];
}

/** Whether the furthest way to a diagonal adds a line, coming from the diagonal above, rather than taking one away. */
function isAdded(furthest: ReadonlyMap<number, number>, diagonal: number, count: number): boolean {
  if (diagonal === -count) return true;
  return diagonal !== count && (furthest.get(diagonal - 1) ?? -1) < (furthest.get(diagonal + 1) ?? -1);
}

function startOn(furthest: ReadonlyMap<number, number>, diagonal: number, count: number): number {
  if (isAdded(furthest, diagonal, count)) return furthest.get(diagonal + 1) ?? 0;
  return (furthest.get(diagonal - 1) ?? -1) + 1;
}

function wayBack(before: readonly string[], after: readonly string[], trace: readonly ReadonlyMap<number, number>[]): readonly Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (const [count, furthest] of [...trace.entries()].reverse()) {
    const diagonal = x - y;
    const start = count === 0 ? 0 : startOn(furthest, diagonal, count);
    for (; x > start; x--, y--) edits.push([' ', before[x - 1] ?? '']);
    if (count === 0) break;
    if (isAdded(furthest, diagonal, count)) edits.push(['+', after[--y] ?? '']);
    else edits.push(['-', before[--x] ?? '']);
  }
  return edits.reverse();
}

/** Changes with the lines around them, as ranges of edits; those that touch are one. */
function hunksOf(edits: readonly Edit[]): readonly (readonly [start: number, end: number])[] {
  const hunks: [number, number][] = [];
  for (const [index, [kind]] of edits.entries()) {
    if (kind === ' ') continue;
    const [start, end] = [Math.max(0, index - CONTEXT), Math.min(edits.length, index + CONTEXT + 1)];
    const last = hunks.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else hunks.push([start, end]);
  }
  return hunks;
}

function hunkLines(edits: readonly Edit[], [start, end]: readonly [number, number]): readonly string[] {
  const shown = edits.slice(start, end);
  const range = (other: '-' | '+'): string => {
    const before = edits.slice(0, start).filter(([kind]) => kind !== other).length;
    const length = shown.filter(([kind]) => kind !== other).length;
    // An empty range stands behind the line that it names.
    return `${length === 0 ? before : before + 1}${length === 1 ? '' : `,${length}`}`;
  };
  return [`@@ -${range('+')} +${range('-')} @@`, ...shown.map(([kind, line]) => `${kind}${line}`)];
}
