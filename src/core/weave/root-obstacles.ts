import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { describeRouteObject, type RouteObject } from './route-object.ts';
import { hasSourceConditions } from './rule-blocks.ts';

/** How a delegate is woven, as far as its roots can be in the way. */
export interface DelegateNeeds {
  readonly route: RouteObject;
  /** Header names, lower case, on which woven rules match. */
  readonly matchHeaders: readonly string[];
  /** Some woven rules are limited to gateways, or to the mesh. */
  readonly limits: boolean;
}

/**
 * What in the roots' matches would make Istio drop woven rules, or widen them, when it merges the two (istio pilot/pkg/model hasConflict): one
 * finding for each mistake, at its place in the root. None for an object with hosts.
 */
export function rootObstacles({ route, matchHeaders, limits }: DelegateNeeds): readonly Diagnostic[] {
  const delegate = describeRouteObject(route);
  return route.delegations.flatMap(({ root, index, rule }) =>
    (rule.match ?? []).flatMap((block, at): Diagnostic[] => {
      const place = { severity: 'warning', object: describeRouteObject(root), path: `spec.http[${index}].match[${at}]` } as const;
      const taken = Object.keys(block.headers ?? {}).filter((name) => matchHeaders.includes(name.toLowerCase()));
      const headers = taken.map((name) => ({
        ...place,
        code: 'PERCH2002' as const,
        path: `${place.path}.headers`,
        message: `no rule of ${delegate} is woven: this match is on ${name}, and weaving needs the one match that a header can have`,
        hint: `leave ${name} out of the match, or give ${delegate} a rule without it`,
      }));
      if (!limits || ((block.gateways ?? []).length === 0 && !hasSourceConditions(block))) return headers;
      const message = `no rule of ${delegate} is woven: gateways and mesh lead there, and this match is for some of them only`;
      const hint = 'bind one VirtualService to the gateways and another to the mesh, without gateways and sources in their matches';
      return [...headers, { ...place, code: 'PERCH2017', message, hint }];
    }),
  );
}
