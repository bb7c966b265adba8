import type { HeaderMatch, StringMatch } from '../istio/resources.ts';
import type { ConditionSubject } from './conditions.ts';
import type { RequestHead } from './selection.ts';

/** Longest value that is repeated, in characters. */
const LONGEST = 160;

/** What a condition asks for: `header x-team is "blue"`. */
export function conditionText({ kind, ...subject }: ConditionSubject): string {
  const { matcher } = subject;
  const what = 'name' in subject ? `${kind === 'query' ? 'query parameter' : 'header'} ${subject.name}` : kind;
  if (kind === 'without') return isPresence(matcher) ? `there is no ${what}` : `${what} ${notText(matcher as StringMatch)}`;
  return isPresence(matcher) ? `there is a ${what}` : `${what} ${matcherText(matcher as StringMatch)}`;
}

/** Why a condition does not hold for a request: `header x-team is "red", not "blue"`. */
export function failureText(subject: ConditionSubject, request: RequestHead): string {
  const { kind, matcher } = subject;
  const what = 'name' in subject ? `${kind === 'query' ? 'query parameter' : 'header'} ${subject.name}` : kind;
  const values = valuesOf(subject, request);
  if (kind === 'without') {
    if (isPresence(matcher)) return `there is a ${what}: there must be none`;
    return values.length === 0
      ? `there is no ${what}, which counts as empty, and must not match ${wanted(matcher as StringMatch)}`
      : `${what} is ${quotedAll(values)}, which matches ${wanted(matcher as StringMatch)}: it must not`;
  }
  if (values.length === 0) return `there is no ${what}${isPresence(matcher) ? '' : `; it has to ${hasTo(matcher as StringMatch)}`}`;
  if ('exact' in matcher) return `${what} is ${quotedAll(values)}, not ${quoted(matcher.exact)}`;
  return `${what} is ${quotedAll(values)}, and ${notText(matcher as StringMatch)}`;
}

function isPresence(matcher: HeaderMatch): boolean {
  return !('exact' in matcher || 'prefix' in matcher || 'regex' in matcher) || ('regex' in matcher && matcher.regex === '*');
}

function matcherText(matcher: StringMatch): string {
  if ('exact' in matcher) return `is ${quoted(matcher.exact)}`;
  return `${'prefix' in matcher ? 'begins with' : 'matches'} ${wanted(matcher)}`;
}

function notText(matcher: StringMatch): string {
  if ('exact' in matcher) return `is not ${quoted(matcher.exact)}`;
  return `does not ${'prefix' in matcher ? 'begin with' : 'match'} ${wanted(matcher)}`;
}

function hasTo(matcher: StringMatch): string {
  if ('exact' in matcher) return `be ${quoted(matcher.exact)}`;
  return `${'prefix' in matcher ? 'begin with' : 'match'} ${wanted(matcher)}`;
}

function wanted(matcher: StringMatch): string {
  return quoted('exact' in matcher ? matcher.exact : 'prefix' in matcher ? matcher.prefix : matcher.regex);
}

/** The values that a condition looks at, as they are shown. */
function valuesOf(subject: ConditionSubject, request: RequestHead): readonly string[] {
  const { method, scheme, authority, path } = request;
  const queryAt = path.indexOf('?');
  switch (subject.kind) {
    case 'path':
      return [queryAt < 0 ? path : path.slice(0, queryAt)];
    case 'method':
      return [method];
    case 'scheme':
      return [scheme];
    case 'authority':
      return [authority];
    case 'query': {
      const pairs = queryAt < 0 ? [] : path.slice(queryAt + 1).split('&');
      const found = pairs.find((pair) => pair === subject.name || pair.startsWith(`${subject.name}=`));
      return found === undefined ? [] : [found.slice(subject.name.length + 1)];
    }
    case 'header':
    case 'without': {
      const name = subject.name.toLowerCase();
      const pseudo: Readonly<Record<string, string>> = {
        ':method': method,
        ':scheme': scheme,
        ':authority': authority,
        ':path': path,
        host: authority,
      };
      return pseudo[name] === undefined ? request.lines(name) : [pseudo[name]];
    }
  }
}

function quotedAll(values: readonly string[]): string {
  return quoted(values.join(', '));
}

function quoted(text: string): string {
  return `"${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}"`;
}
