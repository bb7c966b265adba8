import { inspect } from 'node:util';
import { StoreError } from '../../cluster/store-errors.ts';
import { plainText } from '../../core/diagnostics/log-text.ts';
import { ListenError } from '../../server/listen-error.ts';
import type { RuntimeLog } from '../../server/runtime-log.ts';
import type { Terminal } from './terminal.ts';

/** What can go wrong with a disk or a port is no bug: the message says all that its user needs. */
function isExpected(error: unknown): boolean {
  return error === undefined || error instanceof StoreError || error instanceof ListenError;
}

/** Each line further in than any line of the log: what was thrown may repeat what users wrote. */
function stackText(error: unknown): string {
  return inspect(error)
    .split('\n')
    .map((line) => `    ${plainText(line)}`)
    .join('\n');
}

/** The runtime's log as lines on stderr; unexpected errors with their stack, since they are for whoever looks for a bug. */
export function terminalLog(terminal: Terminal): RuntimeLog {
  const { errStyle } = terminal;
  return {
    info: (message) => terminal.err(errStyle.dim(message)),
    warn: (message) => terminal.err(`${errStyle.attention('warning:')} ${message}`),
    audit: (line) => terminal.err(errStyle.dim(`audit: ${line}`)),
    error: (message, error) => terminal.err(`${errStyle.bad('error:')} ${message}${isExpected(error) ? '' : `\n${stackText(error)}`}`),
  };
}
