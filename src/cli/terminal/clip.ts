import { SGR, widthOf } from '../../core/diagnostics/wrap.ts';

const RESET = '\u001b[0m';

/** Cuts a line to `width` columns, with `…` as the last; colours are kept, and ended where they were cut. */
export function clip(line: string, width: number): string {
  if (widthOf(line) <= width) return line;
  let kept = '';
  let room = Math.max(width - 1, 0);
  let coloured = false;
  let rest = line;
  while (room > 0) {
    const sequence = SGR.exec(rest);
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

/** Pads with spaces to `width` columns. */
export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(width - widthOf(text), 0));
}

/** A foreign text in one line that moves no cursor: control characters become spaces. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').trim();
}
