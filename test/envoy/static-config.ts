/** Envoy's `static_resources` (envoy.config.bootstrap.v3.Bootstrap.StaticResources), as JSON. */
export interface StaticResources {
  readonly listeners: readonly object[];
  readonly clusters: readonly object[];
}

/** One entry of a virtual host's `routes` (envoy.config.route.v3.Route). */
export interface EnvoyRoute {
  readonly name?: string;
  readonly match: object;
  readonly route?: object;
  readonly redirect?: object;
  readonly direct_response?: { readonly status: number; readonly body?: { readonly inline_string: string } };
  readonly request_headers_to_add?: readonly object[];
  readonly response_headers_to_add?: readonly object[];
}

/** Routes for some domains (envoy.config.route.v3.VirtualHost). */
export interface EnvoyVirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly EnvoyRoute[];
}

/** What kind of proxy a listener plays, and what its answers tell the test. */
interface ListenerOptions {
  /** How request ids are treated: an edge draws its own; `preserve` keeps a client's, so that a test can choose it. */
  readonly requestId?: 'edge' | 'preserve';
  /** Names the route that matched in the response header `x-route`. */
  readonly showRoute?: boolean;
  /** A file for lines in Istio's default JSON format (`ISTIO_JSON_FORMAT`). */
  readonly accessLog?: string;
  /** Deadline of a head, and of a stream that nothing moves on; Envoy's own where absent. */
  readonly stallMs?: number;
  /** A sidecar, as istiod sets one up for what its workload sends: it is no edge, and writes no addresses. */
  readonly sidecar?: boolean;
}

/** EnvoyJSONLogFormatIstio in Istio's pilot/pkg/model/telemetry_logging.go. */
const ISTIO_JSON_FORMAT = {
  start_time: '%START_TIME%',
  route_name: '%ROUTE_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
};

function fileLog(path: string): object {
  const type = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog';
  return { name: 'envoy.access_loggers.file', typed_config: { '@type': type, path, log_format: { json_format: ISTIO_JSON_FORMAT } } };
}

/** An HTTP listener on a free loopback port, with one virtual host for all hosts and these routes, tried in order. */
export function httpListener(name: string, routes: readonly EnvoyRoute[], options: ListenerOptions = {}): object {
  return hostsListener(name, [{ name: 'all', domains: ['*'], routes }], options);
}

/** An HTTP listener on a free loopback port with these virtual hosts; ports in Host are ignored, as Istio does. */
export function hostsListener(name: string, virtualHosts: readonly EnvoyVirtualHost[], options: ListenerOptions = {}): object {
  const shown = options.showRoute === true ? [{ header: { key: 'x-route', value: '%ROUTE_NAME%' } }] : [];
  const stall = options.stallMs === undefined ? undefined : `${options.stallMs / 1000}s`;
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: name,
    use_remote_address: options.sidecar !== true,
    skip_xff_append: options.sidecar === true,
    normalize_path: true,
    generate_request_id: true,
    preserve_external_request_id: options.requestId === 'preserve',
    ...(stall !== undefined && { stream_idle_timeout: stall, request_headers_timeout: stall }),
    ...(options.accessLog !== undefined && { access_log: [fileLog(options.accessLog)] }),
    route_config: { name, response_headers_to_add: shown, ignore_port_in_host_matching: true, virtual_hosts: virtualHosts },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] }],
  };
}

/** The virtual host with its weighted destinations drawn by a number in a header of the request instead of by chance. */
export function drawnByHeader(host: EnvoyVirtualHost, header: string): EnvoyVirtualHost {
  const routes = host.routes.map((each) => {
    const { weighted_clusters, ...route } = (each.route ?? {}) as { readonly weighted_clusters?: object };
    return weighted_clusters === undefined
      ? each
      : { ...each, route: { ...route, weighted_clusters: { ...weighted_clusters, header_name: header } } };
  });
  return { ...host, routes };
}

/** A cluster of loopback endpoints. */
export function staticCluster(name: string, ...ports: readonly number[]): object {
  const endpoints = ports.map((port) => ({ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }));
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] },
  };
}

/** A header matcher of a route: the whole value must match the RE2 regex. */
export function headerRegex(name: string, regex: string): object {
  return { name, string_match: { safe_regex: { regex } } };
}
