import { clusterName } from '../core/routing/cluster-name.ts';
import type { Downstream } from './downstream.ts';
import type { Outcome } from './outcome.ts';

/** Longer values are cut off: a line is bounded, whatever a client sends. */
const MAXIMUM_VALUE = 4096;
/** What JSON leaves as it is, though terminals obey some of it: DEL and the control characters of latin1. */
const CONTROLS = /[\x7f-\x9f]/;

/**
 * One line of JSON: the names, the order and the kinds of values of Istio's default JSON access log as Envoy prints it (Istio's
 * pilot/pkg/model/telemetry_logging.go, EnvoyJSONLogFormatIstio). No cookies, no Authorization, no other header values than those listed: logs
 * are read by more people than requests are. `at`: when the request ended, ms since the epoch.
 */
export function accessLogLine(outcome: Outcome, at: number, durationMs: number): string {
  const { request, exchange, destination, upstreamMs, failureReason } = outcome;
  const cluster = outcome.cluster === undefined || destination === undefined ? undefined : clusterName(destination);
  return (
    `{"authority":${text(request?.authority)},"bytes_received":${outcome.bytesReceived},"bytes_sent":${outcome.bytesSent}` +
    `,"connection_termination_details":null,"downstream_local_address":${text(exchange.downstream.local)}` +
    `,"downstream_remote_address":${text(exchange.downstream.peer)},"duration":${Math.round(durationMs)}` +
    `,"method":${text(exchange.method)},"path":${text(request?.path ?? exchange.target)},"protocol":"HTTP/${exchange.version}"` +
    `,"request_id":${text(outcome.requestId)},"requested_server_name":${text(exchange.downstream.serverName)},"response_code":${outcome.status}` +
    `,"response_code_details":${text(detailsOf(outcome))},"response_flags":"${outcome.flag}","route_name":${text(outcome.rule)}` +
    `,"start_time":"${new Date(at - durationMs).toISOString()}","upstream_cluster":${text(cluster)}` +
    `,"upstream_host":${text(outcome.upstreamHost)},"upstream_local_address":${text(outcome.upstreamLocalAddress)}` +
    `,"upstream_service_time":${upstreamMs === undefined ? 'null' : `"${Math.round(upstreamMs)}"`}` +
    `,"upstream_transport_failure_reason":${text(failureReason && connectError(failureReason))}` +
    `,"user_agent":${text(request?.userAgent)},"x_forwarded_for":${text(request?.forwardedFor)}}`
  );
}

/** The line of bytes that are not a request. */
export function refusedLine(
  status: number,
  { flag, details }: { readonly flag: string; readonly details: string },
  { peer, local }: Pick<Downstream, 'peer' | 'local'>,
): string {
  return (
    '{"authority":null,"bytes_received":0,"bytes_sent":0,"connection_termination_details":null' +
    `,"downstream_local_address":${text(local)},"downstream_remote_address":${text(peer)},"duration":0,"method":null,"path":null` +
    `,"protocol":null,"request_id":null,"requested_server_name":null,"response_code":${status},"response_code_details":"${details}"` +
    `,"response_flags":"${flag}","route_name":null,"start_time":"${new Date().toISOString()}","upstream_cluster":null,"upstream_host":null` +
    ',"upstream_local_address":null,"upstream_service_time":null,"upstream_transport_failure_reason":null,"user_agent":null,"x_forwarded_for":null}'
  );
}

function text(value: string | undefined): string {
  if (value === undefined) return 'null';
  const json = JSON.stringify(value.length > MAXIMUM_VALUE ? value.slice(0, MAXIMUM_VALUE) : value);
  return CONTROLS.test(json) ? json.replaceAll(/[\x7f-\x9f]/g, escaped) : json;
}

function escaped(control: string): string {
  return `\\u00${control.charCodeAt(0).toString(16)}`;
}

/** Envoy puts the system's error into the details of a connection that could not be opened. */
function detailsOf({ details, failureReason }: Outcome): string | undefined {
  return details === undefined || failureReason === undefined ? details : details.replace('}', `|${connectError(failureReason)}}`);
}

/** The system's words for an error code, as Envoy writes them: `delayed_connect_error:_Connection_refused`. */
function connectError(code: string): string {
  return `delayed_connect_error:_${ERRORS.get(code) ?? code}`;
}

/** strerror(3), with an underscore for each space. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Connection_refused'],
  ['ECONNRESET', 'Connection_reset_by_peer'],
  ['EHOSTUNREACH', 'No_route_to_host'],
  ['ENETUNREACH', 'Network_is_unreachable'],
  ['ETIMEDOUT', 'Connection_timed_out'],
]);
