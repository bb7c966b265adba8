import { inspect } from 'node:util';
import type { RuntimeLog } from '../server/runtime-log.ts';
import type { Terminal } from './terminal.ts';

/** The runtime's log as lines on stderr; errors with their stack, since they are for whoever looks for a bug. */
export function terminalLog(terminal: Terminal): RuntimeLog {
  const { errStyle } = terminal;
  return {
    info: (message) => terminal.err(errStyle.dim(message)),
    warn: (message) => terminal.err(`${errStyle.attention('warning:')} ${message}`),
    error: (message, error) => terminal.err(`${errStyle.bad('error:')} ${message}${error === undefined ? '' : `\n${inspect(error)}`}`),
  };
}
