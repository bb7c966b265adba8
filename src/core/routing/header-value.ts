import { byteText } from './byte-text.ts';
import type { ValuePart } from './header-edits.ts';

/**
 * A header value taken apart, or why it cannot be: `syntax` where istiod's validation refuses it, `unknown` an operator that Envoy
 * does not have (it would refuse the whole route configuration), `unsupported` one that only Envoy evaluates.
 */
export type HeaderValue =
  | { readonly ok: true; readonly parts: readonly ValuePart[] }
  | { readonly ok: false; readonly problem: 'syntax' | 'unknown' | 'unsupported'; readonly message: string; readonly operator?: string };

/** Families of operators that Envoy has besides (envoy docs, access log format). */
const ENVOY_OPERATORS =
  /^(?:ACCESS_LOG_TYPE|BYTES_\w+|CEL|CLUSTER_METADATA|CONNECTION_\w+|COMMON_DURATION|CUSTOM_FLAGS|DOWNSTREAM_\w+|DURATION|DYNAMIC_METADATA|EMIT_TIME|ENVIRONMENT|FILTER_CHAIN_NAME|FILTER_STATE|GRPC_STATUS(?:_NUMBER)?|HOSTNAME|LISTENER_METADATA|LOCAL_REPLY_BODY|METADATA|PACKETS_RETRANSMITTED|PATH|PER_REQUEST_STATE|QUERY_PARAMS?|REQUEST_(?:DURATION|HEADERS_BYTES|TX_DURATION)|REQUESTED_SERVER_NAME|REQ_WITHOUT_QUERY|RESPONSE_(?:CODE_DETAILS|DURATION|FLAGS|FLAGS_LONG|HEADERS_BYTES|TRAILERS_BYTES|TX_DURATION)|RESP_WITHOUT_QUERY|ROUNDTRIP_DURATION|ROUTE_NAME|START_TIME(?:_LOCAL)?|STREAM_ID|TLS_JA3_FINGERPRINT|TRACE_ID|TRAILER|UNIQUE_ID|UPSTREAM_\w+|VIRTUAL_(?:CLUSTER|HOST)_NAME|XFCC\w*)$/;

const OPERATOR = /^%([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?(:[^%]*)?%/;
const HEADER_NAME = /^:?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Takes apart a value of `headers.request|response.set|add`: text, `%%` for a percent sign, and Envoy's command operators
 * (istio pkg/config/validation/header_value_validator.go; operators as Envoy evaluates them).
 */
export function parseHeaderValue(value: string): HeaderValue {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\x00-\x1f\x7f]/.test(value)) return { ok: false, problem: 'syntax', message: 'it contains a control character' };
  const parts: ValuePart[] = [];
  let text = '';
  let rest = value;
  while (rest !== '') {
    const percent = rest.indexOf('%');
    text += percent < 0 ? rest : rest.slice(0, percent);
    if (percent < 0) break;
    rest = rest.slice(percent);
    if (rest.startsWith('%%')) {
      text += '%';
      rest = rest.slice(2);
      continue;
    }
    const found = OPERATOR.exec(rest);
    if (found === null)
      return {
        ok: false,
        problem: 'syntax',
        message: 'a percent sign begins an operator such as %REQ(name)%; a literal one is written %%',
      };
    const part = operatorPart(found[1] ?? '', found[2], found[3]);
    if ('problem' in part) return part;
    if (text !== '') parts.push(byteText(text));
    text = '';
    parts.push(part);
    rest = rest.slice(found[0].length);
  }
  if (text !== '') parts.push(byteText(text));
  return { ok: true, parts };
}

function operatorPart(
  name: string,
  argument: string | undefined,
  length: string | undefined,
): Exclude<ValuePart, string> | Extract<HeaderValue, { ok: false }> {
  switch (name) {
    case 'REQ':
    case 'RESP':
      return headerPart(name, argument, length);
    case 'PROTOCOL':
    case 'RESPONSE_CODE':
      if (argument !== undefined || length !== undefined) return { ok: false, problem: 'syntax', message: `%${name}% takes no argument` };
      return { operator: name };
    default: {
      const problem = ENVOY_OPERATORS.test(name) ? 'unsupported' : 'unknown';
      return {
        ok: false,
        problem,
        message: problem === 'unknown' ? `Envoy has no operator %${name}%` : `the operator %${name}%`,
        operator: name,
      };
    }
  }
}

function headerPart(
  operator: 'REQ' | 'RESP',
  argument: string | undefined,
  length: string | undefined,
): Exclude<ValuePart, string> | Extract<HeaderValue, { ok: false }> {
  if (length !== undefined)
    return { ok: false, problem: 'syntax', message: `istiod refuses a length such as %${operator}(name)${length}%` };
  const [header = '', alternative, ...others] = (argument ?? '').split('?');
  const names = alternative === undefined ? [header] : [header, alternative];
  if (others.length > 0 || !names.every((name) => HEADER_NAME.test(name))) {
    return {
      ok: false,
      problem: 'syntax',
      message: `%${operator}(name)% or %${operator}(name?other)% names one header, and one to take if it is absent`,
    };
  }
  return { operator, header: header.toLowerCase(), ...(alternative === undefined ? {} : { alternative: alternative.toLowerCase() }) };
}
