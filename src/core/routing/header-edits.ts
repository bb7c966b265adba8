/** A piece of a header value: text, or an Envoy command operator such as `%REQ(x-request-id)%`. */
export type ValuePart =
  | string
  | { readonly operator: 'REQ'; readonly header: string }
  | { readonly operator: 'PROTOCOL' | 'RESPONSE_CODE' };

export interface HeaderEdit {
  readonly name: string;
  readonly value: readonly ValuePart[];
}

/**
 * Header operations of one level, in Envoy's order: all removes, then sets (last wins), then adds; formats are evaluated
 * against the original request headers (envoy source/common/router/header_parser.cc evaluateHeaders).
 * A weighted route has two levels, destination first (istio-semantics 1.10).
 */
export interface HeaderEditLevel {
  readonly remove: readonly string[];
  readonly set: readonly HeaderEdit[];
  readonly add: readonly HeaderEdit[];
}

export type HeaderEdits = readonly HeaderEditLevel[];
