import type { DiffLine } from '../../core/view/woven-routes-view.ts';

/** Lines to show, or a number of lines left out; `start` is the place of the first among all. */
export type DiffPart =
  | { readonly kind: 'lines'; readonly start: number; readonly lines: readonly DiffLine[] }
  | { readonly kind: 'fold'; readonly start: number; readonly count: number };

/** So many lines that stay are shown on both sides of a change. */
const CONTEXT = 3;
/** Fewer lines than that are not worth a fold. */
const LEAST_FOLD = 4;

/** Leaves out what is far from any change. */
export function foldDiff(lines: readonly DiffLine[]): readonly DiffPart[] {
  const isNear = lines.map((_, index) => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ sign }) => sign !== ' '));
  const parts: DiffPart[] = [];
  for (let start = 0; start < lines.length; ) {
    let end = start + 1;
    while (end < lines.length && isNear[end] === isNear[start]) end += 1;
    const isFold = isNear[start] === false && end - start >= LEAST_FOLD;
    parts.push(isFold ? { kind: 'fold', start, count: end - start } : { kind: 'lines', start, lines: lines.slice(start, end) });
    start = end;
  }
  return parts;
}
