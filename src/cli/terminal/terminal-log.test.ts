import { expect, test } from 'vitest';
import { StoreWriteError } from '../../cluster/store-errors.ts';
import { asListenError } from '../../server/listen-error.ts';
import { silentTerminal } from './silent-terminal.ts';
import { terminalLog } from './terminal-log.ts';

function logged(message: string, error?: unknown): string {
  const lines: string[] = [];
  terminalLog(silentTerminal({ err: (text) => lines.push(text) })).error(message, error);
  return lines.join('\n');
}

test('what is expected of disks and ports is one line', () => {
  const disk = new StoreWriteError('/data/perch.db', 'disk full', new Error('database or disk is full'));
  const port = asListenError(Object.assign(new Error('listen'), { code: 'EADDRINUSE', port: 8080 }));
  expect(port).toBeInstanceOf(Error);
  for (const error of [disk, port, undefined]) expect(logged('not done', error)).toBe('error: not done');
});

test('a bug comes with its stack', () => {
  expect(logged('not done', new TypeError('x is not a function'))).toMatch(/^error: not done\n {4}TypeError: x is not a function\n {8}at /);
});

test('what was thrown cannot look like a line of the log, nor move the cursor', () => {
  const lines = logged('not done', new Error('no such\u001b[2J\nerror: forged')).split('\n');
  expect(lines.slice(0, 3)).toEqual(['error: not done', '    Error: no such\\u{1b}[2J', '    error: forged']);
});
