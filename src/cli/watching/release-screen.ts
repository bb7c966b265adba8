import type { ReleaseView } from '../../server/release-resource.ts';
import { type Invocation, PLAIN_INVOCATION } from '../invocation.ts';
import { renderChange, renderRelease } from '../reports/release-view.ts';
import { openLiveRegion } from '../terminal/live-region.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Shows releases as they change: in place on a terminal, else a line for each change. */
export interface ReleaseScreen {
  update(release: ReleaseView): void;
  remove(namespace: string, name: string): void;
  /** Whether the runtime cannot be reached at the moment. */
  setLost(lost: boolean): void;
  /** Prints for good: above the releases, or as a further line. */
  print(text: string): void;
  /** Leaves what is shown standing. */
  close(): void;
}

const LOST = 'connection lost, retrying';
/** Countdowns go by the second. */
const REDRAW_MS = 500;

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

/**
 * Redraws releases in place, `none` while there is no release. `header` is printed once: its addresses must never be clipped, and a low
 * window is for the releases.
 */
function liveScreen(terminal: Terminal, header: readonly string[], none: string, invocation: Invocation): ReleaseScreen {
  const releases = new Map<string, ReleaseView>();
  for (const line of header) terminal.out(line);
  /** Apart from what is printed above, now and later. */
  const gap = header.length === 0 ? [] : [''];
  const region = openLiveRegion(terminal);
  let lost = false;
  const draw = (): void => {
    const { columns } = terminal.size();
    const now = Date.now();
    const blocks = [...releases.values()].map((release) => renderRelease(release, now, terminal.style, columns, invocation));
    const body = blocks.length === 0 ? [`  ${none}`] : blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
    region.show([...gap, ...body, ...(lost ? [`  ${terminal.style.attention(LOST)}`] : [])]);
  };
  const timer = setInterval(draw, REDRAW_MS);
  draw();
  return {
    update: (release) => {
      releases.set(keyOf(release.metadata.namespace, release.metadata.name), release);
      draw();
    },
    remove: (namespace, name) => {
      releases.delete(keyOf(namespace, name));
      draw();
    },
    setLost: (value) => {
      lost = value;
      draw();
    },
    print: (text) => region.print(text),
    close: () => {
      clearInterval(timer);
      draw();
      region.close();
    },
  };
}

/** Prints a line for each change, with the time. */
function plainScreen(terminal: Terminal, header: readonly string[], invocation: Invocation): ReleaseScreen {
  const said = new Map<string, ReleaseView | undefined>();
  let lost = false;
  const print = (text: string): void => terminal.out(`${timeOfDay()} ${text}`);
  for (const line of header) terminal.out(line);
  if (header.length > 0) terminal.out('');
  return {
    update: (release) => {
      const key = keyOf(release.metadata.namespace, release.metadata.name);
      const change = renderChange(said.get(key), release, Date.now(), terminal.style, invocation);
      for (const line of change.lines) print(line);
      said.set(key, change.said);
    },
    remove: (namespace, name) => {
      if (said.delete(keyOf(namespace, name))) print(`${name}: deleted`);
    },
    setLost: (value) => {
      if (value !== lost) print(value ? LOST : 'connected again');
      lost = value;
    },
    print: (text) => terminal.out(text),
    close: () => {},
  };
}

/** Opens the screen that fits the terminal. */
export function openReleaseScreen(
  terminal: Terminal,
  header: readonly string[],
  none: string,
  invocation: Invocation = PLAIN_INVOCATION,
): ReleaseScreen {
  return terminal.interactive ? liveScreen(terminal, header, none, invocation) : plainScreen(terminal, header, invocation);
}
