import { openLiveRegion } from './live-region.ts';
import { progressLine } from './progress-bar.ts';
import type { Terminal } from './terminal.ts';

/** Says how far a computation is. */
export interface WorkBar {
  /** From 0 to 1. */
  show(fraction: number): void;
  /** Takes it off the screen. */
  close(): void;
}

const NOTHING: WorkBar = { show: () => {}, close: () => {} };

/** Shows a bar on a terminal that can redraw lines; nothing elsewhere. */
export function openWorkBar(terminal: Terminal, title: string): WorkBar {
  if (!terminal.interactive) return NOTHING;
  const region = openLiveRegion(terminal);
  return {
    show: (fraction) => region.show([progressLine(title, fraction, terminal.size().columns, terminal.style)]),
    close: () => {
      region.show([]);
      region.close();
    },
  };
}
