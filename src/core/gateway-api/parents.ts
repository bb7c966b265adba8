import { resolveHost } from '../istio/names.ts';
import type { KubeObject } from '../istio/resources.ts';
import { httpRouteOf, type ParentRef } from './http-route.ts';

/** Where a parent has requests come from: at a gateway, or, of a Service, from clients inside the mesh (Gateway API for the mesh, GAMMA). */
type ParentPlace = 'gateway' | 'mesh' | 'elsewhere';

/** A Service whose requests in the mesh a route takes. */
export interface ParentService {
  readonly namespace: string;
  readonly name: string;
  /** As Istio names it. */
  readonly host: string;
  /** Undefined: all of its ports. */
  readonly port: number | undefined;
}

/** What a parent is; a Gateway where no kind is named. */
export function placeOfParent({ group, kind = 'Gateway' }: ParentRef): ParentPlace {
  if (kind === 'Gateway') return 'gateway';
  return kind === 'Service' && group === '' ? 'mesh' : 'elsewhere';
}

/** The Services that a route hangs on. */
export function parentServices(route: KubeObject): readonly ParentService[] {
  const { metadata, spec } = httpRouteOf(route);
  return (spec.parentRefs ?? [])
    .filter((ref) => placeOfParent(ref) === 'mesh')
    .map(({ namespace = metadata.namespace ?? 'default', name, port }) => ({ namespace, name, host: resolveHost(name, namespace), port }));
}

/** Whether a route takes requests inside the mesh. */
export function isInMesh(route: KubeObject): boolean {
  return parentServices(route).length > 0;
}
