import type { Headers, HTTPMatchRequest, HTTPRoute } from '../istio/resources.ts';
import { mergedRule } from '../routing/delegates.ts';
import type { Delegation, RouteObject } from './route-object.ts';
import { blocksOf } from './rule-blocks.ts';

/** What the merge with its roots makes of the rules of a delegate (istio-semantics 1.11; istio pilot/pkg/model MergeHTTPRoutes). */

/** The match blocks of all rules that delegate to the object; none for an object with hosts. */
export function rootBlocks(route: RouteObject): readonly HTTPMatchRequest[] {
  return route.delegations.flatMap(({ rule }) => blocksOf(rule));
}

/**
 * What a match in the delegate has to repeat, or it would conflict with its roots' matches: a rule without a match is free of that, its woven
 * rules are not. Undefined where the roots differ, so that no one match fits them all.
 */
export function carriedConditions(route: RouteObject): Pick<HTTPMatchRequest, 'ignoreUriCase' | 'sourceNamespace'> | undefined {
  const [first = {}, ...others] = rootBlocks(route);
  const ignoreUriCase = first.ignoreUriCase === true;
  const sourceNamespace = first.sourceNamespace ?? '';
  const alike = others.every((each) => (each.ignoreUriCase === true) === ignoreUriCase && (each.sourceNamespace ?? '') === sourceNamespace);
  if (!alike) return undefined;
  return { ...(ignoreUriCase && { ignoreUriCase }), ...(sourceNamespace !== '' && { sourceNamespace }) };
}

/** The rule as it is served through a root; undefined where the root excludes it. */
export function servedThrough({ root, rule }: Delegation, inner: HTTPRoute, route: RouteObject): HTTPRoute | undefined {
  return mergedRule({ rule, namespace: root.namespace }, { rule: inner, namespace: route.namespace });
}

/** Header operations of a rule as they count: of a delegate's rule that has none, those of the roots. */
export function headersOf(
  rule: HTTPRoute,
  route: RouteObject,
): readonly { readonly headers: Headers; readonly from: Delegation | undefined }[] {
  if (rule.headers !== undefined) return [{ headers: rule.headers, from: undefined }];
  return route.delegations.flatMap((from) => (from.rule.headers === undefined ? [] : [{ headers: from.rule.headers, from }]));
}
