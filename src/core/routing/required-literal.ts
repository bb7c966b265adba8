/**
 * A text that every match of a regex must contain, found without understanding more than concatenation and plain groups; undefined where
 * none is certain. A search for it is hundreds of times cheaper than RE2 in JavaScript, and most values do not contain it.
 */
export function requiredLiteral(regex: string): string | undefined {
  // Flags such as (?i) change what a character means.
  if (/\(\?(?!:|P?<)/.test(regex) || regex.includes('\\Q')) return undefined;
  const runs: string[] = [];
  if (!collectRuns(regex, 0, runs).certain) return undefined;
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  return longest === '' ? undefined : longest;
}

interface Collected {
  /** Where the group's closing parenthesis is, or the end of the regex. */
  readonly end: number;
  /** False where alternatives make the literals found in this group uncertain. */
  readonly certain: boolean;
}

/** Adds the literal runs from `start` to the end of the group, nested groups included. */
function collectRuns(regex: string, start: number, runs: string[]): Collected {
  let run = '';
  let certain = true;
  let index = start;
  const endRun = (): void => {
    if (run !== '') runs.push(run);
    run = '';
  };
  while (index < regex.length && regex[index] !== ')') {
    const atom = readAtom(regex, index);
    const quantifier = readQuantifier(regex, atom.end);
    if (atom.runs !== undefined || atom.literal === undefined || quantifier.optional) endRun();
    if (!quantifier.optional) runs.push(...(atom.runs ?? []));
    if (!quantifier.optional) run += atom.literal ?? '';
    // What follows `a+` is not adjacent to the first `a`.
    if (quantifier.end > atom.end) endRun();
    if (atom.alternative) certain = false;
    index = quantifier.end;
  }
  endRun();
  return { end: index, certain };
}

interface Atom {
  readonly end: number;
  readonly literal?: string;
  /** Of a group: the runs inside. */
  readonly runs?: readonly string[];
  readonly alternative?: boolean;
}

function readAtom(regex: string, index: number): Atom {
  const character = String.fromCodePoint(regex.codePointAt(index) ?? 0);
  switch (character) {
    case '\\':
      return readEscape(regex, index);
    case '(':
      return readGroup(regex, index);
    case '[':
      return { end: endOfClass(regex, index) };
    case '|':
      return { end: index + 1, alternative: true };
    // A brace that repeats nothing is a literal to RE2; it is not worth being clever about.
    case '{':
    case '}':
    case '.':
    case '^':
    case '$':
    case ']':
      return { end: index + 1 };
    default:
      return { end: index + character.length, literal: character };
  }
}

function readQuantifier(regex: string, index: number): { readonly end: number; readonly optional: boolean } {
  const written = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(regex.slice(index, index + 20))?.[0] ?? '';
  return { end: index + written.length, optional: written !== '' && !written.startsWith('+') };
}

/** `\.` is a literal; `\d`, `\x41`, `\x{1F600}`, `\pL`, `\p{Greek}`, `\012` are not looked into. */
function readEscape(regex: string, index: number): Atom {
  const escaped = regex[index + 1] ?? '';
  if (/^[!-/:-@[-`{-~ ]$/.test(escaped)) return { end: index + 2, literal: escaped };
  const match = /^\\(?:x\{[^}]*\}|x[0-9A-Fa-f]{2}|[pP](?:\{[^}]*\}|.)|[0-7]{1,3}|[\s\S])/.exec(regex.slice(index));
  return { end: index + (match?.[0].length ?? 1) };
}

function readGroup(regex: string, index: number): Atom {
  const opening = /^\((?:\?:|\?P?<[^>]*>)?/.exec(regex.slice(index))?.[0].length ?? 1;
  const runs: string[] = [];
  const { end, certain } = collectRuns(regex, index + opening, runs);
  return { end: end + 1, runs: certain ? runs : [] };
}

function endOfClass(regex: string, index: number): number {
  let at = index + 1;
  if (regex[at] === '^') at += 1;
  // A bracket that comes first is a member.
  if (regex[at] === ']') at += 1;
  while (at < regex.length && regex[at] !== ']') {
    if (regex[at] === '\\') at += 1;
    else if (regex.startsWith('[:', at)) at = Math.max(at, regex.indexOf(':]', at + 2) + 1);
    at += 1;
  }
  return at + 1;
}
