import { RE2JS } from 're2js';
import { requiredLiteral } from './required-literal.ts';

/** What the first group of a regex took at its first match in a text; undefined where it does not match. */
export type Capture = (text: string) => string | undefined;

/** Compiles an RE2 regex with a capturing group, to be looked for anywhere in a text. What is wrong with it otherwise, as a clause. */
export function compileCapture(regex: string): Capture | { readonly problem: string } {
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(regex);
  } catch (error) {
    return { problem: error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error) };
  }
  if (re2.groupCount() < 1) return { problem: 'it has no capturing group, as in version=(v[0-9]+)' };
  const required = requiredLiteral(regex);
  return (text) => {
    if (required !== undefined && !text.includes(required)) return undefined;
    const matcher = re2.matcher(text);
    return matcher.find() ? (matcher.group(1) ?? undefined) : undefined;
  };
}
