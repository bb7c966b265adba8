import type { HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';

/** A rule's match blocks; no match means one block without conditions. */
export function blocksOf(rule: Pick<HTTPRoute, 'match'>): readonly HTTPMatchRequest[] {
  return rule.match === undefined || rule.match.length === 0 ? [{}] : rule.match;
}

/** Whether a block asks who sends: Istio forgets that where the block names gateways too. */
export function hasSourceConditions(block: HTTPMatchRequest): boolean {
  return block.sourceLabels !== undefined || block.sourceNamespace !== undefined;
}
