import type { HeaderOperations, Headers, HTTPRouteDestination } from '../istio/resources.ts';

type Direction = 'request' | 'response';

/** A header that weaving adds. `join`: an addition that the base makes to the same header already is kept before ours, as one list. */
export interface HeaderAddition {
  readonly direction: Direction;
  readonly name: string;
  readonly value: string;
  readonly join: boolean;
}

/** Added to Cache-Control, which Envoy joins into one line with the service's own: shared caches keep no such answer. */
export const PRIVATE: HeaderAddition = { direction: 'response', name: 'Cache-Control', value: 'private', join: true };

/** Name of the header under which an operation's map names `name`, whatever its case; undefined where it does not. */
export function spelledKey(map: Readonly<Record<string, unknown>> | undefined, name: string): string | undefined {
  return Object.keys(map ?? {}).find((key) => key.toLowerCase() === name.toLowerCase());
}

/**
 * The destination with additions to its own header operations: at this level a user's header of the same name at route level survives
 * (istio-semantics 1.10). A YAML map holds one value per key, so an addition to the same header is joined with a comma.
 */
export function withAdditions(target: HTTPRouteDestination, additions: readonly HeaderAddition[]): HTTPRouteDestination {
  if (additions.length === 0) return target;
  if (target.headers !== undefined) return additions.reduce(withAddition, target);
  const headers = added.get(additions) ?? additions.reduce(withAddition, target).headers ?? {};
  added.set(additions, headers);
  return { ...target, headers };
}

/** What additions make of a destination without header operations, which most are. */
const added = new WeakMap<readonly HeaderAddition[], Headers>();

function withAddition(target: HTTPRouteDestination, addition: HeaderAddition): HTTPRouteDestination {
  const { direction, name, value } = addition;
  const operations = target.headers?.[direction];
  const key = spelledKey(operations?.add, name);
  const before = key === undefined ? undefined : operations?.add?.[key];
  const added = before === undefined || !addition.join ? value : `${before},${value}`;
  const headers: Headers = { ...target.headers, [direction]: { ...operations, add: { ...operations?.add, [key ?? name]: added } } };
  return { ...target, headers };
}

/**
 * Takes an addition out again, the inverse of `withAdditions` for one addition. Header blocks that are empty without it go with it:
 * an empty block says nothing to Istio, so one that the base had is not told apart.
 */
export function withoutAddition(target: HTTPRouteDestination, addition: HeaderAddition): HTTPRouteDestination {
  const { direction, name, value } = addition;
  const operations = target.headers?.[direction];
  const key = spelledKey(operations?.add, name);
  if (key === undefined || operations?.add === undefined) return target;
  const { [key]: present = '', ...others } = operations.add;
  if (present !== value && !present.endsWith(`,${value}`)) return target;
  if (present !== value) {
    const before = present.slice(0, -value.length - 1);
    return { ...target, headers: { ...target.headers, [direction]: { ...operations, add: { ...operations.add, [key]: before } } } };
  }
  return withHeaders(target, withOperations(target.headers ?? {}, direction, withAdd(operations, others)));
}

function withAdd(operations: HeaderOperations, add: Readonly<Record<string, string>>): HeaderOperations {
  const { add: _, ...rest } = operations;
  return isEmpty(add) ? rest : { ...operations, add };
}

function withOperations(headers: Headers, direction: Direction, operations: HeaderOperations): Headers {
  const { [direction]: _, ...rest } = headers;
  return isEmpty(operations) ? rest : { ...headers, [direction]: operations };
}

function withHeaders(target: HTTPRouteDestination, headers: Headers): HTTPRouteDestination {
  const { headers: _, ...rest } = target;
  return isEmpty(headers) ? rest : { ...target, headers };
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
