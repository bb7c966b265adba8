/**
 * What makes one list of another: `insert` takes the place of `remove` items at `at`, and then each of `set` that of the item at its place.
 * As JSON.
 */
export interface ListChanges<Item> {
  readonly at: number;
  readonly remove: number;
  readonly insert: readonly Item[];
  readonly set: readonly (readonly [place: number, item: Item])[];
}

/**
 * The changes from `before` to `after`; items are equal where they are the same object. Small where few items changed in their places, as when
 * a release moves on, or where one group of neighbours came or went, as when files are applied.
 */
export function changesBetween<Item>(before: readonly Item[], after: readonly Item[]): ListChanges<Item> {
  if (before.length === after.length) {
    const set = after.flatMap((item, place): (readonly [number, Item])[] => (item === before[place] ? [] : [[place, item]]));
    return { at: 0, remove: 0, insert: [], set };
  }
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { at: start, remove: before.length - end - start, insert: after.slice(start, after.length - end), set: [] };
}

/** `before` with the changes; items that did not change stay the same objects. */
export function applyChanges<Item>(before: readonly Item[], { at, remove, insert, set }: ListChanges<Item>): readonly Item[] {
  const after = [...before.slice(0, at), ...insert, ...before.slice(at + remove)];
  for (const [place, item] of set) after[place] = item;
  return after;
}
