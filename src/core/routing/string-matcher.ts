import { RE2JS } from 're2js';
import type { StringMatch } from '../istio/resources.ts';
import { parseOwnPattern } from '../visitor/own-pattern.ts';
import { byteText } from './byte-text.ts';
import { requiredLiteral } from './required-literal.ts';

/** Decides about a value as it stands on the wire: one character per byte. */
export type StringPredicate = (value: string) => boolean;

/** A regex compiled once is used by every table: weaving writes the same few into hundreds of rules, and tables are compiled anew at each step. */
const compiled = new Map<string, StringPredicate>();
const MAX_COMPILED = 1000;

/** Compiles `exact`, `prefix` or `regex` (RE2, full match). `ignoreCase` concerns exact and prefix, as Envoy's `case_sensitive`. */
export function compileStringMatch(match: StringMatch, ignoreCase = false): StringPredicate {
  if ('regex' in match) return compileRegex(match.regex);
  const isExact = 'exact' in match;
  const wanted = byteText(isExact ? match.exact : match.prefix);
  if (ignoreCase) {
    const lower = asciiLower(wanted);
    return isExact ? (value) => asciiLower(value) === lower : (value) => asciiLower(value.slice(0, lower.length)) === lower;
  }
  return isExact ? (value) => value === wanted : (value) => value.startsWith(wanted);
}

/** Whether RE2 takes the regex; otherwise what it says. */
export function regexProblem(regex: string): string | undefined {
  try {
    RE2JS.compile(regex);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
  }
}

/** RE2's full match. Throws where RE2 does not take the regex: validation comes before. */
export function compileRegex(regex: string): StringPredicate {
  const known = compiled.get(regex);
  if (known !== undefined) return known;
  const predicate = parseOwnPattern(regex) ?? containsInOrder(regex) ?? withRe2(regex);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  compiled.set(regex, predicate);
  return predicate;
}

const IN_ORDER_TOKEN = /\.\*|[^\\.+*?()|[\]{}^$]|\\([!-/:-@[-`{-~])/gy;

/** The article's `.*A.*B.*`: A, then B after it. Linear, and up to 80 times cheaper than either RE2. */
function containsInOrder(regex: string): StringPredicate | undefined {
  if (!regex.startsWith('.*') || !regex.endsWith('.*')) return undefined;
  const literals: string[] = [];
  let literal = '';
  let end = 0;
  for (const match of regex.matchAll(IN_ORDER_TOKEN)) {
    end += match[0].length;
    if (match[0] !== '.*') literal += match[1] ?? match[0];
    else if (literal !== '') literals.push(byteText(literal));
    if (match[0] === '.*') literal = '';
  }
  // An escaped dot at the end (`\.*`) leaves a literal without `.*` behind it.
  if (end !== regex.length || literal !== '') return undefined;
  return (value) => {
    let at = 0;
    for (const literal of literals) {
      const found = value.indexOf(literal, at);
      if (found < 0) return false;
      at = found + literal.length;
    }
    // `.` does not match a line feed; heads cannot contain one, but the answer is RE2's for any value.
    return !value.includes('\n');
  };
}

/** Byte by byte, as Envoy 1.40 matches: `.` is one byte of a character beyond ASCII, not all of them (test/envoy/regex-bytes.test.ts). */
function withRe2(regex: string): StringPredicate {
  const bytewise = byteText(regex);
  const re2 = RE2JS.compile(bytewise);
  const required = requiredLiteral(bytewise);
  return (value) => (required === undefined || value.includes(required)) && re2.testExact(value);
}

/** The text with its ASCII letters in lower case, as Envoy compares where case does not count. */
export function asciiLower(value: string): string {
  return value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
