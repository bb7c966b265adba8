import type { RequestEvent, RequestTrace } from '../core/evidence/request-event.ts';
import { clusterName } from '../core/routing/cluster-name.ts';
import { servedRuleNames } from '../core/weave/rule-name.ts';

/** One span until it is encoded: what is kept of a request, and no more of it. */
export interface RequestSpan {
  readonly trace: RequestTrace;
  readonly startMs: number;
  readonly endMs: number;
  readonly method: string;
  readonly path: string;
  readonly scheme: string;
  readonly version: string;
  readonly authority: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
  readonly status: number;
  readonly flag: string;
  readonly rule: string | undefined;
  readonly destination: RequestEvent['destination'];
}

/** Methods that OpenTelemetry's conventions know; others are `_OTHER`, so that clients cannot make up names of spans. */
const METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);
/** Longer values are cut off. */
const MAXIMUM_VALUE = 1024;
const SERVER = 2;
const ERROR = 2;

type Value = { readonly stringValue: string } | { readonly intValue: string };

/**
 * The body of an OTLP/HTTP request with JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids as hex, 64-bit numbers as text.
 * Attributes are named by OpenTelemetry's conventions for HTTP servers; `response_flags`, `upstream_cluster` and `guid:x-request-id` as Envoy names
 * its tags. No query, no cookies, no other headers: traces are read by more people than requests are.
 */
export function encodeSpans(spans: readonly RequestSpan[], serviceName: string, version: string): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', serviceName), text('service.version', version)] },
        scopeSpans: [{ scope: { name: 'perch', version }, spans: spans.map(encodeSpan) }],
      },
    ],
  });
}

function encodeSpan(span: RequestSpan): object {
  const { trace, status } = span;
  const method = METHODS.has(span.method) ? span.method : '_OTHER';
  const failed = status >= 500 || status === 0;
  return {
    traceId: trace.traceId,
    spanId: trace.spanId,
    ...(trace.parentId !== undefined && { parentSpanId: trace.parentId }),
    name: method === '_OTHER' ? 'HTTP' : method,
    kind: SERVER,
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: attributesOf(span, method, failed),
    ...(failed && { status: { code: ERROR } }),
  };
}

function attributesOf(span: RequestSpan, method: string, failed: boolean): readonly object[] {
  const { authority, destination, rule, status, userAgent } = span;
  const port = /:(\d+)$/.exec(authority)?.[1];
  const attributes = [
    text('http.request.method', method),
    text('url.path', span.path.split('?', 1)[0] as string),
    text('url.scheme', span.scheme),
    text('server.address', port === undefined ? authority : authority.slice(0, -port.length - 1)),
    text('network.protocol.version', span.version),
    text('response_flags', span.flag),
    text('guid:x-request-id', span.requestId),
  ];
  if (method === '_OTHER') attributes.push(text('http.request.method_original', span.method));
  if (port !== undefined) attributes.push(number('server.port', Number(port)));
  if (status > 0) attributes.push(number('http.response.status_code', status));
  if (failed) attributes.push(text('error.type', status > 0 ? String(status) : span.flag));
  if (userAgent !== undefined) attributes.push(text('user_agent.original', userAgent));
  if (destination !== undefined) {
    attributes.push(text('upstream_cluster', clusterName(destination)));
  }
  for (const { namespace, release, cohort } of servedRuleNames(rule)) {
    attributes.push(text('perch.release', `${namespace}/${release}`), text('perch.cohort', cohort));
    break;
  }
  return attributes;
}

function text(key: string, value: string): { readonly key: string; readonly value: Value } {
  return { key, value: { stringValue: value.length > MAXIMUM_VALUE ? value.slice(0, MAXIMUM_VALUE) : value } };
}

function number(key: string, value: number): { readonly key: string; readonly value: Value } {
  return { key, value: { intValue: String(value) } };
}

/** Text, since JSON's numbers cannot hold them. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
