import { expect, test } from 'vitest';
import { openLiveRegion } from './live-region.ts';
import { plainStyle } from './style.ts';
import type { Terminal } from './terminal.ts';

/** A terminal that keeps what was written, and understands the control sequences that a live region uses. */
function fakeTerminal(columns: number, rows: number) {
  let width = columns;
  let resized = (): void => {};
  const written: string[] = [];
  const screen: string[] = [''];
  let row = 0;
  const write = (text: string): void => {
    written.push(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read.
    for (const [, up, sequence, plain] of text.matchAll(/\u001b\[(\d+)A|(\u001b\[\??[0-9]*[A-Za-z]|[\r\n])|([^\u001b\r\n]+)/g)) {
      if (up !== undefined) row = Math.max(row - Number(up), 0);
      else if (sequence === '\n') screen[++row] ??= '';
      else if (sequence === '\u001b[J') screen.splice(row, Number.POSITIVE_INFINITY, '');
      else if (plain !== undefined) screen[row] = plain;
    }
  };
  const terminal: Terminal = {
    out: (text) => write(`${text}\n`),
    err: () => {},
    raw: write,
    interactive: true,
    style: plainStyle,
    errStyle: plainStyle,
    errColour: false,
    outColumns: () => width,
    errColumns: () => undefined,
    size: () => ({ columns: width, rows }),
    onResize: (listener) => {
      resized = listener;
      return () => {};
    },
  };
  /** Wraps each line that is too long now, as terminals do. */
  const narrow = (to: number): void => {
    width = to;
    screen.splice(0, screen.length, ...screen.flatMap((line) => line.match(new RegExp(`.{1,${to}}`, 'g')) ?? ['']));
    row = screen.length - 1;
    resized();
  };
  return { terminal, written, narrow, lines: () => screen.slice(0, -1) };
}

test('lines are redrawn in place, also when there are fewer', () => {
  const { terminal, lines } = fakeTerminal(80, 24);
  const region = openLiveRegion(terminal);
  region.show(['one', 'two', 'three']);
  region.show(['uno', 'due']);
  expect(lines()).toEqual(['uno', 'due']);
});

test('what is printed stays above the region', () => {
  const { terminal, lines } = fakeTerminal(80, 24);
  const region = openLiveRegion(terminal);
  region.show(['live']);
  region.print('first\nsecond');
  region.show(['still live']);
  expect(lines()).toEqual(['first', 'second', 'still live']);
});

test('a line that stays is not written again', () => {
  const { terminal, written, lines } = fakeTerminal(80, 24);
  const region = openLiveRegion(terminal);
  region.show(['stays', 'changes']);
  region.show(['stays', 'changed']);
  expect(lines()).toEqual(['stays', 'changed']);
  expect(written.at(-1)).not.toContain('stays');
});

test('nothing is written when nothing changed', () => {
  const { terminal, written } = fakeTerminal(80, 24);
  const region = openLiveRegion(terminal);
  region.show(['same']);
  const before = written.length;
  region.show(['same']);
  expect(written.length).toBe(before);
});

test('long lines are clipped and a region higher than the screen is cut, so that none wraps or scrolls', () => {
  const { terminal, lines } = fakeTerminal(10, 4);
  const region = openLiveRegion(terminal);
  region.show(['0123456789abc', 'b', 'c', 'd', 'e']);
  expect(lines()).toEqual(['012345678…', 'b', 'c']);
});

test('a terminal that becomes narrower wraps the lines: they are drawn anew, and nothing of the old ones is left', () => {
  const { terminal, narrow, lines } = fakeTerminal(20, 24);
  terminal.out('stays');
  const region = openLiveRegion(terminal);
  region.show(['', 'a line of 18 chars', 'short']);
  narrow(10);
  expect(lines()).toEqual(['stays', '', 'a line of…', 'short']);
});

test('the cursor is hidden while it lives, and comes back', () => {
  const { terminal, written } = fakeTerminal(80, 24);
  const region = openLiveRegion(terminal);
  expect(written.join('')).toContain('\u001b[?25l');
  expect(written.join('')).not.toContain('\u001b[?25h');
  region.close();
  expect(written.at(-1)).toBe('\u001b[?25h');
});
