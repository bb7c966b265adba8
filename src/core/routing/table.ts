import { RoutedRequest } from './routed-request.ts';
import type { Cluster, ListenerSpec, RequestHead, RouteTable, Selection } from './selection.ts';
import type { VirtualHosts } from './virtual-hosts.ts';

interface Listening {
  readonly port: number;
  readonly bind: string | undefined;
  readonly tlsServer: string | undefined;
  readonly hosts: VirtualHosts;
}

const NONE: Selection = { kind: 'none' };
const BLOCKED: Selection = { kind: 'blocked' };

/** Compiled routes: immutable, shared by all requests of a moment. */
export class Table implements RouteTable {
  readonly listeners: readonly ListenerSpec[];
  readonly clusters: readonly Cluster[];
  readonly #ingress: ReadonlyMap<number, readonly Listening[]>;
  readonly #mesh: ReadonlyMap<number, VirtualHosts>;

  constructor(listeners: readonly ListenerSpec[], ingress: readonly Listening[], mesh: readonly Listening[], clusters: readonly Cluster[]) {
    this.listeners = listeners;
    this.clusters = clusters;
    this.#ingress = Map.groupBy(ingress, ({ port }) => port);
    this.#mesh = new Map(mesh.map(({ port, hosts }) => [port, hosts]));
  }

  select(kind: 'ingress' | 'mesh', port: number, bind: string | undefined, request: RequestHead, random: number): Selection {
    if (kind === 'mesh') return this.#mesh.get(port)?.select(new RoutedRequest(request), random) ?? BLOCKED;
    for (const listening of this.#ingress.get(port) ?? []) {
      if (listening.bind === bind && listening.tlsServer === request.tlsServer)
        return listening.hosts.select(new RoutedRequest(request), random);
    }
    return NONE;
  }
}
