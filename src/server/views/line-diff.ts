import { diffArrays } from 'diff';
import type { DiffLine } from '../../core/view/woven-routes-view.ts';

/** Beyond so many changed lines the shortest way from one text to the other is not looked for: the search takes their square. */
const MOST_CHANGES = 2000;
/** So many take a few milliseconds: they are found at once. */
const FEW_CHANGES = 200;

/**
 * All lines of two texts: those of both, those that go and those that come. Of texts that have little in common all go, and all come. Where there are
 * many, the event loop has its turn once for each changed line: in this process requests are served.
 */
export async function lineDiff(before: readonly string[], after: readonly string[]): Promise<DiffLine[]> {
  const [old, fresh] = [[...before], [...after]];
  const few: Parts | undefined = diffArrays(old, fresh, { maxEditLength: FEW_CHANGES });
  const parts =
    few ??
    (await new Promise<Parts | undefined>((callback) => {
      diffArrays(old, fresh, { maxEditLength: MOST_CHANGES, callback });
    }));
  const signed = (lines: readonly string[], sign: DiffLine['sign']): DiffLine[] => lines.map((text) => ({ sign, text }));
  if (parts === undefined) return [...signed(before, '-'), ...signed(after, '+')];
  return parts.flatMap(({ value, added, removed }) => signed(value, added ? '+' : removed ? '-' : ' '));
}

type Parts = readonly { readonly value: readonly string[]; readonly added: boolean; readonly removed: boolean }[];
