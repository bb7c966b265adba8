import type { IncomingHttpHeaders } from 'node:http';

/**
 * Request headers that Bookinfo's services pass on to the services they call (samples/bookinfo, all languages alike), plus
 * `baggage`, which they do not and OpenTelemetry does: a stated difference of the demo.
 */
export const FORWARDED_HEADERS: readonly string[] = [
  'x-request-id',
  'x-ot-span-context',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-sampling-priority',
  'traceparent',
  'tracestate',
  'x-cloud-trace-context',
  'grpc-trace-bin',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'sw8',
  'end-user',
  'user-agent',
  'cookie',
  'authorization',
  'jwt',
  'baggage',
];

/** The headers of `incoming` whose lower-case names are in `forward`: nothing else reaches the next service. */
export function pickForwarded(incoming: IncomingHttpHeaders, forward: readonly string[]): Record<string, string | string[]> {
  const picked: Record<string, string | string[]> = {};
  for (const name of forward) {
    const value = incoming[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
