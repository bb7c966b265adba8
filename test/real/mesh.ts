import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { startStockDiscovery } from './stock-discovery.ts';

/** A program that runs until it is stopped. */
export interface RunningProgram {
  stop(): Promise<void>;
}

/** An istiod at an apiserver, which Envoys may ask without TLS. */
export interface Istiod extends RunningProgram {
  /** Of its discovery service. */
  readonly grpcPort: number;
  /** Where it answers about its Envoys. */
  readonly debugUrl: string;
}

/** What of an istiod is not as usual. */
export interface IstiodOptions {
  /** Where it answers about its Envoys; on this machine's loopback it asks nobody who they are. */
  readonly debugAddress?: string;
  /** Whether it reads the kinds of Gateway API. */
  readonly gatewayApi?: boolean;
  /** Whether it tells waypoints what they are to route. Envoys are told without what stock Envoy does not have. */
  readonly ambient?: boolean;
}

/** An Envoy that has its configuration from an istiod. */
export interface MeshEnvoy extends RunningProgram {
  readonly pid: number;
  /** The body of a GET at the admin listener. */
  admin(path: string): Promise<string>;
  /** It stays connected and does nothing, until it is thawed. */
  freeze(): void;
  thaw(): void;
}

const READY_MS = 90_000;

/** What of a mesh is left out: certificates, telemetry and what Envoys of Istio's own build have in addition. */
const ISTIOD_ENVIRONMENT = {
  POD_NAMESPACE: 'istio-system',
  ENABLE_CA_SERVER: 'false',
  PILOT_CERT_PROVIDER: 'none',
  PILOT_ENABLE_METADATA_EXCHANGE: 'false',
  PILOT_ENABLE_ALPN_FILTER: 'false',
  PILOT_ENABLE_TELEMETRY_LABEL: 'false',
  PILOT_ENABLE_IP_AUTOALLOCATE: 'false',
  INJECT_ENABLED: 'false',
  VALIDATION_WEBHOOK_CONFIG_NAME: '',
  INJECTION_WEBHOOK_CONFIG_NAME: '',
  ENABLE_LEADER_ELECTION: 'false',
};

interface Started extends RunningProgram {
  readonly pid: number;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  /** The end of what it said. */
  output(): string;
  isRunning(): boolean;
}

function start(executable: string, args: readonly string[], environment: NodeJS.ProcessEnv, folder: string): Started {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const ended = new Promise((resolve) => child.once('close', resolve));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function whenReady(what: string, program: Started, isReady: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!(await isReady().catch(() => false))) {
    if (!program.isRunning() || performance.now() > deadline) {
      const output = program.output();
      await program.stop();
      throw new Error(`${what} ${program.isRunning() ? 'is not ready' : 'ended while starting'}:\n${output}`);
    }
    await sleep(100);
  }
}

/** Starts an istiod that reads from this apiserver; the kinds of Gateway API only if told to. */
export async function startIstiod(executable: string, kubeconfig: string, options: IstiodOptions = {}): Promise<Istiod> {
  const { debugAddress = '127.0.0.1', gatewayApi = false, ambient = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'perch-istiod-'));
  const meshConfig = join(folder, 'mesh.yaml');
  const [grpcPort, httpPort, monitoringPort, debugPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const mesh = {
    enableAutoMtls: false,
    enableTracing: false,
    ingressControllerMode: 'OFF',
    outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
    defaultConfig: { discoveryAddress: `127.0.0.1:${grpcPort}` },
  };
  writeFileSync(meshConfig, JSON.stringify(mesh));
  const args = [
    ...['discovery', '--kubeconfig', kubeconfig, '--meshConfig', meshConfig, '--domain', 'cluster.local', '--clusterID', 'Kubernetes'],
    ...[
      '--grpcAddr',
      `127.0.0.1:${grpcPort}`,
      '--httpAddr',
      `127.0.0.1:${httpPort}`,
      '--monitoringAddr',
      `${debugAddress}:${monitoringPort}`,
    ],
    ...['--httpsAddr', '', '--secureGRPCAddr', '', '--ctrlz_address', '127.0.0.1', '--ctrlz_port', String(debugPort)],
  ];
  const kinds = { PILOT_ENABLE_GATEWAY_API: String(gatewayApi), PILOT_ENABLE_AMBIENT: String(ambient) };
  const program = start(executable, args, { ...process.env, ...ISTIOD_ENVIRONMENT, ...kinds }, folder);
  await whenReady('istiod', program, async () => (await fetch(`http://127.0.0.1:${httpPort}/ready`)).ok);
  const debugUrl = `http://${debugAddress}:${monitoringPort}`;
  if (!ambient) return { grpcPort, debugUrl, stop: program.stop };
  const stock = await startStockDiscovery(grpcPort);
  return { grpcPort: stock.port, debugUrl, stop: () => Promise.all([stock.close(), program.stop()]).then(() => undefined) };
}

/** Which workload an Envoy stands for. `address` is its own and nobody's: istiod tells workloads apart by it. */
export interface Workload {
  readonly type: 'router' | 'sidecar' | 'waypoint';
  readonly address: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The gateway of `istio: ingressgateway`. */
export const INGRESS: Workload = {
  type: 'router',
  address: '10.255.0.1',
  name: 'ingress',
  namespace: 'istio-system',
  labels: { istio: 'ingressgateway' },
};

/** Bookinfo's productpage, with a sidecar. */
export const PRODUCTPAGE: Workload = {
  type: 'sidecar',
  address: '10.255.0.2',
  name: 'productpage',
  namespace: 'default',
  labels: { app: 'productpage' },
};

/** What of an Envoy is not as usual. */
interface EnvoyOptions {
  /** A command that becomes the one after it, such as `taskset -c 0`. */
  readonly within?: readonly string[];
  /** What it has beside what istiod tells it: listeners, clusters and extensions, as in a bootstrap. */
  readonly own?: { readonly listeners: readonly object[]; readonly clusters: readonly object[]; readonly extensions: readonly object[] };
}

/** As the agent of Istio starts it (istio pkg/envoy/proxy.go): whoever has a connection to a listener that is replaced is told to close it. */
const DRAINING: readonly string[] = ['--drain-time-s', '45', '--drain-strategy', 'immediate'];

const NOTHING: NonNullable<EnvoyOptions['own']> = { listeners: [], clusters: [], extensions: [] };

/** Starts an Envoy for a workload, and waits until it listens at `port` (a number, or the name of an internal listener), by whatever istiod told it. */
export async function startMeshEnvoy(
  executable: string,
  { grpcPort }: Pick<Istiod, 'grpcPort'>,
  workload: Workload,
  port: number | string,
  { within = [], own = NOTHING }: EnvoyOptions = {},
): Promise<MeshEnvoy> {
  const { type, address, name, namespace, labels } = workload;
  const folder = mkdtempSync(join(tmpdir(), 'perch-mesh-'));
  const adminPath = join(folder, 'admin');
  const http2 = {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  };
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value: grpcPort } } };
  const bootstrap = {
    node: {
      id: `${type}~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: name,
      metadata: {
        NAMESPACE: namespace,
        LABELS: labels,
        CLUSTER_ID: 'Kubernetes',
        INSTANCE_IPS: address,
        ISTIO_VERSION: '1.32.0',
        MESH_ID: 'cluster.local',
        ...(type === 'sidecar' ? { INTERCEPTION_MODE: 'NONE' } : {}),
      },
    },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    bootstrap_extensions: own.extensions,
    static_resources: {
      listeners: own.listeners,
      clusters: [
        ...own.clusters,
        {
          name: 'xds-grpc',
          type: 'STATIC',
          connect_timeout: '1s',
          typed_extension_protocol_options: { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': http2 },
          load_assignment: { cluster_name: 'xds-grpc', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
        },
      ],
    },
  };
  const path = join(folder, 'bootstrap.json');
  writeFileSync(path, JSON.stringify(bootstrap));
  const args = [
    '-c',
    path,
    '--concurrency',
    '1',
    '--disable-hot-restart',
    '--log-level',
    'warn',
    '--admin-address-path',
    adminPath,
    ...DRAINING,
  ];
  const [command = executable, ...rest] = [...within, executable, ...args];
  const program = start(command, rest, process.env, folder);
  const admin = async (at: string): Promise<string> => (await fetch(`http://${readFileSync(adminPath, 'utf8').trim()}${at}`)).text();
  await whenReady(`Envoy of ${name}`, program, async () => (await admin('/listeners')).match(new RegExp(`[:/]${port}\\b`)) !== null);
  return { admin, pid: program.pid, freeze: () => program.signal('SIGSTOP'), thaw: () => program.signal('SIGCONT'), stop: program.stop };
}
