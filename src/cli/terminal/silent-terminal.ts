import { plainStyle } from './style.ts';
import type { Terminal } from './terminal.ts';

/** A terminal of 80 columns on which nothing appears, but for what `listening` takes: for what reads the commands without running them. */
export function silentTerminal(listening: Partial<Terminal> = {}): Terminal {
  return {
    out: () => {},
    err: () => {},
    raw: () => {},
    interactive: false,
    style: plainStyle,
    errStyle: plainStyle,
    errColour: false,
    outColumns: () => 80,
    errColumns: () => undefined,
    size: () => ({ columns: 80, rows: 24 }),
    onResize: () => () => {},
    ...listening,
  };
}
