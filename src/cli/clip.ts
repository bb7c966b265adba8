// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is matched.
const SEQUENCE = /\u001b\[[0-9;]*m/;
const RESET = '\u001b[0m';

/** Columns that a text takes on a terminal; colour sequences take none. Every other code point counts one, as all of ours do. */
export function widthOf(text: string): number {
  return [...text.replaceAll(new RegExp(SEQUENCE, 'g'), '')].length;
}

/** Cuts a line to `width` columns, with `…` as the last; colours are kept, and ended where they were cut. */
export function clip(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let kept = '';
  let room = Math.max(width - 1, 0);
  let coloured = false;
  let rest = line;
  while (room > 0) {
    const sequence = SEQUENCE.exec(rest);
    if (sequence?.index === 0) {
      kept += sequence[0];
      coloured = true;
      rest = rest.slice(sequence[0].length);
      continue;
    }
    const character = String.fromCodePoint(rest.codePointAt(0) ?? 32);
    kept += character;
    rest = rest.slice(character.length);
    room--;
  }
  return `${kept}${width > 0 ? '…' : ''}${coloured ? RESET : ''}`;
}

/** Breaks a plain text between words into lines of at most `width` columns; a longer word keeps a line to itself. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Pads with spaces to `width` columns. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - widthOf(text), 0));
}

/** A foreign text in one line that moves no cursor: control characters become spaces. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}
