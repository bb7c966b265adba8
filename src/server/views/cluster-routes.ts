import { compareCreation } from '../../cluster/creation-order.ts';
import type { StoredObject } from '../../cluster/store.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import { ROUTING_KINDS } from '../../core/istio/kinds.ts';
import { resolveHost, splitServiceHost } from '../../core/istio/names.ts';
import type { KubeObject, VirtualServiceSpec } from '../../core/istio/resources.ts';
import { validateRoutingObject } from '../../core/istio/validate.ts';
import { compileRouting } from '../../core/routing/compile.ts';
import type { TriedRoutes } from './route-trial.ts';

/** The kinds that a trial in a cluster reads. */
export const TRIED_KINDS: readonly string[] = [...ROUTING_KINDS, HTTP_ROUTE];

/** Objects that a note names, at most. */
const MOST_NAMED = 3;

const ASSUMED =
  'Services of the cluster were not looked at: every host that a rule names, or that is asked for in the mesh, is taken for one, and endpoints are not known.';

/**
 * The routes of a cluster, of `TRIED_KINDS`, compiled as the embedded gateway would: for saying where a request would go. Services of Kubernetes are not
 * among them, so every host that a rule names, and the one that is asked for (empty: none), is taken for one, without endpoints. Objects with fields that the embedded
 * gateway does not know are left out, and so are HTTPRoutes; the notes say so.
 */
export function clusterRoutes(stored: readonly StoredObject[], host: string, port: number): TriedRoutes {
  const found = stored.toSorted(compareCreation).map(({ served }) => served);
  const [httpRoutes, routing] = [found.filter(({ kind }) => kind === HTTP_ROUTE), found.filter(({ kind }) => kind !== HTTP_ROUTE)];
  const known = routing.filter(isKnown);
  const { table } = compileRouting([...known, ...assumedServices(known, host, port)]);
  const notes = [
    ASSUMED,
    ...leftOut(httpRoutes, 'trials know Istio’s own kinds only'),
    ...leftOut(
      routing.filter((object) => !isKnown(object)),
      'Perch’s own gateway does not know all of their fields',
    ),
  ];
  return { table, addresses: [], hidesEndpoints: true, notes };
}

function isKnown(object: KubeObject): boolean {
  return !validateRoutingObject(object).some(({ severity }) => severity === 'error');
}

/** Says that these were not looked at; nothing where there are none. */
export function leftOut(objects: readonly KubeObject[], why: string): readonly string[] {
  if (objects.length === 0) return [];
  const names = objects.slice(0, MOST_NAMED).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? 'default'}/${metadata.name}`);
  const more = objects.length - names.length;
  return [`Left out: ${names.join(', ')}${more === 0 ? '' : ` and ${more} more`}, because ${why}.`];
}

/** ServiceEntries for the hosts that nothing declares: those that rules name, and `host` (empty: none) at `port`. */
export function assumedServices(objects: readonly KubeObject[], host: string, port: number): readonly KubeObject[] {
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
