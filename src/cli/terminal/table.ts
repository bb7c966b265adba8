import { widthOf, wrap } from '../../core/diagnostics/wrap.ts';
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

/** The last column of a table does not get narrower than this, however narrow the terminal is. */
const NARROWEST = 20;

/** A table whose last column is text: what does not fit into `columns` goes on below itself. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], columns: number): readonly string[] {
  const lines = [head, ...rows];
  const before = head.slice(0, -1).map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))) + 3);
  const room = Math.max(columns - before.reduce((sum, width) => sum + width, 0), NARROWEST);
  return table(
    head,
    rows.flatMap((row) => {
      const [first = '', ...more] = wrap(row.at(-1) ?? '', room);
      const empty = row.slice(0, -1).map(() => '');
      return [[...row.slice(0, -1), first], ...more.map((line) => [...empty, line])];
    }),
  );
}
