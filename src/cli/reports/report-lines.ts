import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../../core/diagnostics/render.ts';
import { wrap } from '../../core/diagnostics/wrap.ts';
import { plainStyle, type Style } from '../terminal/style.ts';

/** A title and what stands under it, after an empty line; nothing where there is nothing. */
export function section(title: string, lines: readonly string[], style: Style): readonly string[] {
  return lines.length === 0 ? [] : ['', style.bold(title), ...lines.map((line) => `  ${line}`)];
}

const LABEL = 9;

/** Facts with their labels; what does not fit goes on below itself. */
export function factLines(facts: readonly (readonly [label: string, text: string])[], columns: number): readonly string[] {
  return facts.flatMap(([label, text]) =>
    wrap(text, columns - LABEL - 2).map((line, index) => `  ${(index === 0 ? label : '').padEnd(LABEL)}${line}`),
  );
}

/** What is to be said about an object, with what to do. */
export function findingLines(findings: readonly Diagnostic[], style: Style, columns: number): readonly string[] {
  return findings.flatMap((finding) => renderDiagnostic(finding, { color: style !== plainStyle, width: columns }).split('\n'));
}
