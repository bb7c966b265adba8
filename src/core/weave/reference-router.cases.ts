import { RE2JS } from 're2js';
import { boundGateways, resolveGateway } from '../istio/names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, KubeObject, VirtualServiceSpec } from '../istio/resources.ts';
import { isCatchAll } from '../routing/catch-all.ts';
import { delegatesOf, effectiveRules, isDelegate } from '../routing/delegates.ts';
import { DEFAULT_NAMESPACE } from '../source/kube-object.ts';
import { blocksOf } from './rule-blocks.ts';

/**
 * The smallest reading of Istio's routes that the tests of weaving need, written straight from istio-semantics 1.3, 1.6 and 1.7 for one
 * host: which rule takes a request. Slow and plain on purpose; the gateway's tables are compiled by core/routing.
 */
export interface ReferenceRequest {
  /** The gateway, of the default namespace, or `mesh`; the sender is of the default namespace too. */
  readonly at: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Names in lower case; a line each. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** Objects as routers see them: delegates merged into their roots, names resolved (istio-semantics 1.11). */
export function withoutDelegates(objects: readonly KubeObject[]): readonly KubeObject[] {
  const services = objects.map((object) => ({ ...object, kind: 'VirtualService' as const, spec: object.spec as VirtualServiceSpec }));
  const delegates = delegatesOf(services);
  return services
    .filter((service) => !isDelegate(service))
    .map((service) => ({
      ...service,
      spec: {
        ...service.spec,
        http: effectiveRules(
          service,
          (name) => delegates.get(name),
          () => undefined,
        ),
      },
    }));
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
  const { namespace = DEFAULT_NAMESPACE } = object.metadata;
  if (!boundGateways(spec.gateways, namespace).includes(resolveGateway(request.at, DEFAULT_NAMESPACE))) return [];
  const entries = (spec.http ?? []).flatMap((rule) => blocksOf(rule).map((block) => ({ rule, block, catchAll: isCatchAll(block) })));
  const emitted = entries.filter((entry) => isEmitted(entry.block, request, namespace));
  const end = emitted.findIndex((entry) => entry.catchAll);
  return end < 0 ? emitted : emitted.slice(0, end + 1);
}

function isEmitted(block: HTTPMatchRequest, request: ReferenceRequest, namespace: string): boolean {
  const { gateways = [], sourceLabels = {}, sourceNamespace = DEFAULT_NAMESPACE } = block;
  if (gateways.length > 0) return boundGateways(gateways, namespace).includes(resolveGateway(request.at, DEFAULT_NAMESPACE));
  return sourceNamespace === DEFAULT_NAMESPACE && Object.entries(sourceLabels).every(([label, value]) => request.labels[label] === value);
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
