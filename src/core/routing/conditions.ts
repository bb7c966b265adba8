import type { HeaderMatch, HTTPMatchRequest, StringMatch } from '../istio/resources.ts';
import type { RoutedRequest } from './routed-request.ts';
import { compileStringMatch, type StringPredicate } from './string-matcher.ts';

/** One condition of a match block. Where several blocks share it, it is decided once per request. */
export class Condition {
  readonly #decide: (request: RoutedRequest) => boolean;
  #stamp = 0;
  #result = false;

  constructor(decide: (request: RoutedRequest) => boolean) {
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

/** The conditions of one table: equal ones are the same object. */
export class ConditionPool {
  readonly #known = new Map<string, Condition>();

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
      into(uri).push(
        this.#condition(['uri', uri, ignoreUriCase], () => onText((request) => request.path, compileStringMatch(uri, ignoreUriCase))),
      );
    }
    for (const [field, read] of PSEUDO_FIELDS) {
      const matcher = match[field];
      if (matcher !== undefined) into(matcher).push(this.#condition([field, matcher], () => onText(read, compileStringMatch(matcher))));
    }
    for (const [key, matcher] of Object.entries(match.queryParams ?? {})) {
      into(matcher).push(this.#condition(['query', key, matcher], () => onQuery(key, matcher)));
    }
    for (const [name, matcher] of Object.entries(match.headers ?? {})) {
      into(matcher).push(this.#condition(['header', name, matcher], () => onHeader(name.toLowerCase(), matcher)));
    }
    for (const [name, matcher] of Object.entries(match.withoutHeaders ?? {})) {
      into(matcher).push(this.#condition(['without', name, matcher], () => withoutHeader(name.toLowerCase(), matcher)));
    }
    return [...cheap, ...costly];
  }

  #condition(identity: unknown, compile: () => (request: RoutedRequest) => boolean): Condition {
    const key = JSON.stringify(identity);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const condition = new Condition(compile());
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
function onHeader(name: string, matcher: HeaderMatch): (request: RoutedRequest) => boolean {
  const predicate = valuePredicate(matcher);
  const pseudo = PSEUDO_HEADERS[name];
  if (pseudo !== undefined) return (request) => predicate === undefined || predicate(pseudo(request));
  if (predicate === undefined) return (request) => request.head.lines(name).length > 0;
  return (request) => {
    for (const line of request.head.lines(name)) if (predicate(line)) return true;
    return false;
  };
}

/** False if any line matches; a header that is absent counts as empty, except for presence. The regex `*` asks for presence. */
function withoutHeader(name: string, matcher: HeaderMatch): (request: RoutedRequest) => boolean {
  const asksPresence = 'regex' in matcher && matcher.regex === '*';
  const matches = onHeader(name, asksPresence ? {} : matcher);
  const predicate = asksPresence ? undefined : valuePredicate(matcher);
  if (predicate === undefined || PSEUDO_HEADERS[name] !== undefined) return (request) => !matches(request);
  const emptyMatches = predicate('');
  return (request) => (request.head.lines(name).length === 0 ? !emptyMatches : !matches(request));
}
