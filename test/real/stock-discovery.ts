import { connect } from 'node:http2';
import { type GrpcServer, startGrpc } from './grpc-server.ts';
import { framed, messagesOf, valuesOf, withField } from './protobuf.ts';

/** A filter that only Istio's own build of Envoy has. It tells other filters, such as those for metrics, who the peer is. */
const OWN_FILTER = /^waypoint_(?:up|down)stream_peer_metadata$/;
/** HBONE: where tunnels come in, which takes an object of that build, and where they go out, which takes certificates. */
const TUNNELS: readonly string[] = ['connect_terminate', 'connect_originate'];

/**
 * Stands between Envoys and an istiod with ambient mode (envoy.service.discovery.v3.AggregatedDiscoveryService), and takes out what stock Envoy does not have: a
 * filter of each listener of a waypoint, and the tunnels. Nothing else is changed, in neither direction: which routes there are, and where they lead, is what istiod
 * says.
 */
export async function startStockDiscovery(grpcPort: number): Promise<GrpcServer> {
  return await startGrpc((stream, headers) => {
    const session = connect(`http://127.0.0.1:${grpcPort}`);
    session.on('error', () => stream.destroy());
    const { ':path': path = '', 'content-type': type = '' } = headers;
    const upstream = session.request({ ':method': 'POST', ':path': path, 'content-type': type, te: 'trailers' });
    upstream.on('error', () => stream.destroy());
    upstream.on('close', () => stream.destroy());
    upstream.on('response', () => stream.respond({ ':status': 200, 'content-type': 'application/grpc' }));
    upstream.on(
      'data',
      messagesOf((response) => stream.write(framed(withField(response, 2, stocked)))),
    );
    stream.on('data', (chunk) => upstream.write(chunk));
    stream.on('close', () => session.destroy());
  });
}

/** An Any: undefined for a tunnel; a Listener without the filter. Its filter chains are 3, and that by default 25; their filters 3, with the configuration in 4. */
function stocked(resource: Buffer): Buffer | undefined {
  const isNamed = (config: Buffer) => valuesOf(config, 1).some((name) => TUNNELS.includes(String(name)));
  if (isOfType(resource, /\.(?:Listener|Cluster)$/) && valuesOf(resource, 2).some(isNamed)) return undefined;
  if (!isOfType(resource, /\.Listener$/)) return resource;
  const inChain = (chain: Buffer): Buffer => withField(chain, 3, (filter) => withField(filter, 4, inManager));
  return withField(resource, 2, (listener) => withField(withField(listener, 3, inChain), 25, inChain));
}

/** An Any: of an HttpConnectionManager, whose filters are 5, without the filter. */
function inManager(config: Buffer): Buffer {
  if (!isOfType(config, /\.HttpConnectionManager$/)) return config;
  const isOwn = (filter: Buffer) => valuesOf(filter, 1).some((name) => OWN_FILTER.test(String(name)));
  return withField(config, 2, (manager) => withField(manager, 5, (filter) => (isOwn(filter) ? undefined : filter)));
}

function isOfType(message: Buffer, type: RegExp): boolean {
  return valuesOf(message, 1).some((name) => type.test(String(name)));
}
