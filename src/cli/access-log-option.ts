import { Option } from 'commander';
import type { AccessLogWriter } from '../server/access-log/access-log-writer.ts';
import type { CliContext } from './cli-context.ts';
import { CommandError } from './command-error.ts';
import type { Terminal } from './terminal/terminal.ts';

/** `--access-log`, with a file, or `-` or nothing for stdout. */
export function accessLogOption(): Option {
  return new Option(
    '--access-log [file]',
    'a line of JSON for each request, to a file (opened anew after it was renamed, or by SIGHUP) or to stdout',
  );
}

/**
 * Opens what `--access-log` names; SIGHUP opens it anew. Undefined where there is to be none.
 * @throws CommandError where it cannot be opened.
 */
export async function openAccessLogOf(target: string | true | undefined, context: CliContext): Promise<AccessLogWriter | undefined> {
  if (target === undefined) return undefined;
  const { openAccessLog } = await import('../server/access-log/access-log-writer.ts');
  const name = target === true ? '-' : target;
  try {
    const log = await openAccessLog(name, (message) => context.terminal.err(`warning: ${message}`));
    if (name !== '-') context.onHangup?.(() => log.reopen());
    return log;
  } catch (error) {
    throw new CommandError(
      `the access log cannot be opened (${(error as Error).message}): name a file that can be written, or - for stdout`,
    );
  }
}

/** The same terminal, with everything on stderr where stdout has the access log: programs read lines of JSON there. */
export function besideAccessLog(target: string | true | undefined, terminal: Terminal): Terminal {
  return target === true || target === '-' ? { ...terminal, out: terminal.err } : terminal;
}
