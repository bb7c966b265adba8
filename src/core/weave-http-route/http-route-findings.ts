import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { describeHttpRoute } from '../gateway-api/http-route.ts';
import type { KubeObject } from '../istio/resources.ts';
import type { CanaryRelease, Version } from '../release/canary-release.ts';
import { describeVersion } from '../release/version.ts';
import { RULE_FINDINGS, type RuleFinding } from '../weave/rule-findings.ts';
import { needsSecure } from '../weave/set-cookie.ts';

/** Most rules of a route, matches of a rule, matches of a route, header conditions of a match, and headers that a filter adds (HTTPRoute v1, its CustomResourceDefinition). */
export const HTTP_ROUTE_LIMITS = { rules: 16, matchesOfRule: 64, matches: 128, headers: 16, added: 16 } as const;

/** What is said about a base rule, in words: why it is not woven (`warning`), or left as it is on purpose (`info`). */
export const HTTP_RULE_FINDINGS = {
  answered: RULE_FINDINGS.answered,
  weighted: {
    code: 'PERCH2003',
    severity: 'warning',
    message: 'the rule is not woven: it draws between several weighted backends at each request',
    hint: 'leave one backend with a weight over 0; the release does the splitting, and its visitors stay put',
  },
  replaced: {
    code: 'PERCH2004',
    severity: 'warning',
    message: 'the rule is not woven: a filter of its backend writes Set-Cookie, which the cookie of the release would replace',
    hint: 'write that cookie in a filter of the rule instead of one of its backend: both are then sent',
  },
  headerConflict(name: string): RuleFinding {
    return {
      code: 'PERCH2002',
      severity: 'warning',
      message: `the rule is not woven: it matches on ${name}, and weaving needs the one match that a header can have`,
      hint: `leave ${name} out of the match, or give the service a rule without it`,
    };
  },
  tooManyHeaders: {
    code: 'PERCH2030',
    severity: 'warning',
    message: `the rule is not woven: its matches would have more than ${HTTP_ROUTE_LIMITS.headers} header conditions`,
    hint: 'ask for fewer headers',
  },
  tooManyAdded: {
    code: 'PERCH2030',
    severity: 'warning',
    message: `the rule is not woven: a filter of its backend would add more than ${HTTP_ROUTE_LIMITS.added} headers`,
    hint: 'add some of them in a filter of the rule instead',
  },
  unkeepable(rule: number): RuleFinding {
    return {
      code: 'PERCH2031',
      severity: 'warning',
      message: `the rule is not woven: it would overtake spec.rules[${rule}], which cannot be kept before it`,
      hint: 'rules are kept in their order with conditions on host and x-forwarded-proto that always hold: leave these two, and at least two more of the 16, free in rules of one path',
    };
  },
  overtakes(rival: KubeObject, rule: number): RuleFinding {
    return {
      code: 'PERCH2031',
      severity: 'warning',
      message: `the rule is not woven: it would overtake spec.rules[${rule}] of ${describeHttpRoute(rival)}, which shares its hosts and path`,
      hint: 'put both into one HTTPRoute, or give the other route another path or host',
    };
  },
  besideOtherHosts(rival: KubeObject): RuleFinding {
    return {
      code: 'PERCH2031',
      severity: 'warning',
      message: `the rule is not woven: it takes every path, and at a listener with a host name it might overtake ${describeHttpRoute(rival)}, whose hostnames overlap with those of its route`,
      hint: 'give both routes the same hostnames, or hostnames that do not overlap',
    };
  },
  unnameable: {
    code: 'PERCH2030',
    severity: 'warning',
    message: 'the rule is not woven: the names of its rules would be longer than 253 characters',
    hint: 'give the rule a shorter name, or none',
  },
} as const satisfies Record<string, RuleFinding | ((...about: never) => RuleFinding)>;

/** Woven, the route would be larger than Gateway API allows. */
export function tooLarge(route: KubeObject, what: string, found: number, most: number): Diagnostic {
  return {
    code: 'PERCH2030',
    severity: 'error',
    message: `woven, ${describeHttpRoute(route)} would have ${found} ${what}, and Gateway API allows ${most}`,
    object: describeHttpRoute(route),
    path: 'spec.rules',
    hint: 'put the rules that do not lead to the service into an HTTPRoute of their own, or join rules that differ in nothing but their matches',
  };
}

/** No rule of the route is woven. */
export function nothingReleased(route: KubeObject, isConcerned: boolean, { metadata, spec: { service } }: CanaryRelease): Diagnostic {
  const what = `${service.host}:${service.port}`;
  return {
    code: 'PERCH2001',
    severity: 'error',
    message: isConcerned
      ? `no rule of ${describeHttpRoute(route)} that leads to ${what} or one of its versions can be woven`
      : `no rule of ${describeHttpRoute(route)} leads to ${what} or one of its versions`,
    object: `CanaryRelease ${metadata.namespace}/${metadata.name}`,
    path: 'spec.route.adopt.httpRoute',
    hint: isConcerned ? 'mend what the findings on its rules name' : 'name the HTTPRoute that routes to the service',
  };
}

/** A version is nothing that a backend of the route can be. */
export function noBackend(route: KubeObject, version: Version, { metadata }: CanaryRelease): Diagnostic {
  return {
    code: 'PERCH2032',
    severity: 'error',
    message: `${describeVersion(version)} is no Service of the namespace that the backends of ${describeHttpRoute(route)} are of`,
    object: `CanaryRelease ${metadata.namespace}/${metadata.name}`,
    path: 'spec',
    hint: 'name each version by the short name of a Service beside the one that the route leads to',
  };
}

/** Browsers drop the visitor id's cookie: whether a listener of Gateway API ends TLS is not looked at. */
export function droppedCookie({ metadata, spec }: CanaryRelease): readonly Diagnostic[] {
  const { cookie, from } = spec.visitorId;
  const need = cookie.secure === true || from !== undefined ? undefined : needsSecure(cookie);
  if (need === undefined) return [];
  return [
    {
      code: 'PERCH2013',
      severity: 'warning',
      message: `browsers drop the cookie ${cookie.name}: ${need.what}, and in an HTTPRoute it is secure only where secure: true says so`,
      object: `CanaryRelease ${metadata.namespace}/${metadata.name}`,
      path: `spec.visitorId.cookie.${need.field}`,
      hint: 'set secure: true, where the listener is HTTPS',
    },
  ];
}

/** Another release stands in the route. */
export function foreignInHttpRoute(route: KubeObject, release: string): Diagnostic {
  return {
    code: 'PERCH2012',
    severity: 'error',
    message: `release ${release} is woven into ${describeHttpRoute(route)}`,
    object: describeHttpRoute(route),
    path: 'spec.rules',
    hint: 'wait until that release has left, or give the services routes of their own',
  };
}

/** No rule of the route where ids are to be issued is woven. */
export function nothingIssued(issuing: KubeObject): Diagnostic {
  return {
    code: 'PERCH2011',
    severity: 'error',
    message: `no rule of ${describeHttpRoute(issuing)} can issue visitor ids`,
    object: describeHttpRoute(issuing),
    path: 'spec.rules',
    hint: 'mend what the findings on its rules name',
  };
}
