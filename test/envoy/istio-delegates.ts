import { resolveGateway, resolveHost } from '../../src/core/istio/names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService } from '../../src/core/istio/resources.ts';

/**
 * The http rules of a root VirtualService with its delegates merged in and all names resolved, as istiod merges them (istio
 * pilot/pkg/model/virtualservice.go, mergeHTTPRoutes). Written apart from src/core/routing/delegates.ts on purpose: the suites compare the two.
 */
export function mergedRules(root: VirtualService, all: readonly VirtualService[]): readonly HTTPRoute[] {
  const rootNamespace = root.metadata.namespace ?? 'default';
  const merged: HTTPRoute[] = [];
  for (const rule of root.spec.http ?? []) {
    if (rule.delegate === undefined) {
      merged.push(resolved(rule, rootNamespace));
      continue;
    }
    const { name, namespace = rootNamespace } = rule.delegate;
    const leaf = all.find((each) => each.metadata.name === name && (each.metadata.namespace ?? 'default') === namespace);
    // A rule whose delegate does not exist is dropped.
    if (leaf === undefined || (leaf.spec.hosts ?? []).length > 0) continue;
    for (const inner of leaf.spec.http ?? []) {
      const one = mergeRule(resolved(rule, rootNamespace), resolved(inner, namespace));
      if (one !== undefined) merged.push(one);
    }
  }
  return merged;
}

function resolved(rule: HTTPRoute, namespace: string): HTTPRoute {
  const copy = structuredClone(rule) as { -readonly [Key in keyof HTTPRoute]: HTTPRoute[Key] };
  copy.match &&= copy.match.map((block) =>
    block.gateways === undefined ? block : { ...block, gateways: block.gateways.map((name) => resolveGateway(name, namespace)) },
  );
  copy.route &&= copy.route.map((target) => ({
    ...target,
    destination: { ...target.destination, host: resolveHost(target.destination.host, namespace) },
  }));
  return copy;
}

/** What a delegate's rule takes over where it says nothing itself; header operations only as a whole. */
const INHERITED = ['rewrite', 'directResponse', 'timeout', 'headers'] as const;

function mergeRule(root: HTTPRoute, leaf: HTTPRoute): HTTPRoute | undefined {
  const match = crossed(root.match ?? [], leaf.match ?? []);
  if (match === undefined) return undefined;
  const inherited = Object.fromEntries(INHERITED.flatMap((field) => (field in leaf || !(field in root) ? [] : [[field, root[field]]])));
  const names = [root.name, leaf.name].filter((name) => name !== undefined && name !== '');
  const { match: _, name: __, ...own } = leaf;
  return { ...inherited, ...own, ...(names.length === 0 ? {} : { name: names.join('-') }), ...(match.length === 0 ? {} : { match }) };
}

/** Each block of the delegate with each of the root that it does not contradict; undefined where a block contradicts them all. */
function crossed(roots: readonly HTTPMatchRequest[], leaves: readonly HTTPMatchRequest[]): readonly HTTPMatchRequest[] | undefined {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const perLeaf = leaves.map((leaf) => roots.filter((root) => !contradicts(root, leaf)).map((root) => mergeBlock(root, leaf)));
  return perLeaf.some((blocks) => blocks.length === 0) ? undefined : perLeaf.flat();
}

function mergeBlock(root: HTTPMatchRequest, leaf: HTTPMatchRequest): HTTPMatchRequest {
  const names = [root.name, leaf.name].filter((name) => name !== undefined && name !== '');
  const maps = Object.fromEntries(
    (['headers', 'withoutHeaders', 'queryParams'] as const).map((field) => [field, { ...root[field], ...leaf[field] }]),
  );
  const gateways = (leaf.gateways ?? []).length > 0 ? leaf.gateways : root.gateways;
  return {
    ...root,
    ...leaf,
    ...maps,
    ...(names.length === 0 ? {} : { name: names.join('-') }),
    ...(gateways === undefined ? {} : { gateways }),
  };
}

function contradicts(root: HTTPMatchRequest, leaf: HTTPMatchRequest): boolean {
  const pairs: (readonly [StringMatch | HeaderMatch | undefined, StringMatch | HeaderMatch | undefined])[] = [
    [root.uri, leaf.uri],
    [root.scheme, leaf.scheme],
    [root.method, leaf.method],
    [root.authority, leaf.authority],
    ...(['headers', 'withoutHeaders', 'queryParams'] as const).flatMap((field) =>
      Object.entries(leaf[field] ?? {}).map(([key, matcher]) => [root[field]?.[key], matcher] as const),
    ),
  ];
  if (pairs.some(([ofRoot, ofLeaf]) => ofRoot !== undefined && ofLeaf !== undefined && !narrows(ofRoot, ofLeaf))) return true;
  if ((root.ignoreUriCase === true) !== (leaf.ignoreUriCase === true)) return true;
  if ((root.port ?? 0) !== 0 && (leaf.port ?? 0) !== 0 && root.port !== leaf.port) return true;
  const { gateways = [] } = root;
  return gateways.length > 0 && (leaf.gateways ?? []).some((name) => !gateways.includes(name));
}

/** Whether a delegate's matcher asks for no more than the root lets through; of regexes and of mere presence nobody can tell. */
function narrows(root: StringMatch | HeaderMatch, leaf: StringMatch | HeaderMatch): boolean {
  const text = 'exact' in leaf ? leaf.exact : 'prefix' in leaf ? leaf.prefix : undefined;
  if (text === undefined) return false;
  if ('exact' in root) return 'exact' in leaf && leaf.exact === root.exact;
  return 'prefix' in root && text.startsWith(root.prefix ?? '');
}
