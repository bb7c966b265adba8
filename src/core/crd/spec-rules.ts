import { WOVEN_HEADERS } from '../release/woven-headers.ts';
import { millisecondsInCel } from './duration-in-cel.ts';
import { celText, type ValidationRule } from './structural-schema.ts';

/** A rule over several fields, and the value that it is about: its path below `spec`, `*` for the items of a list or mapping. */
export interface SpecRule extends ValidationRule {
  readonly at: readonly string[];
}

const DAY = 86_400_000;

const lasts = (at: readonly string[], min: number, max: number, message: string): SpecRule => {
  const ms = millisecondsInCel('self');
  return { at, rule: `${ms} >= ${min} && ${ms} <= ${max}`, message };
};

const COOKIE_AGE = 'has to be over zero and at most 400d: browsers keep no cookie longer';
const cookieAge = (...at: readonly string[]): readonly SpecRule[] => [
  lasts(at, 1, 400 * DAY, COOKIE_AGE),
  { at, rule: `${millisecondsInCel('self')} % 1000 == 0`, message: 'has to be whole seconds, as cookies count' },
];

const texts = (values: readonly string[]) => `[${values.map(celText).join(', ')}]`;
const DRAWN = "has(self.affinity) && has(self.affinity.mode) && self.affinity.mode == 'canaryOnly'";
/** A rule for `affinity.mode: canaryOnly`. */
const withDraws = (rule: string, message: string): SpecRule => ({ at: [], rule: `!(${DRAWN}) || (${rule})`, message });

const HTTP_ROUTE = 'has(self.route) && has(self.route.adopt) && has(self.route.adopt.httpRoute)';
const ISSUE_AT = 'has(self.visitorId) && has(self.visitorId.issueAt)';
/** A rule for `route.adopt.httpRoute`. */
const withHttpRoute = (rule: string, message: string): SpecRule => ({ at: [], rule: `!(${HTTP_ROUTE}) || (${rule})`, message });

const SECURE_NAME = '(?i)^__(?:host|secure)-';
const HOST_NAME = '(?i)^__host-';
const isNamed = (pattern: string) => `has(self.name) && self.name.matches('${pattern}')`;

/**
 * The rules of core/release over several fields, in CEL with the libraries of Kubernetes (https://kubernetes.io/docs/reference/using-api/cel), so that
 * an apiserver refuses what `validateCanaryRelease` refuses. Not here: versions that are the same only once their hosts are resolved, and what is
 * wrong in the HTTP rules of `route`: both are told in the status.
 */
export const SPEC_RULES: readonly SpecRule[] = [
  {
    at: [],
    rule: '!has(self.stable) || !has(self.stable.subset) || !has(self.canary.subset) || self.stable.subset != self.canary.subset',
    message: 'canary and stable name the same version',
  },
  {
    at: [],
    rule: '!has(self.stable) || !has(self.stable.host) || !has(self.canary.host) || self.stable.host != self.canary.host || (has(self.stable.port) ? self.stable.port : self.service.port) != (has(self.canary.port) ? self.canary.port : self.service.port)',
    message: 'canary and stable name the same version',
  },
  // Steps.
  {
    at: ['steps', '*'],
    rule: 'has(self.match) ? (!has(self.weight) || self.weight == 0.0) : (has(self.weight) && self.weight > 0.0)',
    message: 'has to have a weight over 0, or a match',
  },
  {
    at: ['steps'],
    rule: 'self.map(step, !has(step.match)).isSorted()',
    message: 'the steps with match come before those with weights',
  },
  {
    at: ['steps'],
    // One list, named by a list of it: what finds equals in it is the apiserver's own code, fifty times as fast as one comparison of each with each.
    rule: '[self.filter(step, has(step.weight) && step.weight > 0.0).map(step, step.weight)].all(weights, weights.isSorted() && weights.all(weight, weights.indexOf(weight) == weights.lastIndexOf(weight)))',
    message: 'weights have to increase from step to step',
  },
  {
    at: ['steps'],
    rule: 'self.size() == 0 || (has(self[self.size() - 1].weight) && self[self.size() - 1].weight == 100.0)',
    message: 'the last step has to have weight 100',
  },
  {
    at: ['steps', '*', 'hold'],
    rule: `self == 'manual' || (${millisecondsInCel('self')} > 0 && ${millisecondsInCel('self')} <= ${90 * DAY})`,
    message: 'has to be over zero and at most 90d, or manual',
  },
  { at: ['steps', '*', 'match', '*', 'headers'], rule: 'self.size() > 0', message: 'has to name a header' },
  {
    at: ['steps', '*', 'match', '*', 'headers'],
    rule: `self.all(name, !(name in ${texts(WOVEN_HEADERS)}))`,
    message: `cannot pick visitors by ${WOVEN_HEADERS.join(', ')}: by these they are known or their requests told`,
  },
  {
    at: ['steps', '*', 'match', '*', 'headers', '*', 'regex'],
    // What RE2 does not take is an error of the rule, which refuses the object; an `||` would take the error away.
    rule: "[''.matches(self)].size() == 1",
    message: 'has to be a regex that RE2 takes',
  },
  // affinity.mode.
  {
    at: [],
    rule: `!has(self.affinity) || !has(self.affinity.cookie) || (${DRAWN})`,
    message: 'affinity.cookie means nothing with affinity.mode visitor',
  },
  withDraws(
    '!has(self.visitorId) || (!has(self.visitorId.cookie) && !has(self.visitorId.issueOn) && !has(self.visitorId.from))',
    'visitorId.cookie, issueOn and from mean nothing with affinity.mode canaryOnly: visitors get no id',
  ),
  withDraws(
    "!has(self.visitorId) || !has(self.visitorId.propagate) || !('requestId' in self.visitorId.propagate)",
    'visitorId.propagate: requestId means nothing with affinity.mode canaryOnly',
  ),
  withDraws(
    "!has(self.cohort) || self.cohort == 'auto'",
    'cohort means nothing with affinity.mode canaryOnly: each draw is a draw of its own',
  ),
  withDraws('!has(self.optIn)', 'optIn means nothing with affinity.mode canaryOnly'),
  withDraws('self.steps.all(step, !has(step.match))', 'steps with match mean nothing with affinity.mode canaryOnly'),
  {
    at: ['affinity', 'cookie', 'name'],
    rule: `!self.matches('${SECURE_NAME}')`,
    message: 'browsers drop a cookie of this name that is not secure',
  },
  ...cookieAge('affinity', 'cookie', 'maxAge'),
  ...cookieAge('optIn', 'maxAge'),
  // visitorId.
  {
    at: ['visitorId'],
    rule: "!has(self.from) || (!has(self.cookie) && !has(self.issueOn) && (!has(self.propagate) || !('requestId' in self.propagate)))",
    message: 'cookie, issueOn and propagate: requestId mean nothing with from: no id is issued',
  },
  {
    at: ['visitorId', 'from', 'header'],
    rule: `!(self in ${texts([...WOVEN_HEADERS, 'traceparent', 'host'])})`,
    message: 'has to name a header with a visitor’s own UUID',
  },
  { at: ['visitorId', 'propagate'], rule: 'self.all(way, self.exists_one(other, other == way))', message: 'names one of its ways twice' },
  {
    at: ['visitorId', 'propagate'],
    rule: "!('requestId' in self) || 'cookie' in self",
    message: 'requestId without cookie would draw returning visitors anew',
  },
  ...cookieAge('visitorId', 'cookie', 'maxAge'),
  {
    at: ['visitorId', 'cookie'],
    rule: "!has(self.sameSite) || self.sameSite != 'None' || (has(self.secure) && self.secure == true)",
    message: 'browsers drop a cookie with sameSite None that is not secure',
  },
  {
    at: ['visitorId', 'cookie'],
    rule: `!(${isNamed(SECURE_NAME)}) || !has(self.secure) || self.secure != false`,
    message: 'browsers drop a cookie of this name that is not secure',
  },
  {
    at: ['visitorId', 'cookie'],
    rule: '!has(self.partitioned) || !self.partitioned || !has(self.secure) || self.secure != false',
    message: 'browsers drop a partitioned cookie that is not secure',
  },
  {
    at: ['visitorId', 'cookie'],
    rule: `!(${isNamed(HOST_NAME)}) || (!has(self.domain) && (!has(self.path) || self.path == '/'))`,
    message: 'browsers drop a cookie of this name that has a domain, or a path other than /',
  },
  {
    at: ['visitorId', 'cookie', 'domain'],
    rule: "self.contains('.')",
    message: 'a name without a dot is nobody’s own: browsers drop the cookie',
  },
  // route.adopt.httpRoute.
  withHttpRoute(
    '!has(self.canary.subset) && (!has(self.stable) || !has(self.stable.subset))',
    'a subset is Istio’s: with route.adopt.httpRoute name each version by a Service of its own, with host',
  ),
  withHttpRoute(`!(${DRAWN})`, 'affinity.mode canaryOnly does not go with route.adopt.httpRoute'),
  withHttpRoute(
    `!(${ISSUE_AT}) || !has(self.visitorId.issueAt.virtualService)`,
    'visitorId.issueAt.virtualService does not go with route.adopt.httpRoute: name an HTTPRoute',
  ),
  withHttpRoute(
    `!has(self.visitorId) || !has(self.visitorId.propagate) || (${ISSUE_AT})`,
    'visitorId.propagate does not go with route.adopt.httpRoute without visitorId.issueAt: ids are issued in it',
  ),
  {
    at: [],
    rule: `!(${ISSUE_AT} && has(self.visitorId.issueAt.httpRoute)) || (${HTTP_ROUTE})`,
    message: 'visitorId.issueAt.httpRoute goes with route.adopt.httpRoute only',
  },
  withHttpRoute('!has(self.optIn)', 'optIn does not go with route.adopt.httpRoute'),
  withHttpRoute('self.steps.all(step, !has(step.match))', 'steps with match do not go with route.adopt.httpRoute'),
  // scaling.
  { at: ['scaling'], rule: 'has(self.beforeStep) || has(self.afterSuccess)', message: 'has to have beforeStep or afterSuccess' },
  lasts(['scaling', 'afterSuccess', 'delay'], 1, 30 * DAY, 'has to be over zero and at most 30d'),
  // readiness.
  lasts(['readiness', 'grace'], 1000, DAY, 'has to be from 1s to 1d'),
  lasts(['readiness', 'healthCheck', 'interval'], 100, 60_000, 'has to be from 100ms to 1m'),
  lasts(['readiness', 'healthCheck', 'timeout'], 10, 60_000, 'has to be from 10ms to 1m'),
  {
    at: ['readiness', 'healthCheck'],
    rule: `!has(self.timeout) || ${millisecondsInCel('self.timeout')} <= (has(self.interval) ? ${millisecondsInCel('self.interval')} : 1000)`,
    message: 'timeout is longer than the interval',
  },
];
