import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { HTTPRoute } from '../istio/resources.ts';
import type { Sharing } from './gateway-hosts.ts';
import { type Delegation, describeRouteObject, type RouteObject } from './route-object.ts';

/** A diagnostic about a rule, before it is said of which object and where there. */
export type RuleFinding = Omit<Diagnostic, 'object' | 'path'>;

const NOT_ISSUED: RuleFinding = {
  code: 'PERCH2015',
  severity: 'info',
  message: 'no ids are issued by this match: its source conditions cannot be limited to the gateway',
  hint: 'name the gateway in the match, or bind the object to the gateway only',
};

/**
 * What is said about a base rule, in words: why it is not woven (`warning`), or left as it is on purpose, or woven with less than the
 * others (`info`). weavable.ts decides which applies.
 */
export const RULE_FINDINGS = {
  /** A redirect or a direct response. */
  answered: {
    code: 'PERCH2007',
    severity: 'info',
    message: 'the rule stays as it is: it answers by itself and reaches no version',
  },
  /** In an object whose destinations move to a version. */
  weighted: {
    code: 'PERCH2003',
    severity: 'warning',
    message: 'the rule is not woven: it draws between several weighted destinations at each request',
    hint: 'leave one destination; the release does the splitting, and its visitors stay put',
  },
  /** In an object whose destinations stay, where pages are drawn. */
  drawnAlready: {
    code: 'PERCH2003',
    severity: 'warning',
    message: 'the rule is not woven: it draws between several weighted destinations, where the release has to draw',
    hint: 'leave one destination, or use affinity.mode: visitor, which draws nothing here',
  },
  pinned: {
    code: 'PERCH2008',
    severity: 'info',
    message: 'the rule stays as it is: it names another subset, which counts as an explicit choice',
  },
  replaced: {
    code: 'PERCH2004',
    severity: 'warning',
    message: 'the rule is not woven: its destination adds a Set-Cookie, which the cookie of the release would replace',
    hint: 'add that cookie in the headers of the rule instead of those of the destination: both are then sent',
  },
  notIssued: NOT_ISSUED,
  notDrawn: {
    ...NOT_ISSUED,
    message: 'nobody is drawn by this match: its source conditions cannot be limited to the gateway',
  },
  /** `moves`: the object is the one that is released, not one that only issues ids. */
  delegates({ name, namespace }: NonNullable<HTTPRoute['delegate']>, route: RouteObject, moves: boolean): RuleFinding {
    const delegate = `${namespace || route.namespace}/${name}`;
    const hint = moves
      ? 'release through the delegate: name it in route.adopt, or let Perch own it with route.delegate'
      : 'to issue ids there, name the delegate in visitorId.issueAt';
    return { code: 'PERCH2005', severity: 'warning', message: `the rule is not woven: its routes stand in the delegate ${delegate}`, hint };
  },
  headerConflict(name: string): RuleFinding {
    return {
      code: 'PERCH2002',
      severity: 'warning',
      message: `the rule is not woven: it matches on ${name}, and weaving needs the one match that a header can have`,
      hint: `leave ${name} out of the match, or give the service a rule without it`,
    };
  },
  queryConflict(name: string): RuleFinding {
    return {
      code: 'PERCH2002',
      severity: 'warning',
      message: `the rule is not woven: it matches on the query parameter ${name}, and the links of optIn need that match`,
      hint: 'give spec.optIn.parameter another name',
    };
  },
  undone(name: string, draws: boolean): RuleFinding {
    const destinations = draws ? 'the two destinations of a draw' : 'several destinations';
    return {
      code: 'PERCH2014',
      severity: 'warning',
      message: `the rule is not woven: with ${destinations} its own operation on ${name} would undo what weaving adds`,
      hint: `move the operation on ${name} to each of the destinations`,
    };
  },
  reordered(name: string): RuleFinding {
    return {
      code: 'PERCH2016',
      severity: 'warning',
      message: `the rule is not woven: with the two destinations of a draw its own operation on ${name} would come after that of its destination, not before`,
      hint: `put both operations on ${name} into the headers of the destination, or of the rule`,
    };
  },
  overtaking({ other, through }: Sharing): RuleFinding {
    const via = through === undefined ? '' : `through ${describeRouteObject(through.root)} `;
    return {
      code: 'PERCH2009',
      severity: 'warning',
      message: `the rule is not woven: ${via}it takes every path of a host that it shares with ${describeRouteObject(other)}, and woven it would overtake the routes there`,
      hint: 'give the rule a path such as prefix: /shop, or put all routes of the host into one VirtualService',
    };
  },
  /** Conditions of the roots cannot be repeated in the rules that this one becomes. */
  unrepeatable: {
    code: 'PERCH2017',
    severity: 'warning',
    message:
      'the rule is not woven: it has no match, and its roots differ in ignoreUriCase or sourceNamespace, which a match has to repeat',
    hint: 'let the roots agree in both, or give each root a delegate of its own',
  },
  excluded({ root }: Delegation): RuleFinding {
    return {
      code: 'PERCH2017',
      severity: 'warning',
      message: `the rule is not woven: ${describeRouteObject(root)} excludes one of its matches, and they differ in gateways or sources`,
      hint: 'give each of its matches a rule of its own',
    };
  },
} as const satisfies Record<string, RuleFinding | ((...about: never) => RuleFinding)>;
