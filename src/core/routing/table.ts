import type { ExplainedTable, Explanation } from './explanation.ts';
import { RoutedRequest } from './routed-request.ts';
import type { Cluster, ListenerSpec, RequestHead, Selection } from './selection.ts';
import { succeeds } from './tls-server.ts';
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
export class Table implements ExplainedTable {
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
    const hosts = this.#hostsAt(kind, port, bind, request.tlsServer);
    return hosts?.select(new RoutedRequest(request), random) ?? (kind === 'mesh' ? BLOCKED : NONE);
  }

  explain(kind: 'ingress' | 'mesh', port: number, bind: string | undefined, head: RequestHead, most: number): Explanation {
    const listening = this.#hostsAt(kind, port, bind, head.tlsServer);
    const request = new RoutedRequest(head);
    const explained = listening?.explain(request, most);
    const common = { isListening: listening !== undefined, host: explained?.host, taken: explained?.found?.origin };
    const outcomes = explained?.found?.origin.draws.map(({ share, random }) => ({
      share,
      selection: this.select(kind, port, bind, head, random),
    }));
    return {
      ...common,
      passed: explained?.passed.map(({ route, failed }) => ({ origin: route.origin, failed: failed?.subject })) ?? [],
      omitted: explained?.omitted ?? 0,
      conditions: explained?.found?.conditions.map(({ subject }) => subject) ?? [],
      outcomes: outcomes ?? [{ share: 1, selection: this.select(kind, port, bind, head, 0) }],
    };
  }

  #hostsAt(kind: 'ingress' | 'mesh', port: number, bind: string | undefined, tlsServer: string | undefined): VirtualHosts | undefined {
    if (kind === 'mesh') return this.#mesh.get(port);
    const here = this.#ingress.get(port) ?? [];
    for (const listening of here) if (listening.bind === bind && listening.tlsServer === tlsServer) return listening.hosts;
    if (tlsServer === undefined) return undefined;
    return here.find((each) => each.bind === bind && each.tlsServer !== undefined && succeeds(tlsServer, each.tlsServer))?.hosts;
  }
}
