import { type Answer, documentAnswers, isTold, type Observations } from './observations.ts';

/** What tells the version of an answer; `guess`: whatever differs between answers. */
export type VersionSource =
  | { readonly by: 'header'; readonly name: string }
  | { readonly by: 'cookie'; readonly name: string }
  | { readonly by: 'pattern'; readonly pattern: string }
  | { readonly by: 'guess' };

/** How versions were told apart. */
export interface VersionTelling {
  /** In words, such as `the header x-version`. */
  readonly how: string;
  /** Whether nobody said so: it is only what differs. */
  readonly isGuess: boolean;
  /** The version of an answer; undefined where it tells none. */
  of(answer: Answer): string | undefined;
}

/** A guess with more values than this is about something else: visitors, or the time of day. */
const MOST_VERSIONS = 4;
const NAMED_FOR_VERSIONS = /version|canary|variant|release|revision|build/;
/** These change with the content, not with the visitor; the last resort before giving up. */
const OF_CONTENT = ['etag', 'last-modified', 'x-powered-by', 'server'] as const;

/** How the versions in a probe's answers are told; undefined where no guess is possible. */
export function tellVersions(seen: Observations, source: VersionSource): VersionTelling | undefined {
  switch (source.by) {
    case 'header': {
      const name = source.name.toLowerCase();
      return { how: `the header ${name}`, isGuess: false, of: (answer) => told(answer, answer.headers.get(name)) };
    }
    case 'cookie':
      return {
        how: `the cookie ${source.name}`,
        isGuess: false,
        of: (answer) => told(answer, answer.cookies.get(source.name) ?? `without ${source.name}`),
      };
    case 'pattern':
      return { how: `the pattern ${source.pattern} in the page`, isGuess: false, of: (answer) => told(answer, answer.body.captured) };
    case 'guess':
      return guess(documentAnswers(seen).filter(isTold));
  }
}

function told(answer: Answer, value: string | undefined): string | undefined {
  return isTold(answer) ? value : undefined;
}

function guess(answers: readonly Answer[]): VersionTelling | undefined {
  const names = new Set(answers.flatMap(({ headers }) => [...headers.keys()]));
  const named = [...names].filter((name) => NAMED_FOR_VERSIONS.test(name)).toSorted();
  const byHeader = (name: string): VersionTelling => ({
    how: `the header ${name}`,
    isGuess: true,
    of: (answer) => told(answer, answer.headers.get(name) ?? `without ${name}`),
  });
  const body = byBody(answers);
  const candidates = [...named.map(byHeader), body, ...OF_CONTENT.map(byHeader)];
  const split = candidates.find((telling) => splits(answers, telling));
  if (split !== undefined) return split;
  // Nothing differs from answer to answer: then whatever names itself a version may well be one; or all pages are equal.
  const single = [...named.map(byHeader), body].find(({ of }) => new Set(answers.map(of)).size === 1);
  return single;
}

/** Whether it has a few values that come in turns: what changes once for all is a page that changed, not a split between visitors. */
function splits(answers: readonly Answer[], { of }: VersionTelling): boolean {
  const values = answers.map(of);
  const distinct = new Set(values).size;
  if (distinct < 2 || distinct > MOST_VERSIONS) return false;
  return values.filter((value, index) => index > 0 && value !== values[index - 1]).length >= distinct;
}

/** By the whole page; versions are called by their text where it is short, else `page A`, `page B` in the order in which they came. */
function byBody(answers: readonly Answer[]): VersionTelling {
  const names = new Map<string, string>();
  for (const { body } of answers) {
    if (!names.has(body.digest)) names.set(body.digest, body.text?.trim() || `page ${String.fromCharCode(65 + (names.size % 26))}`);
  }
  return { how: 'the whole page', isGuess: true, of: (answer) => told(answer, names.get(answer.body.digest)) };
}
