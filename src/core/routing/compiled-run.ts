import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CompiledRoute } from './compile-route.ts';
import type { ExplainedTable } from './explanation.ts';
import type { IngressListener } from './ingress-hosts.ts';
import type { ListenerSpec } from './selection.ts';
import type { ServiceRegistry } from './services.ts';
import { Table } from './table.ts';
import type { VirtualHosts } from './virtual-hosts.ts';

/** An ingress listener, and what its hosts are made of. */
export interface IngressRun {
  readonly listener: IngressListener;
  /** By host: the routes of each VirtualService that it has, in order. */
  readonly parts: ReadonlyMap<string, readonly (readonly CompiledRoute[])[]>;
  readonly hosts: VirtualHosts;
}

/** What came of a list of objects. */
export interface CompiledRun {
  readonly registry: ServiceRegistry;
  readonly ingress: readonly IngressRun[];
  readonly mesh: readonly { readonly port: number; readonly hosts: VirtualHosts }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The table of a run. */
export function tableOf({ registry, ingress, mesh }: CompiledRun): ExplainedTable {
  const listeners: ListenerSpec[] = [
    ...ingressSpecs(ingress),
    ...mesh.map(({ port }) => ({ kind: 'mesh' as const, port, bind: undefined })),
  ];
  const atGateways = ingress.map(({ listener: { port, bind, tls }, hosts }) => ({ port, bind, tlsServer: tls?.id, hosts }));
  const inMesh = mesh.map((each) => ({ ...each, bind: undefined, tlsServer: undefined }));
  return new Table(listeners, atGateways, inMesh, registry.clusters);
}

/** A socket for each address; behind one with TLS there are as many servers as clients can choose from. */
function ingressSpecs(ingress: readonly IngressRun[]): ListenerSpec[] {
  const byAddress = Map.groupBy(ingress, ({ listener: { port, bind } }) => JSON.stringify([port, bind]));
  return [...byAddress.values()].flatMap((group): ListenerSpec[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { port, bind } = first.listener;
    const tls = group.flatMap(({ listener }) => listener.tls ?? []);
    return [{ kind: 'ingress', port, bind, ...(tls.length > 0 && { tls }) }];
  });
}
