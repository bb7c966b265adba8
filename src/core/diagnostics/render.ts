import type { Diagnostic, Severity, SourceRange } from './diagnostic.ts';
import { wrap } from './wrap.ts';

/** How to print a diagnostic. */
export interface RenderOptions {
  /** The text that `source` points into; without it no line of it is shown. */
  readonly text?: string;
  readonly color: boolean;
  /** Columns of the terminal that it is for: longer lines are broken between words. Without it no line is. */
  readonly width?: number;
}

const RESET = '\u001b[0m';
const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const CYAN = '\u001b[36m';
const SEVERITY_COLORS: Readonly<Record<Severity, string>> = { error: '\u001b[31m', warning: '\u001b[33m', info: '\u001b[34m' };

const TAB_WIDTH = 4;
const MAX_SHOWN = 120;
/** Columns before a line of the text: its number, ` | `. */
const GUTTER = 7;
const NARROWEST = 20;
const INDENT = 3;
const FIX_INDENT = 8;

/**
 * A diagnostic for people: place, code and message; the line with the place underlined; what to do. Lines are joined by `\n`, without one at
 * the end. Control characters of the user's text are not passed on to the terminal.
 */
export function renderDiagnostic(diagnostic: Diagnostic, { text, color, width = Number.POSITIVE_INFINITY }: RenderOptions): string {
  const paint = (style: string, words: string): string => (color ? `${style}${words}${RESET}` : words);
  const { source, code, severity, message, object, path, hint } = diagnostic;
  const place =
    source === undefined ? [object, path].filter((part) => part !== undefined).join(' ') : `${source.file}:${source.line}:${source.column}`;
  const mark = severity === 'error' ? code : `${severity} ${code}`;
  const head = [...(place === '' ? [] : [paint(BOLD, printable(place))]), paint(SEVERITY_COLORS[severity], mark), printable(message)];
  const lines = [...wrap(head.join('  '), width, INDENT)];

  const shown =
    text === undefined || source === undefined
      ? undefined
      : excerpt(text, source, Math.min(MAX_SHOWN, Math.max(width - GUTTER, NARROWEST)));
  if (shown !== undefined && source !== undefined) {
    const number = String(source.line).padStart(4);
    lines.push(`${paint(DIM, `${number} |`)} ${shown.line}`);
    lines.push(`${paint(DIM, '     |')} ${' '.repeat(shown.indent)}${paint(SEVERITY_COLORS[severity], '^'.repeat(shown.width))}`);
  }
  if (hint !== undefined) lines.push(...wrap(`   ${paint(CYAN, 'fix')}  ${printable(hint)}`, width, FIX_INDENT));
  return lines.join('\n');
}

function underlineEnd({ line, column, endLine, endColumn }: SourceRange): number {
  return endLine === line ? Math.max(endColumn, column + 1) : Number.POSITIVE_INFINITY;
}

interface Excerpt {
  readonly line: string;
  readonly indent: number;
  readonly width: number;
}

/** The line as it appears on a terminal, and where in it the range is; undefined when the text has no such line. */
function excerpt(text: string, source: SourceRange, maxShown: number): Excerpt | undefined {
  const raw = text.split(/\r\n|\r|\n/)[source.line - 1];
  if (raw === undefined) return undefined;
  const { column } = source;
  const endColumn = underlineEnd(source);
  const before = expand(raw.slice(0, column - 1), 0);
  const marked = expand(raw.slice(column - 1, endColumn - 1), before.length);
  const after = expand(raw.slice(endColumn - 1), before.length + marked.length);
  // Of a very long line only what stands around the place is of use.
  const cut = before.length + marked.length >= maxShown ? Math.max(0, before.length - Math.floor(maxShown / 3)) : 0;
  const start = cut > 0 ? '…' : '';
  const whole = start + (before + marked + after).slice(cut);
  const line = whole.length > maxShown ? `${whole.slice(0, maxShown - 1)}…` : whole;
  const indent = start.length + before.length - cut;
  return { line: line.trimEnd(), indent, width: Math.max(1, Math.min(marked.length, maxShown - indent)) };
}

function expand(text: string, column: number): string {
  let out = '';
  for (const character of text) {
    if (character === '\t') out += ' '.repeat(TAB_WIDTH - ((column + out.length) % TAB_WIDTH));
    else out += printable(character);
  }
  return out;
}

/** Control characters could move the cursor or hide text: shown as their Unicode pictures. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '�';
  });
}
