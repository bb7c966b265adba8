/** A colour sequence of a terminal (SGR; ECMA-48, 8.3.117). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is matched.
export const SGR = /\u001b\[[0-9;]*m/;

/** Columns that a text takes on a terminal; colour sequences take none. Every other code point counts one, as all of ours do. */
export function widthOf(text: string): number {
  return [...text.replaceAll(new RegExp(SGR, 'g'), '')].length;
}

/**
 * Breaks a text between words into lines of at most `width` columns; a longer word keeps a line to itself. All lines but the first
 * begin with `indent` spaces.
 */
export function wrap(text: string, width: number, indent = 0): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(lines.length === 0 ? word : ' '.repeat(indent) + word);
  }
  return lines;
}
