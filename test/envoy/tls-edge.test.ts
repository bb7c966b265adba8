import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { gatewayYaml, httpsScenes, serverYaml } from '../gateway/https-scene.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { startEnvoy } from './envoy-process.ts';

const scenes = httpsScenes();

const ROUTES = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec: {hosts: ['*'], gateways: [edge], http: [{directResponse: {status: 200, body: {string: ok}}}]}
`;
const NAMES = { exact: ['a.test'], wild: ['*.b.test'] } as const;

/** The filter chain that istiod makes of such a server (gateway.go buildGatewayListenerTLSContext; names as SNI, one route configuration for each). */
function filterChain(hosts: readonly string[], folder: string): object {
  const certificate = { certificate_chain: { filename: join(folder, 'tls.crt') }, private_key: { filename: join(folder, 'tls.key') } };
  const routes = [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'ok' } } }];
  return {
    filter_chain_match: { server_names: hosts },
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
        common_tls_context: { alpn_protocols: ['h2', 'http/1.1'], tls_certificates: [certificate] },
      },
    },
    filters: [
      {
        name: 'http',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
          stat_prefix: 'edge',
          use_remote_address: true,
          normalize_path: true,
          route_config: { virtual_hosts: [{ name: 'all', domains: hosts, routes }] },
          http_filters: [
            { name: 'router', typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' } },
          ],
        },
      },
    ],
  };
}

function listener(folder: string): object {
  return {
    name: 'edge',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    listener_filters: [
      {
        name: 'tls',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
      },
    ],
    filter_chains: Object.entries(NAMES).map(([name, hosts]) => filterChain(hosts, join(folder, name))),
  };
}

function shake(port: number, options: ConnectionOptions): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}

/** Which certificate and protocol a client gets that asks for `servername`. */
async function shown(port: number, options: ConnectionOptions): Promise<string> {
  const socket = await shake(port, options);
  if (socket === undefined) return 'refused';
  const told = `${socket.getPeerCertificate().subjectaltname} ${socket.getProtocol()} ${socket.alpnProtocol || '-'}`;
  socket.destroy();
  return told;
}

async function status1(port: number, servername: string, target: string, host: string): Promise<string> {
  const socket = await shake(port, { servername });
  if (socket === undefined) return 'refused';
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.write(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  await once(socket, 'close');
  return text.slice(0, 12);
}

async function status2(port: number, servername: string, authority: string): Promise<string> {
  const client = connectHttp2(`https://127.0.0.1:${port}`, { servername, rejectUnauthorized: false });
  client.on('error', () => undefined);
  const stream = client.request({ ':authority': authority });
  const [headers] = (await once(stream, 'response')) as [{ readonly ':status'?: number }];
  client.destroy();
  return `HTTP/2 ${headers[':status']}`;
}

/** What clients see at an edge, a line each. */
async function seenAt(port: number): Promise<readonly string[]> {
  return [
    await shown(port, { servername: 'a.test', ALPNProtocols: ['h2', 'http/1.1'] }),
    await shown(port, { servername: 'a.test', ALPNProtocols: ['http/1.1', 'h2'] }),
    await shown(port, { servername: 'a.test', ALPNProtocols: ['http/1.1'] }),
    await shown(port, { servername: 'x.b.test' }),
    await shown(port, { servername: 'y.x.b.test' }),
    await shown(port, { servername: 'A.TEST', maxVersion: 'TLSv1.2' }),
    await shown(port, { servername: 'b.test' }),
    await shown(port, { servername: 'other.test' }),
    await shown(port, { servername: '' }),
    await shown(port, { servername: 'a.test', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    await shown(port, { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' }),
    await status1(port, 'a.test', '/', 'a.test'),
    await status1(port, 'a.test', '/', 'x.b.test'),
    await status1(port, 'x.b.test', '/', 'a.test'),
    await status1(port, 'a.test', 'https://a.test/', 'a.test'),
    await status1(port, 'a.test', 'https://x.b.test/', 'a.test'),
    await status2(port, 'a.test', 'a.test'),
    await status2(port, 'a.test', 'x.b.test'),
  ];
}

describeWithEnvoy('an edge with TLS is as that of a real Envoy', (executable) => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  test('names, versions, ALPN, and which hosts are served to whom', async () => {
    const servers = Object.entries(NAMES).map(([name, hosts]) => serverYaml(name, 443, JSON.stringify(hosts)));
    const scene = await scenes.start(NAMES, [gatewayYaml(...servers), ROUTES]);
    const envoy = await startEnvoy(executable, { listeners: [listener(scene.folder)], clusters: [] });
    cleanups.push(() => envoy.stop());
    const expected = await seenAt(envoy.port('edge'));
    expect(await seenAt(scene.port(443))).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(8);
  });
});
