import type { RequestEvent } from '../../src/core/evidence/request-event.ts';
import type { Cluster, ListenerSpec, RequestHead, RouteTable, Selection } from '../../src/core/routing/selection.ts';
import { type GatewayOptions, type RunningGateway, startGateway } from '../../src/gateway/gateway.ts';

type Forward = Extract<Selection, { kind: 'forward' }>;

/** The declared ports of the tests; `map` moves both to free ones. */
const INGRESS_PORT = 80;
const MESH_PORT = 9080;

/** The listener at the edge, by its declared port. */
export const INGRESS: ListenerSpec = { kind: 'ingress', port: INGRESS_PORT, bind: '127.0.0.1' };
/** The listener inside, by its declared port. */
export const MESH: ListenerSpec = { kind: 'mesh', port: MESH_PORT, bind: '127.0.0.1' };

/** A cluster of endpoints on this machine. */
export function clusterAt(...ports: readonly number[]): Cluster {
  return {
    host: 'shop.default.svc.cluster.local',
    port: MESH_PORT,
    subset: 'v1',
    endpoints: ports.map((port) => ({ address: '127.0.0.1', port })),
  };
}

/** The selection that sends `request` to `cluster`, with whatever else the test wants. */
export function forwardTo(cluster: Cluster | undefined, request: RequestHead, more: Partial<Forward> = {}): Forward {
  return {
    kind: 'forward',
    rule: 'rule',
    destination: { host: 'shop.default.svc.cluster.local', subset: 'v1', port: MESH_PORT },
    cluster,
    path: request.path,
    authority: request.authority,
    timeoutMs: 0,
    request: [],
    response: [],
    ...more,
  };
}

/** A route table by hand: routing is another unit, here only its answers matter. */
export function tableOf(select: RouteTable['select'], clusters: readonly Cluster[] = [], listeners = [INGRESS, MESH]): RouteTable {
  return { listeners, clusters, select };
}

/** A table that sends everything to one cluster. */
export function everythingTo(cluster: Cluster, more: Partial<Forward> = {}): RouteTable {
  return tableOf((_kind, _port, _bind, request) => forwardTo(cluster, request, more), [cluster]);
}

/** A gateway of a test, with what it told. */
export interface TestGateway {
  readonly gateway: RunningGateway;
  readonly ingress: number;
  readonly mesh: number;
  readonly proxy: number;
  readonly events: RequestEvent[];
  readonly log: Record<string, unknown>[];
  /** Resolves when `count` events have been told. */
  told(count: number): Promise<readonly RequestEvent[]>;
}

/** Starts a gateway with free ports for INGRESS_PORT, MESH_PORT and the proxy. */
export async function startTestGateway(table: RouteTable, options: GatewayOptions = {}): Promise<TestGateway> {
  const events: RequestEvent[] = [];
  const log: Record<string, unknown>[] = [];
  const gateway = await startGateway({
    map: new Map([
      [INGRESS_PORT, 0],
      [MESH_PORT, 0],
    ]),
    proxyPort: 0,
    observe: (event) => events.push(event),
    accessLog: (line) => log.push(JSON.parse(line) as Record<string, unknown>),
    ...options,
  });
  await gateway.update(table);
  const portOf = (kind: string): number => gateway.addresses().find((address) => address.kind === kind)?.actualPort ?? 0;
  return {
    gateway,
    ingress: portOf('ingress'),
    mesh: portOf('mesh'),
    proxy: portOf('proxy'),
    events,
    log,
    told: async (count) => {
      const deadline = performance.now() + 5_000;
      while (events.length < count) {
        if (performance.now() > deadline) throw new Error(`${events.length} of ${count} events within 5 s`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return events;
    },
  };
}
