import { widthOf } from '../../core/diagnostics/wrap.ts';
import type { Style } from './style.ts';

const DONE = '━';
const HALF = '╸';
const TO_COME = '╌';
/** A segment longer than this says no more. */
const LONGEST_SEGMENT = 12;

/** One segment: filled to `fraction`, in half columns. */
function segment(fraction: number, width: number, style: Style): string {
  const halves = Math.round(Math.min(Math.max(fraction, 0), 1) * width * 2);
  const done = DONE.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? HALF : '');
  const rest = TO_COME.repeat(width - done.length);
  return `${done === '' ? '' : style.good(done)}${rest === '' ? '' : style.dim(rest)}`;
}

/**
 * The steps of a release in one line: each weight, and after it how much of its hold is over. `step` counts from 0, -1 before the
 * first, `weights.length` after the last; `fraction` is of the current one. With too many steps for the width, one bar for all.
 */
export function progressBar(weights: readonly number[], step: number, fraction: number, width: number, style: Style): string {
  const labels = weights.map(String);
  const taken = labels.reduce((sum, label) => sum + label.length + 2, -1);
  const each = Math.min(Math.floor((width - taken) / labels.length), LONGEST_SEGMENT);
  if (each < 2) {
    const all = Math.max(width - widthOf(`${labels[0]}  100`), 2);
    const overall = step < 0 ? 0 : (step + fraction) / weights.length;
    return `${labels[0]} ${segment(overall, all, style)} 100`;
  }
  return labels
    .map((label, index) => {
      const part = index < step ? 1 : index === step ? fraction : 0;
      const shown = index === step ? style.bold(label) : index < step ? label : style.dim(label);
      return `${shown} ${segment(part, each, style)}`;
    })
    .join(' ');
}

/** Columns that a bar of one computation takes at most. */
const WORK_COLUMNS = 40;

/** How far one computation is, in a line: a title, a bar, percent. `fraction` is from 0 to 1. */
export function progressLine(title: string, fraction: number, columns: number, style: Style): string {
  const width = Math.max(Math.min(columns - widthOf(title) - 10, WORK_COLUMNS), 2);
  return `  ${title} ${segment(fraction, width, style)} ${Math.floor(100 * fraction)} %`;
}
