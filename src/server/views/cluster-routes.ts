import { compareCreation } from '../../cluster/creation-order.ts';
import { resolveHost, splitServiceHost } from '../../core/istio/names.ts';
import type { KubeObject, VirtualServiceSpec } from '../../core/istio/resources.ts';
import { validateRoutingObject } from '../../core/istio/validate.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import type { ExplainedTable } from '../../core/routing/explanation.ts';
import type { ApiStore } from '../api-store.ts';

const KINDS = ['Gateway', 'VirtualService', 'DestinationRule', 'ServiceEntry', 'WorkloadEntry'];

/**
 * The routes of a cluster as its store shows them, compiled as the embedded gateway would: for saying where a request would go. Services of Kubernetes are not
 * in the store, so every host that a rule names, and the one that is asked for, is taken for one, without endpoints. Objects with fields that the embedded
 * gateway does not know are left out, and so are HTTPRoutes.
 */
export async function clusterRoutes(store: Pick<ApiStore, 'list'>, host: string, port: number): Promise<ExplainedTable> {
  const lists = await Promise.all(KINDS.map((kind) => store.list(kind)));
  const stored = lists.flat().sort(compareCreation);
  const objects = stored
    .map(({ served }) => served)
    .filter((object) => !validateRoutingObject(object).some(({ severity }) => severity === 'error'));
  return compileRouting([...objects, ...assumedServices(objects, host, port)]).table;
}

function assumedServices(objects: readonly KubeObject[], host: string, port: number): readonly KubeObject[] {
  const declared = new Set(
    objects.flatMap(({ kind, spec }) => (kind === 'ServiceEntry' ? (spec as { hosts: readonly string[] }).hosts : [])),
  );
  const ports = new Map<string, Set<number>>();
  const assume = (name: string, more: number | undefined): void => {
    if (declared.has(name)) return;
    const known = ports.get(name) ?? new Set([port]);
    ports.set(name, more === undefined ? known : known.add(more));
  };
  if (host !== '') assume(resolveHost(host.toLowerCase(), 'default'), undefined);
  for (const { kind, metadata, spec } of objects) {
    if (kind !== 'VirtualService') continue;
    const destinations = ((spec as VirtualServiceSpec).http ?? []).flatMap(({ route = [] }) => route.map(({ destination }) => destination));
    for (const { host: named, port: at } of destinations) assume(resolveHost(named, metadata.namespace ?? 'default'), at?.number);
  }
  return [...ports].map(([name, numbers]) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: splitServiceHost(name)?.namespace ?? 'default' },
    spec: { hosts: [name], ports: [...numbers].map((number) => ({ number, name: `http-${number}`, protocol: 'HTTP' })) },
  }));
}
