import { colourStyle, plainStyle, type Style, wantsColour } from './style.ts';

/** Where a command writes: results to stdout, everything about the run itself to stderr. */
export interface Terminal {
  /** Writes one line, or several, to stdout. */
  out(text: string): void;
  /** Writes one line, or several, to stderr. */
  err(text: string): void;
  /** Writes to stdout as it is, without a line end. */
  raw(text: string): void;
  /** Whether stdout is a terminal that can redraw lines. */
  readonly interactive: boolean;
  readonly style: Style;
  /** For stderr. */
  readonly errStyle: Style;
  /** Whether stderr takes colours. */
  readonly errColour: boolean;
  /** Columns of stdout now; without end where it is no terminal. */
  outColumns(): number;
  /** Columns of stderr now; undefined where it is no terminal: lines for programs are not broken. */
  errColumns(): number | undefined;
  /** Size now; 80 x 24 where it is not known. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back when the size changes; returns the way to stop. */
  onResize(listener: () => void): () => void;
}

/** The terminal that this process was started from. */
export function processTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdout, stderr } = process;
  const errColour = wantsColour(stderr.isTTY === true, environment);
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    raw: (text) => void stdout.write(text),
    interactive: stdout.isTTY === true && environment['TERM'] !== 'dumb',
    style: wantsColour(stdout.isTTY === true, environment) ? colourStyle : plainStyle,
    errStyle: errColour ? colourStyle : plainStyle,
    errColour,
    outColumns: () => (stdout.isTTY === true ? (stdout.columns ?? 80) : Number.POSITIVE_INFINITY),
    errColumns: () => (stderr.isTTY === true ? (stderr.columns ?? 80) : undefined),
    size: () => ({ columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 }),
    onResize: (listener) => {
      stdout.on('resize', listener);
      return () => void stdout.off('resize', listener);
    },
  };
}
