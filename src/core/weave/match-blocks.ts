import { MESH_GATEWAY } from '../istio/names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import { isInMesh, ownGateways } from './gateway-hosts.ts';
import type { RouteObject } from './route-object.ts';

/** Conditions on headers, all of which must hold. */
export type HeaderConditions = Readonly<Record<string, HeaderMatch>>;

/** A rule's match blocks; no match means one block without conditions. */
export function blocksOf(rule: HTTPRoute): readonly HTTPMatchRequest[] {
  return rule.match === undefined || rule.match.length === 0 ? [{}] : rule.match;
}

/** The blocks that a woven rule narrows: those of the base rule, each with its guard. */
export function guardedBlocks(rule: HTTPRoute, _route: RouteObject): readonly HTTPMatchRequest[] {
  return blocksOf(rule).map((block) => ({ ...block, headers: { ...block.headers, ...pathGuard(block) } }));
}

/** Each block with the conditions added; blocks times alternatives, since blocks are alternatives themselves. */
export function andConditions(blocks: readonly HTTPMatchRequest[], alternatives: readonly HeaderConditions[]): HTTPMatchRequest[] {
  return blocks.flatMap((block) => alternatives.map((conditions) => ({ ...block, headers: { ...block.headers, ...conditions } })));
}

/**
 * Repeats the path as a prefix of the header `:path`, which Envoy tests before the costlier regexes (istiod sorts header names; DESIGN,
 * "Cost"). A prefix for exact paths too: `:path` has the query. None where the path is a regex or its case does not count.
 */
export function pathGuard(block: HTTPMatchRequest): HeaderConditions {
  const { uri } = block;
  if (uri === undefined || block.ignoreUriCase === true) return {};
  const prefix = 'exact' in uri ? uri.exact : 'prefix' in uri ? uri.prefix : '';
  return prefix === '' ? {} : { ':path': { prefix } };
}

/**
 * The blocks limited to the object's own gateways, where ids can be issued; as they are in an object without mesh. Naming gateways in a
 * block switches its source conditions off in Istio, so blocks with those cannot be limited and are left out.
 */
export function atGateways(blocks: readonly HTTPMatchRequest[], route: RouteObject): readonly HTTPMatchRequest[] {
  return isInMesh(route) ? limited(blocks, ownGateways(route)) : blocks;
}

/** The blocks limited to sidecars; none in an object that only gateways serve. */
export function inMesh(blocks: readonly HTTPMatchRequest[], route: RouteObject): readonly HTTPMatchRequest[] {
  if (!isInMesh(route)) return [];
  return ownGateways(route).length === 0 ? blocks : limited(blocks, [MESH_GATEWAY]);
}

/** Whether a block's source conditions keep it from being limited to some of the object's gateways. */
export function hasSourceConditions(block: HTTPMatchRequest): boolean {
  return block.sourceLabels !== undefined || block.sourceNamespace !== undefined;
}

function limited(blocks: readonly HTTPMatchRequest[], gateways: readonly string[]): readonly HTTPMatchRequest[] {
  return blocks.flatMap((block) => {
    if (block.gateways !== undefined && block.gateways.length > 0) {
      const kept = block.gateways.filter((name) => (name === MESH_GATEWAY) === gateways.includes(MESH_GATEWAY));
      return kept.length === 0 ? [] : [{ ...block, gateways: kept }];
    }
    return hasSourceConditions(block) ? [] : [{ ...block, gateways }];
  });
}

/** Whether Istio sorts the block's route behind those of all objects of the host (istio route.go IsCatchAllRoute). */
export function isCatchAll(block: HTTPMatchRequest): boolean {
  const { uri } = block;
  const anyPath = uri === undefined || ('prefix' in uri && uri.prefix === '/') || ('regex' in uri && uri.regex === '.*');
  const conditions = [block.headers, block.withoutHeaders, block.queryParams].some((map) => Object.keys(map ?? {}).length > 0);
  return anyPath && !conditions && block.method === undefined && block.authority === undefined && block.scheme === undefined;
}
