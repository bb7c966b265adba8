/** What a character code is in an id: 1 a lower-case hex digit, 2 a hyphen, 0 anything else. A table: each request has two ids read. */
const KIND = new Uint8Array(128);
for (const digit of '0123456789abcdef') KIND[digit.charCodeAt(0)] = 1;
KIND[45] = 2;

/** How many characters the last group of an id has. */
export const LAST_GROUP = 12;

/** Whether a visitor id stands in `text` from `start` to `end`: hex digits and hyphens that end in a hyphen and 12 digits. */
export function isIdAt(text: string, start: number, end: number): boolean {
  const group = lastGroup(text, start, end);
  return group >= 0 && group === end - LAST_GROUP;
}

/** Where the last group of an id begins, which stands in `text` from `start` to `end`; -1 where that is not hex digits and hyphens, at least one. */
export function lastGroup(text: string, start: number, end: number): number {
  let group = -1;
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    const kind = code < 128 ? KIND[code] : 0;
    if (kind === 0) return -1;
    if (kind === 2) group = index + 1;
  }
  return group;
}
