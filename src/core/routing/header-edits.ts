/** A piece of a header value: text, or an Envoy command operator such as `%REQ(x-request-id)%`. */
export type ValuePart =
  | string
  /** First line of a request (REQ) or response (RESP) header; of `alternative` where it is absent. Names in lower case. */
  | { readonly operator: 'REQ' | 'RESP'; readonly header: string; readonly alternative?: string }
  | { readonly operator: 'PROTOCOL' | 'RESPONSE_CODE' };

/** `name` is in lower case. */
export interface HeaderEdit {
  readonly name: string;
  readonly value: readonly ValuePart[];
}

/**
 * Header operations of one level, in Envoy's order: all removes, then sets (last wins), then adds; formats are evaluated
 * against the headers as they were before the level (envoy source/common/router/header_parser.cc evaluateHeaders).
 * A weighted route has two levels, destination first (istio-semantics 1.10). Names are in lower case.
 */
export interface HeaderEditLevel {
  readonly remove: readonly string[];
  readonly set: readonly HeaderEdit[];
  readonly add: readonly HeaderEdit[];
}

/** All levels of one message, in the order in which they are applied. */
export type HeaderEdits = readonly HeaderEditLevel[];

/** What the operators of header values see. */
export interface HeaderEditContext {
  readonly message: 'request' | 'response';
  /**
   * First line of a request header by its lower-case name, pseudo headers (`:path`, `:method`, `:authority`, `:scheme`) and `host` included.
   * For edits of a response: of the request as it went upstream, edits and rewrites included, as in Envoy.
   */
  requestHeader(name: string): string | undefined;
  /** Such as `HTTP/1.1`. */
  readonly protocol: string;
  /** Status of the response; 0 in requests, as in Envoy. */
  readonly responseCode: number;
}

/** Headers of which Envoy holds one value: an added one joins it with a comma. Measured with Envoy 1.40, as are the lists that follow. */
const JOINED_ANYWHERE = [
  'cache-control',
  'content-encoding',
  'content-type',
  'via',
  'x-request-id',
  'grpc-status',
  'grpc-message',
  'x-envoy-attempt-count',
];
const JOINED_IN_REQUESTS: ReadonlySet<string> = new Set([
  ...JOINED_ANYWHERE,
  ...['accept', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method', 'authorization', 'grpc-timeout'],
  ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'origin', 'pragma', 'referer', 'user-agent'],
  ...['x-client-trace-id', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
]);
const JOINED_IN_RESPONSES: ReadonlySet<string> = new Set([
  ...JOINED_ANYWHERE,
  ...['access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods', 'access-control-allow-origin'],
  ...['access-control-expose-headers', 'access-control-max-age', 'age', 'etag', 'expires', 'last-modified', 'location', 'proxy-status'],
  ...['vary', 'x-envoy-upstream-service-time'],
]);

/**
 * Applies the edits to `fields` (name, value, name, value, ...; names in any case) and gives back a new list.
 * A value that comes out empty changes nothing: neither `add` nor `set` then touches the header.
 */
export function applyHeaderEdits(fields: readonly string[], edits: HeaderEdits, context: HeaderEditContext): string[] {
  let current = fields.slice();
  for (const [index, level] of edits.entries()) {
    const before = current;
    const evaluate = (edit: HeaderEdit): string => evaluateValue(edit.value, before, context, index);
    const sets = level.set.map(evaluate);
    const adds = level.add.map(evaluate);
    if (level.remove.length > 0) current = without(current, level.remove);
    for (const [at, { name }] of level.set.entries()) {
      const value = sets[at];
      if (value) current = overwrite(current, name, value);
    }
    const joined = context.message === 'request' ? JOINED_IN_REQUESTS : JOINED_IN_RESPONSES;
    for (const [at, { name }] of level.add.entries()) {
      const value = adds[at];
      if (!value) continue;
      const existing = joined.has(name) ? lastIndexOf(current, name) : -1;
      if (existing < 0) current.push(name, value);
      else current[existing + 1] = `${current[existing + 1]},${value}`;
    }
  }
  return current;
}

function evaluateValue(parts: readonly ValuePart[], before: readonly string[], context: HeaderEditContext, level: number): string {
  let value = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      value += part;
      continue;
    }
    switch (part.operator) {
      case 'PROTOCOL':
        value += context.protocol;
        break;
      case 'RESPONSE_CODE':
        value += context.responseCode;
        break;
      case 'REQ':
      case 'RESP': {
        const read = part.operator === 'REQ' ? requestHeader : responseHeader;
        value +=
          read(part.header, before, context, level) ??
          (part.alternative === undefined ? undefined : read(part.alternative, before, context, level)) ??
          '';
      }
    }
  }
  return value;
}

/** The second level of a weighted route sees what the first one did to the request. */
function requestHeader(name: string, before: readonly string[], context: HeaderEditContext, level: number): string | undefined {
  if (context.message === 'request' && level > 0 && !name.startsWith(':') && name !== 'host') return firstOf(before, name);
  return context.requestHeader(name);
}

function responseHeader(name: string, before: readonly string[], context: HeaderEditContext): string | undefined {
  return context.message === 'response' ? firstOf(before, name) : undefined;
}

function isField(fields: readonly string[], index: number, name: string): boolean {
  const field = fields[index];
  return field === name || (field?.length === name.length && field.toLowerCase() === name);
}

function firstOf(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (isField(fields, index, name)) return fields[index + 1];
  return undefined;
}

function lastIndexOf(fields: readonly string[], name: string): number {
  for (let index = fields.length - 2; index >= 0; index -= 2) if (isField(fields, index, name)) return index;
  return -1;
}

function without(fields: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (!names.some((name) => isField(fields, index, name))) kept.push(fields[index] ?? '', fields[index + 1] ?? '');
  }
  return kept;
}

function overwrite(fields: readonly string[], name: string, value: string): string[] {
  const kept = without(fields, [name]);
  kept.push(name, value);
  return kept;
}
