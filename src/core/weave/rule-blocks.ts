import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';

/** A rule's match blocks; no match means one block without conditions. */
export function blocksOf(rule: Pick<HTTPRoute, 'match'>): readonly HTTPMatchRequest[] {
  return rule.match === undefined || rule.match.length === 0 ? [{}] : rule.match;
}

/** Whether a block asks who sends: Istio forgets that where the block names gateways too. */
export function hasSourceConditions(block: HTTPMatchRequest): boolean {
  return block.sourceLabels !== undefined || block.sourceNamespace !== undefined;
}

/** Whether Istio sorts the block's route behind those of all objects of the host (istio route.go IsCatchAllRoute). */
export function isCatchAll(block: HTTPMatchRequest): boolean {
  const { uri } = block;
  const anyPath = uri === undefined || ('prefix' in uri && uri.prefix === '/') || ('regex' in uri && uri.regex === '.*');
  const conditions = [block.headers, block.withoutHeaders, block.queryParams].some((map) => Object.keys(map ?? {}).length > 0);
  return anyPath && !conditions && block.method === undefined && block.authority === undefined && block.scheme === undefined;
}
