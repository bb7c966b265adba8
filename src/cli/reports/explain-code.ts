import { areaOf, CODE_AREAS } from '../../core/diagnostics/code-areas.ts';
import type { CodeEntry } from '../../core/diagnostics/code-entry.ts';
import { CODES } from '../../core/diagnostics/codes.ts';
import { suggest } from '../../core/diagnostics/suggest.ts';
import { wrap } from '../../core/diagnostics/wrap.ts';
import { CommandError } from '../command-error.ts';
import type { Style } from '../terminal/style.ts';

/** A code with all that the table of codes says about it. */
export interface ExplainedCode extends CodeEntry {
  readonly code: string;
  readonly area: string;
}

/** All codes, in order. */
export function allCodes(): readonly ExplainedCode[] {
  const codes = Object.entries(CODES).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return codes.map(([code, entry]) => ({ code, area: CODE_AREAS[areaOf(code)] ?? '', ...entry }));
}

/** The code that a text names, in any case, also by its number alone. Throws CommandError with a suggestion where none does. */
export function explainedCode(text: string): ExplainedCode {
  const wanted = /^\d+$/.test(text) ? `PERCH${text}` : text.toUpperCase();
  const codes = allCodes();
  const found = codes.find(({ code }) => code === wanted);
  if (found !== undefined) return found;
  const near = suggest(
    wanted,
    codes.map(({ code }) => code),
  );
  throw new CommandError(`there is no code ${text}${near === undefined ? '' : `: did you mean ${near}?`} (perch explain lists all)`);
}

/** One code for people. */
export function explanation({ code, area, title, remedy }: ExplainedCode, style: Style, columns: number): readonly string[] {
  return [`${style.bold(code)}  ${area}`, ...wrap(title, columns), ...wrap(`   ${style.link('fix')}  ${remedy}`, columns, 8)];
}

/** Every code in a line or two, by area. */
export function codeList(style: Style, columns: number): readonly string[] {
  const areas = Map.groupBy(allCodes(), ({ area }) => area);
  return [...areas].flatMap(([area, codes], index) => [
    ...(index === 0 ? [] : ['']),
    style.bold(area),
    ...codes.flatMap(({ code, title }) => wrap(`${code}  ${title}`, columns, code.length + 2)),
  ]);
}
