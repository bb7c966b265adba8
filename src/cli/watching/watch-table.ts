import { setTimeout as sleep } from 'node:timers/promises';
import { ApiProblem } from '../api-problem.ts';
import type { CliContext } from '../cli-context.ts';
import { CommandError } from '../command-error.ts';
import type { TableRows } from '../reports/object-rows.ts';
import { openLiveRegion } from '../terminal/live-region.ts';
import { table } from '../terminal/table.ts';
import { Refusals } from './refusals.ts';

/** A table whose rows are known by a key each. */
export interface KeyedTable extends TableRows {
  readonly keys: readonly string[];
}

/** How soon a lost connection is tried again, in ms. */
const RETRY_MS = 1000;
/** The column that changes by itself. */
const AGE = 'AGE';

/**
 * Shows a table until the user ends it: redrawn in place on a terminal; elsewhere as it is, then each row that changed. It is read again
 * whenever `changes` says so. `none` is said while it has no row, elsewhere than on a terminal once. A lost connection is told and tried
 * again; only a first reading that fails throws.
 */
export async function watchTable(
  { terminal, signal }: CliContext,
  changes: () => AsyncIterable<unknown>,
  read: () => Promise<KeyedTable>,
  none: string,
): Promise<void> {
  const screen = terminal.interactive ? liveTable(terminal, none) : plainTable(terminal, none);
  let isLost = false;
  const refusals = new Refusals(false);
  try {
    screen.show(await read());
    while (!signal.aborted) {
      try {
        for await (const _change of changes()) {
          screen.show(await read());
          refusals.allowed();
          if (isLost) screen.say('connected again');
          isLost = false;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof CommandError) && !(error instanceof ApiProblem)) throw error;
        refusals.take(error);
        if (!isLost) screen.say(`${error.message}; retrying`);
        isLost = true;
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    screen.close();
  }
}

interface TableScreen {
  show(read: KeyedTable): void;
  /** Says something about the watching itself. */
  say(text: string): void;
  close(): void;
}

function liveTable(terminal: CliContext['terminal'], none: string): TableScreen {
  const region = openLiveRegion(terminal);
  return {
    show: ({ head, rows }) => region.show(rows.length === 0 ? [none] : table(head, rows)),
    say: (text) => region.print(text),
    close: () => region.close(),
  };
}

function plainTable({ out, err }: CliContext['terminal'], none: string): TableScreen {
  const said = new Map<string, string>();
  let isFirst = true;
  let isNoneSaid = false;
  return {
    show: ({ head, rows, keys }) => {
      if (isFirst && rows.length === 0 && !isNoneSaid) {
        err(none);
        isNoneSaid = true;
      }
      const age = head.indexOf(AGE);
      const [headLine = '', ...lines] = table(head, rows);
      if (isFirst && lines.length > 0) {
        out(headLine);
        isFirst = false;
      }
      for (const [index, key] of keys.entries()) {
        const meaning = JSON.stringify(rows[index]?.filter((_, column) => column !== age));
        if (said.get(key) !== meaning) out(lines[index] ?? '');
        said.set(key, meaning);
      }
      for (const key of said.keys()) {
        if (keys.includes(key)) continue;
        said.delete(key);
        out(`${key} deleted`);
      }
    },
    say: err,
    close: () => {},
  };
}
