import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../../core/diagnostics/render.ts';
import type { Terminal } from './terminal.ts';

/** Writes findings to stderr, each with the line of the file that it is about where that is known. */
export function printDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[], texts: ReadonlyMap<string, string>): void {
  for (const diagnostic of diagnostics) {
    const text = diagnostic.source === undefined ? undefined : texts.get(diagnostic.source.file);
    const width = terminal.errColumns();
    terminal.err(
      renderDiagnostic(diagnostic, {
        color: terminal.errColour,
        ...(text === undefined ? {} : { text }),
        ...(width === undefined ? {} : { width }),
      }),
    );
  }
}

/** `1 error`, `3 errors`. */
export function countErrors(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length;
  return `${errors} ${errors === 1 ? 'error' : 'errors'}`;
}
