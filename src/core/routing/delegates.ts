import { resolveGateway, resolveHost } from '../istio/names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService } from '../istio/resources.ts';

/** Why a rule of a root VirtualService leads nowhere. */
export interface DelegateProblem {
  readonly root: VirtualService;
  /** Index of the rule in `spec.http` of the root. */
  readonly rule: number;
  readonly reason: 'missing' | 'conflict';
  /** `namespace/name` of the delegate. */
  readonly delegate: string;
  /** Name or index of the delegate's rule that was dropped. */
  readonly dropped?: string;
}

/**
 * The HTTP rules of a VirtualService with every name resolved and delegates, found by `namespace/name`, merged in (istio-semantics 1.11). One
 * level only. A rule whose delegate is missing is dropped, as is a rule of a delegate that asks for something that its root excludes.
 */
export function effectiveRules(
  root: VirtualService,
  findDelegate: (fullName: string) => VirtualService | undefined,
  report: (problem: DelegateProblem) => void,
): readonly HTTPRoute[] {
  const namespace = namespaceOf(root);
  return (root.spec.http ?? []).flatMap((written, index) => {
    const rule = resolveNames(written, namespace);
    if (rule.delegate === undefined) return [rule];
    const name = delegateName(rule.delegate, namespace);
    const delegate = findDelegate(name);
    if (delegate === undefined) {
      report({ root, rule: index, reason: 'missing', delegate: name });
      return [];
    }
    return (delegate.spec.http ?? []).flatMap((inner, at) => {
      const merged = mergedRule({ rule: written, namespace }, { rule: inner, namespace: namespaceOf(delegate) });
      if (merged === undefined) report({ root, rule: index, reason: 'conflict', delegate: name, dropped: inner.name ?? String(at) });
      return merged ?? [];
    });
  });
}

/** The delegates that the rules of a VirtualService name, as `namespace/name`, in order. */
export function delegateNames(root: VirtualService): readonly string[] {
  const known = namesOfDelegates.get(root);
  if (known !== undefined) return known;
  const names = (root.spec.http ?? []).flatMap(({ delegate }) =>
    delegate === undefined ? [] : [delegateName(delegate, namespaceOf(root))],
  );
  namesOfDelegates.set(root, names);
  return names;
}

/** Objects do not change: asking again costs nothing, however many rules there are. */
const namesOfDelegates = new WeakMap<VirtualService, readonly string[]>();

function delegateName({ namespace, name }: NonNullable<HTTPRoute['delegate']>, namespaceOfRoot: string): string {
  return `${namespace || namespaceOfRoot}/${name}`;
}

/** A rule, and the namespace in which its names are read. */
export interface PlacedRule {
  readonly rule: HTTPRoute;
  readonly namespace: string;
}

/** What comes of a rule that delegates and a rule of the delegate; undefined where that one asks for something that the root excludes. */
export function mergedRule(root: PlacedRule, inner: PlacedRule): HTTPRoute | undefined {
  return mergeRules(resolveNames(root.rule, root.namespace), resolveNames(inner.rule, inner.namespace));
}

/** VirtualServices without hosts, by `namespace/name`. */
export function delegatesOf(services: readonly VirtualService[]): ReadonlyMap<string, VirtualService> {
  return new Map(services.filter(isDelegate).map((service) => [`${namespaceOf(service)}/${service.metadata.name}`, service]));
}

/** Whether the object only serves through others that delegate to it. */
export function isDelegate(service: Pick<VirtualService, 'spec'>): boolean {
  return (service.spec.hosts ?? []).length === 0;
}

function namespaceOf(service: VirtualService): string {
  return service.metadata.namespace ?? 'default';
}

function resolveNames(rule: HTTPRoute, namespace: string): HTTPRoute {
  const { match, route } = rule;
  return {
    ...rule,
    ...(match?.some(({ gateways }) => gateways !== undefined) && {
      match: match.map((block) => ({
        ...block,
        ...(block.gateways && { gateways: block.gateways.map((name) => resolveGateway(name, namespace)) }),
      })),
    }),
    ...(route && {
      route: route.map((each) => ({ ...each, destination: { ...each.destination, host: resolveHost(each.destination.host, namespace) } })),
    }),
  };
}

function mergeRules(root: HTTPRoute, inner: HTTPRoute): HTTPRoute | undefined {
  const match = mergeMatches(root.match, inner.match);
  if (match === undefined) return undefined;
  const name = [root.name, inner.name].filter((part) => part !== undefined && part !== '').join('-');
  // What the delegate sets counts as a whole: header operations are not merged one by one.
  const { delegate: _delegate, match: _match, ...inherited } = root;
  const { match: _inner, ...own } = inner;
  return { ...inherited, ...own, ...(match.length > 0 && { match }), ...(name !== '' && { name }) };
}

function mergeMatches(
  root: readonly HTTPMatchRequest[] | undefined,
  inner: readonly HTTPMatchRequest[] | undefined,
): readonly HTTPMatchRequest[] | undefined {
  if (root === undefined || root.length === 0) return inner ?? [];
  if (inner === undefined || inner.length === 0) return root;
  const merged: HTTPMatchRequest[] = [];
  for (const block of inner) {
    const fitting = root.filter((outer) => !conflicts(outer, block));
    if (fitting.length === 0) return undefined;
    merged.push(...fitting.map((outer) => mergeBlocks(outer, block)));
  }
  return merged;
}

function mergeBlocks(outer: HTTPMatchRequest, inner: HTTPMatchRequest): HTTPMatchRequest {
  const name = [outer.name, inner.name].filter((part) => part !== undefined && part !== '').join('-');
  const gateways = inner.gateways?.length ? inner.gateways : outer.gateways;
  return {
    ...outer,
    ...inner,
    ...(name !== '' && { name }),
    ...(gateways && { gateways }),
    ...mergedMap('headers', outer, inner),
    ...mergedMap('withoutHeaders', outer, inner),
    ...mergedMap('queryParams', outer, inner),
    ...mergedMap('sourceLabels', outer, inner),
  };
}

type MapField = 'headers' | 'withoutHeaders' | 'queryParams' | 'sourceLabels';

function mergedMap(field: MapField, outer: HTTPMatchRequest, inner: HTTPMatchRequest): Partial<Pick<HTTPMatchRequest, MapField>> {
  return outer[field] || inner[field] ? { [field]: { ...outer[field], ...inner[field] } } : {};
}

function conflicts(outer: HTTPMatchRequest, inner: HTTPMatchRequest): boolean {
  const fields = ['uri', 'scheme', 'method', 'authority'] as const;
  if (fields.some((field) => matchersConflict(outer[field], inner[field]))) return true;
  const maps = ['headers', 'withoutHeaders', 'queryParams'] as const;
  if (maps.some((field) => Object.entries(inner[field] ?? {}).some(([key, matcher]) => matchersConflict(outer[field]?.[key], matcher))))
    return true;
  if ((outer.ignoreUriCase ?? false) !== (inner.ignoreUriCase ?? false)) return true;
  if (outer.port && inner.port && outer.port !== inner.port) return true;
  if (outer.sourceNamespace && inner.sourceNamespace !== outer.sourceNamespace) return true;
  const labels = Object.entries(inner.sourceLabels ?? {});
  if (labels.some(([key, value]) => (outer.sourceLabels?.[key] ?? value) !== value)) return true;
  const gateways = outer.gateways ?? [];
  return gateways.length > 0 && (inner.gateways ?? []).some((name) => !gateways.includes(name));
}

/**
 * A delegate may only narrow: the same exact value, or a value below the root's prefix. Regexes and presence cannot be compared, and an
 * empty value is to Istio as good as none of the three.
 */
function matchersConflict(outer: HeaderMatch | StringMatch | undefined, inner: HeaderMatch | StringMatch | undefined): boolean {
  if (outer === undefined || inner === undefined) return false;
  if ('exact' in outer && outer.exact) return !('exact' in inner) || inner.exact !== outer.exact;
  if (!('prefix' in outer) || !outer.prefix) return true;
  const below = 'exact' in inner ? inner.exact : 'prefix' in inner ? inner.prefix : undefined;
  return !below?.startsWith(outer.prefix);
}
