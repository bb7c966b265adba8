import type { BackendRef, HeaderModifier, HeaderValue, HttpRouteFilter } from '../gateway-api/http-route.ts';
import type { HeaderAddition } from '../weave/header-additions.ts';

/** The filters that change headers, and where each says how. */
const MODIFIERS = {
  request: { type: 'RequestHeaderModifier', field: 'requestHeaderModifier' },
  response: { type: 'ResponseHeaderModifier', field: 'responseHeaderModifier' },
} as const;

/**
 * The backend with headers added to its requests and answers. At the backend, so that a filter of the rule that adds the same header survives: Envoy applies both
 * (istio pilot/pkg/config/kube/gateway buildHTTPDestination). What the backend's own filter adds to a header that is joined stays before ours.
 */
export function withHeaders(ref: BackendRef, additions: readonly HeaderAddition[]): BackendRef {
  return additions.reduce(withHeader, ref);
}

function withHeader(ref: BackendRef, addition: HeaderAddition): BackendRef {
  const { type, field } = MODIFIERS[addition.direction];
  const { filters = [] } = ref;
  const modifier = filters.find((filter) => filter.type === type);
  const add = added(modifier?.[field]?.add ?? [], addition);
  const changed: HttpRouteFilter = { ...modifier, type, [field]: { ...modifier?.[field], add } };
  return { ...ref, filters: modifier === undefined ? [...filters, changed] : filters.map((each) => (each === modifier ? changed : each)) };
}

function added(headers: readonly HeaderValue[], { name, value }: HeaderAddition): readonly HeaderValue[] {
  const same = headers.find((header) => isNamed(header, name));
  if (same === undefined) return [...headers, { name, value }];
  return headers.map((header) => (header === same ? { ...header, value: `${header.value},${value}` } : header));
}

/** The backend without one of them. A filter that adds nothing else goes with it. */
export function withoutHeader(ref: BackendRef, { direction, name, value }: HeaderAddition): BackendRef {
  const { type, field } = MODIFIERS[direction];
  const { filters = [], ...rest } = ref;
  const next = filters.flatMap((filter): HttpRouteFilter[] => {
    const { add = [], ...others }: HeaderModifier = filter[field] ?? {};
    if (filter.type !== type || !add.some((header) => isNamed(header, name))) return [filter];
    const kept = add.flatMap((header) => (isNamed(header, name) ? without(header, value) : [header]));
    if (kept.length === 0 && Object.keys(others).length === 0) return [];
    return [{ ...filter, [field]: kept.length === 0 ? others : { ...others, add: kept } }];
  });
  return next.length === 0 ? rest : { ...rest, filters: next };
}

function without(header: HeaderValue, value: string): readonly HeaderValue[] {
  if (header.value === value) return [];
  return [header.value.endsWith(`,${value}`) ? { ...header, value: header.value.slice(0, -value.length - 1) } : header];
}

/** How many headers the backend's own filter adds to requests, or to answers. */
export function headersAdded({ filters = [] }: BackendRef, direction: HeaderAddition['direction']): number {
  const { type, field } = MODIFIERS[direction];
  return filters.flatMap((filter) => (filter.type === type ? (filter[field]?.add ?? []) : [])).length;
}

/** Whether the backend's own filter adds or sets this header of answers. */
export function writesAnswerHeader({ filters = [] }: BackendRef, name: string): boolean {
  return filters.some(({ responseHeaderModifier: { add = [], set = [] } = {} }) =>
    [...add, ...set].some((header) => isNamed(header, name)),
  );
}

function isNamed(header: HeaderValue, name: string): boolean {
  return header.name.toLowerCase() === name.toLowerCase();
}
