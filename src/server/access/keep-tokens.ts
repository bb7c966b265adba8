import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeLog } from '../runtime-log.ts';
import { readTokens, type Tokens } from './token-file.ts';

interface TokenKeeping {
  readonly file: string;
  /** How often the file is looked at, in ms. */
  readonly rereadMs: number;
  readonly onChange: (next: Tokens) => void;
  readonly log: Pick<RuntimeLog, 'info' | 'warn'>;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Looks at a token file again and again, as for certificates. One that cannot be used is passed over, and said once: the tokens before it go on.
 * So is that others may read it.
 */
export async function keepTokens(first: Tokens, { file, rereadMs, onChange, log, signal }: TokenKeeping): Promise<void> {
  let current = first;
  let complaint = '';
  let isExposed = false;
  const tell = (): void => {
    const { isReadableByOthers } = current;
    if (isReadableByOthers && !isExposed) {
      log.warn(`other users of this machine may read the API’s tokens in ${file}; chmod 600 it, and take new ones (PERCH4093)`);
    }
    isExposed = isReadableByOthers;
  };
  tell();
  for (;;) {
    await sleep(rereadMs, undefined, { signal, ref: false }).catch(() => undefined);
    const next = await readTokens(file).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (signal.aborted) return;
    if (typeof next === 'string') {
      if (next !== complaint) log.warn(`the API goes on with the tokens that it has: ${next} (PERCH4093)`);
      complaint = next;
      continue;
    }
    complaint = '';
    if (next.digest !== current.digest) {
      onChange(next);
      log.info('the API takes the tokens of a changed file');
    }
    current = next;
    tell();
  }
}
