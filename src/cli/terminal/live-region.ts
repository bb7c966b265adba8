import { widthOf } from '../../core/diagnostics/wrap.ts';
import { clip } from './clip.ts';
import type { Terminal } from './terminal.ts';

/** Lines at the bottom of a terminal that are redrawn in place, below what is printed for good. */
export interface LiveRegion {
  /** Shows these lines in place of the former ones; lines are clipped to the terminal, so none wraps. */
  show(lines: readonly string[]): void;
  /** Prints lines above the region, to stay. */
  print(text: string): void;
  /** Leaves the last lines standing and gives the cursor back. */
  close(): void;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Starts a live region (ECMA-48 control sequences: CUU, EL, ED). Only for an interactive terminal. */
export function openLiveRegion(terminal: Terminal): LiveRegion {
  let wanted: readonly string[] = [];
  let drawn: readonly string[] = [];

  /** Back to the first line of what is drawn, which takes up so many rows. */
  const toStart = (rows = drawn.length): string => (rows > 0 ? `\u001b[${rows}A\r` : '\r');

  const draw = (above = ''): void => {
    const { columns, rows } = terminal.size();
    // One row less than there is: a region as high as the screen would scroll with its last line end.
    const lines = wanted.slice(0, Math.max(rows - 1, 1)).map((line) => clip(line, columns));
    if (above === '' && lines.length === drawn.length && lines.every((line, index) => line === drawn[index])) return;
    // Cleared before it is written: cells cleared behind a text count as part of the line for terminals that wrap when resized.
    const rewrite = (line: string): string => `${CLEAR_TO_LINE_END}${line}\n`;
    // Lines that stay are only passed over: no flicker, and a tick costs a few bytes.
    const moved = above !== '';
    const text = lines.map((line, index) => (!moved && line === drawn[index] ? '\n' : rewrite(line)));
    const printed = moved ? above.split('\n').map(rewrite) : [];
    terminal.raw(`${toStart()}${[...printed, ...text].join('')}${CLEAR_BELOW}`);
    drawn = lines;
  };

  terminal.raw(HIDE_CURSOR);
  const stopResize = terminal.onResize(() => {
    // A terminal that became narrower has wrapped what stood there.
    const { columns } = terminal.size();
    const rows = drawn.reduce((sum, line) => sum + Math.max(Math.ceil(widthOf(line) / columns), 1), 0);
    terminal.raw(`${toStart(rows)}${CLEAR_BELOW}`);
    drawn = [];
    draw();
  });
  return {
    show: (lines) => {
      wanted = lines;
      draw();
    },
    print: (text) => draw(text),
    close: () => {
      stopResize();
      terminal.raw(SHOW_CURSOR);
    },
  };
}
