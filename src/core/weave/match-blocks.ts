import { MESH_GATEWAY } from '../istio/names.ts';
import type { HeaderMatch, HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import { carriedConditions, rootBlocks } from './delegation.ts';
import { isInMesh, ownGateways } from './gateway-hosts.ts';
import type { RouteObject } from './route-object.ts';
import { blocksOf, hasSourceConditions } from './rule-blocks.ts';

/** Conditions on headers, all of which must hold. */
export type HeaderConditions = Readonly<Record<string, HeaderMatch>>;

/**
 * The blocks that a woven rule narrows: those of the base rule, each with its guard. Where a delegate's rule has none, one with what its roots
 * want repeated.
 */
export function guardedBlocks(rule: HTTPRoute, route: RouteObject): readonly HTTPMatchRequest[] {
  const blocks: readonly HTTPMatchRequest[] = (rule.match ?? []).length === 0 ? [carriedConditions(route) ?? {}] : blocksOf(rule);
  return blocks.map((block) => ({ ...block, headers: { ...block.headers, ...guardOf(block, route) } }));
}

/** Each block with the conditions added; blocks times alternatives, since blocks are alternatives themselves. */
export function andConditions(blocks: readonly HTTPMatchRequest[], alternatives: readonly HeaderConditions[]): HTTPMatchRequest[] {
  return blocks.flatMap((block) => alternatives.map((conditions) => ({ ...block, headers: { ...block.headers, ...conditions } })));
}

/**
 * Repeats the path as a prefix of the header `:path`, which Envoy tests before the costlier regexes (istiod sorts header names): without it
 * every request to the host pays for them. A prefix for exact paths too: `:path` has the query. None where the path is a regex or its case does not count. In a delegate a
 * block without a path takes what the paths of all roots begin with; a root that matches on `:path` itself leaves room for no guard.
 */
export function guardOf(block: HTTPMatchRequest, route: RouteObject): HeaderConditions {
  const roots = rootBlocks(route);
  if (roots.some(matchesOnPath)) return {};
  if (block.uri !== undefined || roots.length === 0) return guard(pathStart(block));
  return matchesOnPath(block) ? {} : guard(sharedStart(roots));
}

function guard(prefix: string | undefined): HeaderConditions {
  return prefix === undefined || prefix === '' ? {} : { ':path': { prefix } };
}

/** What every path begins with that the block matches; undefined where nothing is known. */
function pathStart({ uri, ignoreUriCase }: HTTPMatchRequest): string | undefined {
  if (uri === undefined || ignoreUriCase === true) return undefined;
  return 'exact' in uri ? uri.exact : 'prefix' in uri ? uri.prefix : undefined;
}

/** A lone slash is left out: every path has it. */
function sharedStart(blocks: readonly HTTPMatchRequest[]): string | undefined {
  const [first = '', ...others] = blocks.map((block) => pathStart(block) ?? '');
  let length = first.length;
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length--;
  return length > 1 ? first.slice(0, length) : undefined;
}

function matchesOnPath(block: HTTPMatchRequest): boolean {
  return Object.keys(block.headers ?? {}).some((name) => name.toLowerCase() === ':path');
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

function limited(blocks: readonly HTTPMatchRequest[], gateways: readonly string[]): readonly HTTPMatchRequest[] {
  return blocks.flatMap((block) => {
    if (block.gateways !== undefined && block.gateways.length > 0) {
      const kept = block.gateways.filter((name) => (name === MESH_GATEWAY) === gateways.includes(MESH_GATEWAY));
      return kept.length === 0 ? [] : [{ ...block, gateways: kept }];
    }
    return hasSourceConditions(block) ? [] : [{ ...block, gateways }];
  });
}
