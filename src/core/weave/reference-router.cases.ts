import { RE2JS } from 're2js';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, KubeObject, VirtualServiceSpec } from '../istio/resources.ts';
import { blocksOf, isCatchAll } from './rule-blocks.ts';

/**
 * The smallest reading of Istio's routes that the tests of weaving need, written straight from istio-semantics 1.3, 1.6 and 1.7 for one
 * host: which rule takes a request. Slow and plain on purpose; the gateway's tables are compiled by core/routing.
 */
export interface ReferenceRequest {
  /** The gateway by the name that objects use, or `mesh`. */
  readonly at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case; a line each. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** The rule that takes the request, of objects that are bound to the listener and serve one host; undefined: 404. */
export function referenceRoute(objects: readonly KubeObject[], request: ReferenceRequest): HTTPRoute | undefined {
  const entries = objects.flatMap((object) => entriesOf(object, request));
  const sorted =
    request.at === 'mesh' ? entries : [...entries.filter((each) => !each.catchAll), ...entries.filter((each) => each.catchAll)];
  return sorted.find((entry) => matches(entry.block, request))?.rule;
}

interface Entry {
  readonly rule: HTTPRoute;
  readonly block: HTTPMatchRequest;
  readonly catchAll: boolean;
}

/** One object's routes: a block each; after a catch-all Istio emits no more. */
function entriesOf(object: KubeObject, request: ReferenceRequest): Entry[] {
  const spec = object.spec as VirtualServiceSpec;
  if (!(spec.gateways ?? ['mesh']).includes(request.at)) return [];
  const entries = (spec.http ?? []).flatMap((rule) => blocksOf(rule).map((block) => ({ rule, block, catchAll: isCatchAll(block) })));
  const emitted = entries.filter((entry) => isEmitted(entry.block, request));
  const end = emitted.findIndex((entry) => entry.catchAll);
  return end < 0 ? emitted : emitted.slice(0, end + 1);
}

function isEmitted(block: HTTPMatchRequest, request: ReferenceRequest): boolean {
  if (block.gateways !== undefined && block.gateways.length > 0) return block.gateways.includes(request.at);
  return Object.entries(block.sourceLabels ?? {}).every(([label, value]) => request.labels[label] === value);
}

function matches(block: HTTPMatchRequest, request: ReferenceRequest): boolean {
  const [path = '', query = ''] = request.path.split('?');
  const fold = (text: string) => (block.ignoreUriCase === true ? text.toLowerCase() : text);
  const uri = block.uri === undefined || matchesText(foldMatch(block.uri, fold), 'regex' in block.uri ? path : fold(path));
  const lines = (name: string) => (name === ':path' ? [request.path] : (request.headers[name.toLowerCase()] ?? []));
  const some = (name: string, match: HeaderMatch) => lines(name).some((line) => matchesText(match, line));
  return (
    uri &&
    (block.method === undefined || matchesText(block.method, request.method)) &&
    Object.entries(block.headers ?? {}).every(([name, match]) => some(name, match)) &&
    Object.entries(block.withoutHeaders ?? {}).every(([name, match]) => !some(name, match)) &&
    Object.entries(block.queryParams ?? {}).every(([name, match]) =>
      query.split('&').some((pair) => pair.startsWith(`${name}=`) && matchesText(match, pair.slice(name.length + 1))),
    )
  );
}

function foldMatch(match: HeaderMatch, fold: (text: string) => string): HeaderMatch {
  if ('exact' in match) return { exact: fold(match.exact) };
  return 'prefix' in match ? { prefix: fold(match.prefix) } : match;
}

function matchesText(match: HeaderMatch, text: string): boolean {
  if ('exact' in match) return text === match.exact;
  if ('prefix' in match) return text.startsWith(match.prefix);
  return 'regex' in match ? compiled(match.regex).matches(text) : true;
}

const cache = new Map<string, RE2JS>();

function compiled(regex: string): RE2JS {
  const found = cache.get(regex) ?? RE2JS.compile(regex);
  cache.set(regex, found);
  return found;
}
