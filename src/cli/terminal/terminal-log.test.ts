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
  expect(logged('not done', new TypeError('x is not a function'))).toMatch(/^error: not done\nTypeError: x is not a function\n {4}at /);
});
