import type { TargetedKeyboardEvent, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { nearestPlace } from '../model/scale.ts';

interface ChartReaderProps {
  /** What the chart's figures are called, for whoever does not see it. */
  readonly label: string;
  /** Where its points are, in px from its left, growing; at least one. */
  readonly places: readonly number[];
  /** The point that is read; undefined: none. */
  readonly at: number | undefined;
  /** The point's time and figures, in words. */
  readonly text: string;
  readonly read: (at: number | undefined) => void;
}

/** Points that Page Up and Page Down pass over. */
const PAGE = 10;

/**
 * Lies over a chart, and says which of its points is to be read: the one below the pointer, or, with the focus, the one that the arrow keys lead to (the slider of
 * WAI-ARIA's Authoring Practices). What was pressed or moved to stays until the focus goes elsewhere, or Escape.
 */
export function ChartReader({ label, places, at, text, read }: ChartReaderProps) {
  /** Whether the point was pressed, or moved to with a key: it stays when the pointer leaves. */
  const held = useRef(false);
  const last = places.length - 1;
  const below = (event: TargetedPointerEvent<HTMLDivElement>): number => nearestPlace(places, event.offsetX);

  const press = (event: TargetedKeyboardEvent<HTMLDivElement>): void => {
    if (event.key === 'Escape') {
      read(undefined);
      return;
    }
    const now = at ?? last;
    const wanted = wantedBy(event.key, now, last);
    if (wanted === undefined) return;
    event.preventDefault();
    held.current = true;
    read(Math.min(Math.max(wanted, 0), last));
  };

  return (
    <div
      class="reader"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={last}
      aria-valuenow={at ?? last}
      aria-valuetext={text}
      onPointerMove={(event) => read(below(event))}
      onPointerDown={(event) => {
        held.current = true;
        read(below(event));
      }}
      onPointerLeave={() => {
        if (!held.current) read(undefined);
      }}
      onFocus={() => {
        if (!held.current) read(at ?? last);
      }}
      onBlur={() => {
        held.current = false;
        read(undefined);
      }}
      onKeyDown={press}
    />
  );
}

function wantedBy(key: string, now: number, last: number): number | undefined {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return now - 1;
    case 'ArrowRight':
    case 'ArrowUp':
      return now + 1;
    case 'PageDown':
      return now - PAGE;
    case 'PageUp':
      return now + PAGE;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
