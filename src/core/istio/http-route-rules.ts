import { isAuthorityName } from '../routing/header-levels.ts';
import { parseHeaderValue } from '../routing/header-value.ts';
import { rewriteProblem } from '../routing/rewrite-path.ts';
import { regexProblem } from '../routing/string-matcher.ts';
import type { Finding } from '../source/finding.ts';
import { type FieldPath, formatPath } from '../source/locate.ts';
import type { HeaderOperations, Headers, HTTPMatchRequest, HTTPRoute } from './resources.ts';

/** What a rule can do with a request; it does exactly one of them. */
export const ROUTE_ACTIONS = ['route', 'redirect', 'directResponse', 'delegate'] as const;
/** One of `ROUTE_ACTIONS`: the field of the rule that says it. */
export type RouteAction = (typeof ROUTE_ACTIONS)[number];

const MAX_REGEX = 1024;
const MAX_BODY = 1024 * 1024;
const HEADER_NAME = /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PSEUDO_HEADERS = new Set([':method', ':scheme', ':authority', ':path', ':status']);
const SUBSET_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * Rules over several fields of one HTTP route (istio pkg/config/validation/virtualservice.go and validation.go), and what Envoy would refuse
 * although istiod takes it.
 */
export function httpRouteFindings(
  route: HTTPRoute,
  actions: readonly RouteAction[],
  path: FieldPath,
  isDelegate: boolean,
): readonly Finding[] {
  return [
    ...actionFindings(route, actions, path, isDelegate),
    ...(route.match ?? []).flatMap((match, index) => matchFindings(match, [...path, 'match', index])),
    ...destinationFindings(route, path),
    ...headersFindings(route.headers, [...path, 'headers']),
    ...authorityFindings(route, path),
    ...rewriteFindings(route, path),
    ...bodyFindings(route, path),
    ...redirectFindings(route, path),
  ];
}

function invalid(path: FieldPath, message: string, hint: string): Finding {
  return { code: 'PERCH1104', path, message: `${formatPath(path)}: ${message}`, hint };
}

function actionFindings(route: HTTPRoute, actions: readonly RouteAction[], path: FieldPath, isDelegate: boolean): readonly Finding[] {
  if (actions.length === 0)
    return [invalid(path, 'it does nothing with the requests it takes', 'add route, redirect, directResponse or delegate')];
  if (actions.length > 1) return [invalid(path, `it has ${actions.join(' and ')} together`, 'keep one of them')];
  if (actions[0] === 'delegate' && isDelegate)
    return [invalid([...path, 'delegate'], 'a delegate cannot delegate further', 'name the last VirtualService in the root')];
  if (actions[0] !== 'route' && actions[0] !== 'delegate' && route.rewrite !== undefined) {
    return [invalid([...path, 'rewrite'], `a rewrite has no effect beside ${actions[0]}`, 'remove it')];
  }
  return [];
}

function matchFindings(match: HTTPMatchRequest, path: FieldPath): readonly Finding[] {
  const findings: Finding[] = [];
  for (const field of ['uri', 'method', 'authority', 'scheme'] as const) {
    const value = match[field];
    if (value !== undefined) findings.push(...stringFindings(value, [...path, field], field !== 'uri'));
  }
  for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const) {
    for (const [name, value] of Object.entries(match[field] ?? {})) {
      const at = [...path, field, name];
      if (field !== 'queryParams') findings.push(...headerNameFindings(name, at));
      // To Istio this one means presence, where absence is asked for.
      if (field === 'withoutHeaders' && 'regex' in value && value.regex === '*') continue;
      findings.push(...stringFindings(value, at, true));
    }
  }
  return findings;
}

function headerNameFindings(name: string, path: FieldPath): readonly Finding[] {
  if (name.startsWith('@request.auth.')) {
    return [
      {
        code: 'PERCH1301',
        path,
        at: 'key',
        message: `${formatPath(path)}: routing by JWT claims is not supported yet by the embedded gateway`,
        hint: 'match on a header that carries the claim',
      },
    ];
  }
  if (HEADER_NAME.test(name) && (!name.startsWith(':') || PSEUDO_HEADERS.has(name.toLowerCase()))) return [];
  return [{ ...invalid(path, 'this is no header name', 'use letters, digits and hyphens'), at: 'key' }];
}

/** An empty prefix says something of a path only: there it is every path. */
function stringFindings(match: object, path: FieldPath, refuseEmptyPrefix: boolean): readonly Finding[] {
  if ('prefix' in match && match.prefix === '' && refuseEmptyPrefix) {
    return [invalid(path, 'an empty prefix matches every value', 'write {} for presence, or a longer prefix')];
  }
  if (!('regex' in match) || typeof match.regex !== 'string') return [];
  return regexFindings(match.regex, [...path, 'regex']);
}

function regexFindings(regex: string, path: FieldPath): readonly Finding[] {
  if (regex === '') return [invalid(path, 'an empty regex matches empty values only', "write {} for presence, or exact: ''")];
  if (regex.length > MAX_REGEX)
    return [invalid(path, `a regex has at most ${MAX_REGEX} characters, this one has ${regex.length}`, 'shorten it')];
  const problem = regexProblem(regex);
  if (problem === undefined) return [];
  return [invalid(path, `RE2 does not take this regex: ${problem}`, 'correct it; RE2 has no look-around and no back-references')];
}

function destinationFindings(route: HTTPRoute, path: FieldPath): readonly Finding[] {
  const destinations = route.route ?? [];
  const findings = destinations.flatMap(({ destination, headers }, index) => {
    const at = [...path, 'route', index];
    const found = [...headersFindings(headers, [...at, 'headers'])];
    if (destination.host.startsWith('*'))
      found.push(invalid([...at, 'destination', 'host'], 'a destination is one host, not a wildcard', 'name the service'));
    if (destination.subset !== undefined && !SUBSET_NAME.test(destination.subset)) {
      found.push(invalid([...at, 'destination', 'subset'], 'a subset name is lower-case letters, digits and hyphens', 'correct the name'));
    }
    return found;
  });
  if (destinations.length > 1 && destinations.every(({ weight }) => (weight ?? 0) === 0)) {
    findings.push(invalid([...path, 'route'], 'the weights of several destinations are all 0', 'give at least one a weight'));
  }
  return findings;
}

function headersFindings(headers: Headers | undefined, path: FieldPath): readonly Finding[] {
  return (['request', 'response'] as const).flatMap((side) => {
    const operations = headers?.[side];
    return operations === undefined ? [] : operationFindings(operations, [...path, side], side === 'request');
  });
}

function operationFindings(operations: HeaderOperations, path: FieldPath, isRequest: boolean): readonly Finding[] {
  const findings: Finding[] = [];
  for (const operation of ['set', 'add'] as const) {
    for (const [name, value] of Object.entries(operations[operation] ?? {})) {
      const at = [...path, operation, name];
      findings.push(...operationNameFindings(name, at, isRequest), ...valueFindings(value, at));
    }
  }
  for (const [index, name] of (operations.remove ?? []).entries()) {
    findings.push(...operationNameFindings(name, [...path, 'remove', index], false));
  }
  return findings;
}

function operationNameFindings(name: string, path: FieldPath, mayBeHost: boolean): readonly Finding[] {
  const lower = name.toLowerCase();
  if (lower === ':authority' || lower === 'host') {
    return mayBeHost ? [] : [invalid(path, 'the Host header cannot be changed here', 'use rewrite.authority')];
  }
  if (lower.startsWith(':')) return [invalid(path, 'pseudo headers cannot be changed', 'use rewrite')];
  return HEADER_NAME.test(name) ? [] : [invalid(path, 'this is no header name', 'use letters, digits and hyphens')];
}

function valueFindings(value: string, path: FieldPath): readonly Finding[] {
  const parsed = parseHeaderValue(value);
  if (parsed.ok) return [];
  if (parsed.problem === 'unsupported') {
    return [
      {
        code: 'PERCH1301',
        path,
        message: `${formatPath(path)}: ${parsed.message} is not supported yet by the embedded gateway`,
        hint: 'use %REQ(name)%, %RESP(name)%, %PROTOCOL% or %RESPONSE_CODE%',
      },
    ];
  }
  const hint = parsed.problem === 'unknown' ? 'correct the name; Envoy would refuse the whole route configuration' : 'correct the value';
  return [invalid(path, parsed.message, hint)];
}

/** The Host of a rule is written in one place. */
function authorityFindings({ rewrite, headers }: HTTPRoute, path: FieldPath): readonly Finding[] {
  const places: FieldPath[] = rewrite?.authority === undefined ? [] : [[...path, 'rewrite', 'authority']];
  for (const operation of ['set', 'add'] as const) {
    for (const name of Object.keys(headers?.request?.[operation] ?? {})) {
      if (isAuthorityName(name)) places.push([...path, 'headers', 'request', operation, name]);
    }
  }
  const [first, ...others] = places;
  if (first === undefined) return [];
  return others.map((place) => invalid(place, `the Host is written already, by ${formatPath(first)}`, 'keep one of the two'));
}

function bodyFindings({ directResponse }: HTTPRoute, path: FieldPath): readonly Finding[] {
  const body = directResponse?.body;
  if ((body?.string ?? body?.bytes ?? '').length < MAX_BODY) return [];
  return [invalid([...path, 'directResponse', 'body'], 'a body is smaller than 1 MB', 'serve it from a service')];
}

function rewriteFindings(route: HTTPRoute, path: FieldPath): readonly Finding[] {
  const { rewrite } = route;
  if (rewrite === undefined) return [];
  const at = [...path, 'rewrite'];
  const { uri, uriRegexRewrite, authority } = rewrite;
  if (uri !== undefined && uriRegexRewrite !== undefined)
    return [invalid(at, 'it has uri and uriRegexRewrite together', 'keep one of them')];
  if (uri === undefined && uriRegexRewrite === undefined && authority === undefined)
    return [invalid(at, 'it rewrites nothing', 'add uri, uriRegexRewrite or authority')];
  if (uriRegexRewrite === undefined) return [];
  const findings = regexFindings(uriRegexRewrite.match, [...at, 'uriRegexRewrite', 'match']);
  if (findings.length > 0) return findings;
  const problem = rewriteProblem(uriRegexRewrite.match, uriRegexRewrite.rewrite);
  return problem === undefined ? [] : [invalid([...at, 'uriRegexRewrite', 'rewrite'], problem, 'correct it; \\0 is the whole match')];
}

function redirectFindings(route: HTTPRoute, path: FieldPath): readonly Finding[] {
  const { redirect } = route;
  if (redirect === undefined) return [];
  const at = [...path, 'redirect'];
  const findings: Finding[] = [];
  if (redirect.uri !== undefined && redirect.prefixRewrite !== undefined)
    findings.push(invalid(at, 'it has uri and prefixRewrite together', 'keep one of them'));
  if (redirect.port !== undefined && redirect.derivePort !== undefined)
    findings.push(invalid(at, 'it has port and derivePort together', 'keep one of them'));
  if (redirect.prefixRewrite !== undefined && !(route.match ?? []).every((match) => match.uri !== undefined && 'prefix' in match.uri)) {
    findings.push(invalid([...at, 'prefixRewrite'], 'it needs a uri prefix in every match', 'match by prefix, or use uri'));
  }
  const { uri, authority, scheme, port, derivePort, prefixRewrite } = redirect;
  if ([uri, authority, scheme, port, derivePort, prefixRewrite].every((value) => value === undefined)) {
    findings.push(invalid(at, 'it leads nowhere', 'add uri, authority, scheme or port'));
  }
  return findings;
}
