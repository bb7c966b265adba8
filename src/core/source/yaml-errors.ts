import type { ErrorCode, YAMLError } from 'yaml';

/** A message and a remedy in plain words. */
export interface SyntaxExplanation {
  readonly message: string;
  readonly hint: string;
}

/** The library says what its parser met; people need to know what to change. Codes that are missing here keep the library's message. */
const EXPLANATIONS: Partial<Readonly<Record<ErrorCode, Partial<SyntaxExplanation>>>> = {
  BAD_ALIAS: { hint: 'an alias is * and the name of an anchor: *name' },
  BAD_DIRECTIVE: { hint: 'remove the line that begins with %' },
  BAD_DQ_ESCAPE: { hint: 'double the backslash, or use single quotes' },
  BAD_INDENT: { hint: 'indent with spaces, all fields of one mapping to the same column, and close every [ and {' },
  BAD_SCALAR_START: { hint: 'put the value in quotes: @ and ` cannot begin a plain one' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second ": " on one line, or a field indented deeper than its neighbours',
    hint: 'put a value that contains ": " in quotes, or align the field with its neighbours',
  },
  BLOCK_IN_FLOW: { hint: 'inside [ ] and { } separate with commas, without - or line-by-line fields' },
  KEY_OVER_1024_CHARS: { hint: 'shorten the key; is a ":" missing before it?' },
  MISSING_CHAR: { hint: 'add what is missing: often a closing quote, a colon, or a space after the colon' },
  MULTILINE_IMPLICIT_KEY: { message: 'a key that goes over more than one line', hint: 'is a ":" missing on the line before?' },
  NON_STRING_KEY: { message: 'a key that is a list or mapping', hint: 'use text as key' },
  RESOURCE_EXHAUSTION: { message: 'lists and mappings are nested too deeply', hint: 'nest less deeply' },
  TAB_AS_INDENT: { message: 'tabs are not allowed as indentation', hint: 'replace the tab by spaces' },
  UNEXPECTED_TOKEN: { hint: 'remove what stands here, or put the value in quotes' },
};

/** What a syntax error means and how to mend it. */
export function explainSyntaxError(error: YAMLError): SyntaxExplanation {
  const known = EXPLANATIONS[error.code];
  return {
    message: known?.message ?? lowerFirst(error.message),
    hint: known?.hint ?? 'correct the syntax here; the rest of the document was not read',
  };
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
