import { widthOf } from '../../core/diagnostics/wrap.ts';
import { padTo } from './clip.ts';

/** A table as kubectl prints it: a head line, three spaces between columns, none at the end of a line. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines.map((line) =>
    line
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
