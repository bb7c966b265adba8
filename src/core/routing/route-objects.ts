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
  const routing = objects.filter(isRoutingObject);
  return {
    gateways: routing.filter((object) => object.kind === 'Gateway'),
    virtualServices: routing.filter((object) => object.kind === 'VirtualService'),
    destinationRules: routing.filter((object) => object.kind === 'DestinationRule'),
    serviceEntries: routing.filter((object) => object.kind === 'ServiceEntry'),
    workloadEntries: routing.filter((object) => object.kind === 'WorkloadEntry'),
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
