import type { HeaderMatch, HTTPMatchRequest, StringMatch } from '../istio/resources.ts';
import type { RoutedRequest } from './routed-request.ts';
import { compileStringMatch, type StringPredicate } from './string-matcher.ts';

/** What a condition is about, and what it asks for. */
export type ConditionSubject =
  | { readonly kind: 'path'; readonly matcher: StringMatch; readonly ignoreCase: boolean }
  | { readonly kind: 'method' | 'scheme' | 'authority'; readonly matcher: StringMatch }
  /** `without`: the header must not match. */
  | { readonly kind: 'query' | 'header' | 'without'; readonly name: string; readonly matcher: HeaderMatch };

/** One condition of a match block. Where several blocks share it, it is decided once per request. */
export class Condition {
  readonly subject: ConditionSubject;
  readonly #decide: (request: RoutedRequest) => boolean;
  #stamp = 0;
  #result = false;

  constructor(subject: ConditionSubject, decide: (request: RoutedRequest) => boolean) {
    this.subject = subject;
    this.#decide = decide;
  }

  holds(request: RoutedRequest): boolean {
    if (this.#stamp !== request.stamp) {
      this.#result = this.#decide(request);
      this.#stamp = request.stamp;
    }
    return this.#result;
  }
}

/** The lines of one header, looked for once per request, however many conditions ask. */
class HeaderLines {
  /** In lower case. */
  readonly name: string;
  #stamp = 0;
  #lines: readonly string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  of(request: RoutedRequest): readonly string[] {
    if (this.#stamp !== request.stamp) {
      this.#lines = request.head.lines(this.name);
      this.#stamp = request.stamp;
    }
    return this.#lines;
  }
}

/** The conditions of one VirtualService where it is served: equal ones are the same object. */
export class ConditionPool {
  readonly #known = new Map<string, Condition>();
  readonly #headers = new Map<string, HeaderLines>();

  /**
   * The conditions of a match block, all of which have to hold, the cheapest first: path, method and the like, query, headers, regexes
   * (their order does not change what matches).
   */
  conditionsOf(match: HTTPMatchRequest): readonly Condition[] {
    const { uri, ignoreUriCase = false } = match;
    const cheap: Condition[] = [];
    const costly: Condition[] = [];
    const into = (matcher: HeaderMatch): Condition[] => ('regex' in matcher ? costly : cheap);
    // Every path begins with a slash: the commonest catch-all needs no look.
    if (uri !== undefined && !('prefix' in uri && (uri.prefix === '/' || uri.prefix === ''))) {
      const subject = { kind: 'path', matcher: uri, ignoreCase: ignoreUriCase } as const;
      into(uri).push(this.#condition(subject, () => onText((request) => request.path, compileStringMatch(uri, ignoreUriCase))));
    }
    for (const [kind, read] of PSEUDO_FIELDS) {
      const matcher = match[kind];
      if (matcher !== undefined) into(matcher).push(this.#condition({ kind, matcher }, () => onText(read, compileStringMatch(matcher))));
    }
    for (const [name, matcher] of Object.entries(match.queryParams ?? {})) {
      into(matcher).push(this.#condition({ kind: 'query', name, matcher }, () => onQuery(name, matcher)));
    }
    for (const [name, matcher] of Object.entries(match.headers ?? {})) {
      into(matcher).push(this.#condition({ kind: 'header', name, matcher }, () => onHeader(this.#lines(name), matcher)));
    }
    for (const [name, matcher] of Object.entries(match.withoutHeaders ?? {})) {
      into(matcher).push(this.#condition({ kind: 'without', name, matcher }, () => withoutHeader(this.#lines(name), matcher)));
    }
    return [...cheap, ...costly];
  }

  #lines(name: string): HeaderLines {
    const lower = name.toLowerCase();
    const lines = this.#headers.get(lower) ?? new HeaderLines(lower);
    this.#headers.set(lower, lines);
    return lines;
  }

  #condition(subject: ConditionSubject, compile: () => (request: RoutedRequest) => boolean): Condition {
    const key = JSON.stringify(subject);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const condition = new Condition(subject, compile());
    this.#known.set(key, condition);
    return condition;
  }
}

type Read = (request: RoutedRequest) => string;

const PSEUDO_FIELDS: readonly (readonly ['method' | 'scheme' | 'authority', Read])[] = [
  ['method', (request) => request.head.method],
  ['scheme', (request) => request.head.scheme],
  ['authority', (request) => request.head.authority],
];

/** Header names that stand for parts of the request line; `host` is one of them to Envoy. A request has no `:status`. */
const PSEUDO_HEADERS: Readonly<Record<string, Read>> = {
  ':method': (request) => request.head.method,
  ':scheme': (request) => request.head.scheme,
  ':authority': (request) => request.head.authority,
  ':path': (request) => request.head.path,
  host: (request) => request.head.authority,
};

function onText(read: Read, predicate: StringPredicate): (request: RoutedRequest) => boolean {
  return (request) => predicate(read(request));
}

/** Undefined: the matcher asks for presence only. */
function valuePredicate(matcher: HeaderMatch): StringPredicate | undefined {
  return isStringMatch(matcher) ? compileStringMatch(matcher) : undefined;
}

function isStringMatch(matcher: HeaderMatch): matcher is StringMatch {
  return 'exact' in matcher || 'prefix' in matcher || 'regex' in matcher;
}

/** First value of the key, not percent-decoded (istio-semantics 1.7). */
function onQuery(key: string, matcher: HeaderMatch): (request: RoutedRequest) => boolean {
  const predicate = valuePredicate(matcher);
  return (request) => {
    const value = request.queryValue(key);
    return value !== undefined && (predicate === undefined || predicate(value));
  };
}

/** True if any line matches; a header that is absent matches nothing (istio-semantics 9, correction 1). */
function onHeader(lines: HeaderLines, matcher: HeaderMatch): (request: RoutedRequest) => boolean {
  const predicate = valuePredicate(matcher);
  const pseudo = PSEUDO_HEADERS[lines.name];
  if (pseudo !== undefined) return (request) => predicate === undefined || predicate(pseudo(request));
  if (predicate === undefined) return (request) => lines.of(request).length > 0;
  return (request) => {
    for (const line of lines.of(request)) if (predicate(line)) return true;
    return false;
  };
}

/** False if any line matches; a header that is absent counts as empty, except for presence. The regex `*` asks for presence. */
function withoutHeader(lines: HeaderLines, matcher: HeaderMatch): (request: RoutedRequest) => boolean {
  const asksPresence = 'regex' in matcher && matcher.regex === '*';
  const matches = onHeader(lines, asksPresence ? {} : matcher);
  const predicate = asksPresence ? undefined : valuePredicate(matcher);
  if (predicate === undefined || PSEUDO_HEADERS[lines.name] !== undefined) return (request) => !matches(request);
  const emptyMatches = predicate('');
  return (request) => (lines.of(request).length === 0 ? !emptyMatches : !matches(request));
}
