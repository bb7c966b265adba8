import type {
  DestinationRule,
  Gateway,
  KubeObject,
  RoutingObject,
  ServiceEntry,
  VirtualService,
  WorkloadEntry,
} from '../istio/resources.ts';

/** Routing objects by kind, each list in the order given. */
export interface RouteObjects {
  readonly gateways: readonly Gateway[];
  readonly virtualServices: readonly VirtualService[];
  readonly destinationRules: readonly DestinationRule[];
  readonly serviceEntries: readonly ServiceEntry[];
  readonly workloadEntries: readonly WorkloadEntry[];
}

/** Sorts validated objects by kind; other kinds are left out. */
export function sortByKind(objects: readonly KubeObject[]): RouteObjects {
  const byKind = Map.groupBy(objects.filter(isRoutingObject), ({ kind }) => kind);
  // The key says which kind the members are.
  const of = <Kind extends RoutingObject>(kind: Kind['kind']) => (byKind.get(kind) ?? []) as readonly RoutingObject[] as readonly Kind[];
  return {
    gateways: of<Gateway>('Gateway'),
    virtualServices: of<VirtualService>('VirtualService'),
    destinationRules: of<DestinationRule>('DestinationRule'),
    serviceEntries: of<ServiceEntry>('ServiceEntry'),
    workloadEntries: of<WorkloadEntry>('WorkloadEntry'),
  };
}

// Validation has looked at every field: the type only says so.
function isRoutingObject(object: KubeObject): object is RoutingObject {
  return object.apiVersion.startsWith('networking.istio.io/');
}

/** `namespace/name`. */
export function fullName({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}
