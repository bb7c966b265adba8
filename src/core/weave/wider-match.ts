import type { HTTPMatchRequest, StringMatch } from '../istio/resources.ts';
import { asciiLower } from '../routing/string-matcher.ts';

/** Fields that a request has no part in, or that are looked at on their own. */
const APART: ReadonlySet<string> = new Set([
  'name',
  'statPrefix',
  'uri',
  'ignoreUriCase',
  'port',
  'gateways',
  'sourceLabels',
  'sourceNamespace',
]);
const MAPS: ReadonlySet<string> = new Set(['headers', 'withoutHeaders', 'queryParams']);

/**
 * Whether `wider` surely matches every request that `narrower` matches: it asks for nothing that this one does not ask for in the same words, and
 * its path is the same or a beginning. Where they are served (port, gateways, sources) is not compared.
 */
export function isWiderMatch(wider: HTTPMatchRequest, narrower: HTTPMatchRequest): boolean {
  const other: Readonly<Record<string, unknown>> = { ...narrower };
  return (
    isWiderPath(wider, narrower) &&
    Object.entries(wider).every(
      ([field, asked]) =>
        APART.has(field) || (MAPS.has(field) ? isPartOf(asked, other[field]) : asked === undefined || isSame(asked, other[field])),
    )
  );
}

function isWiderPath({ uri, ignoreUriCase }: HTTPMatchRequest, narrower: HTTPMatchRequest): boolean {
  if (uri === undefined) return true;
  const inner = narrower.uri;
  if ('regex' in uri) return uri.regex === '.*' || (inner !== undefined && 'regex' in inner && inner.regex === uri.regex);
  // Every path begins with a slash.
  if ('prefix' in uri && (uri.prefix === '' || uri.prefix === '/')) return true;
  if (inner === undefined || 'regex' in inner || (narrower.ignoreUriCase === true && ignoreUriCase !== true)) return false;
  const [text, innerText] = [uri, inner].map((each) => (ignoreUriCase === true ? asciiLower(textOf(each)) : textOf(each)));
  if (text === undefined || innerText === undefined) return false;
  return 'prefix' in uri ? innerText.startsWith(text) : 'exact' in inner && innerText === text;
}

function textOf(match: Exclude<StringMatch, { readonly regex: string }>): string {
  return 'exact' in match ? match.exact : match.prefix;
}

function isPartOf(asked: unknown, other: unknown): boolean {
  const known = new Map(Object.entries(other ?? {}));
  return Object.entries(asked ?? {}).every(([name, matcher]) => isSame(matcher, known.get(name)));
}

function isSame(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
