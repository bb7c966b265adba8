import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { ownerOf } from '../../core/release/ownership.ts';
import { releasesInRoute } from '../../core/weave-http-route/woven-route.ts';
import { manifestOf } from '../manifest.ts';
import type { ApiObject } from './kube-object.ts';
import { type ManagedFields, narrowed, ownedSpecFields } from './managed-fields.ts';

/** By kind the field of the spec that weaving changes. It is a list that the API knows as one value, as each field of a VirtualService's spec is, and the rules of an HTTPRoute are. */
const WOVEN_FIELDS: Readonly<Record<string, string>> = { VirtualService: 'http', [HTTP_ROUTE]: 'rules' };

/** Whether releases are woven into objects of this kind. */
export function isRouteKind(kind: string): boolean {
  return kind in WOVEN_FIELDS;
}

/** The field of the spec that weaving changes in an object of this kind. */
export function wovenField(kind: string): string {
  return WOVEN_FIELDS[kind] ?? 'http';
}

/**
 * Bytes that an object may have as JSON. etcd takes requests of up to 1.5 MiB (--max-request-bytes), and beside what is declared an object has annotations of
 * up to 256 KiB, such as the whole of it as kubectl applied it last, and managed fields.
 */
export const MOST_ROUTE_BYTES = 1024 * 1024;
/** Annotations that Perch keeps on VirtualServices. */
const OWN_ANNOTATION = /^perch\.dev\//;

/** What has to be sent so that a VirtualService becomes as it is wanted, and Perch owns what it means to own of it. */
export interface RouteWrite {
  /** The managed fields that it has to have first: Perch may own what it is not to apply any more, which would go with it. */
  readonly managedFields?: readonly ManagedFields[];
  /** All that Perch owns afterwards, as the body of a server-side apply; the version that it replaces is yet to be named. */
  readonly applied: KubeObject;
  /** Fields of the spec that others put into an object that a release owns: they go. */
  readonly foreign: readonly string[];
  /** Whether a release owns the object, and so all of its spec. */
  readonly isOwned: boolean;
  /** Whether nothing of Perch is in it any more: then it owns no field of it. */
  readonly isLeft: boolean;
}

/**
 * How a stored VirtualService is written. Of one that a release owns, all of the spec and Perch's annotations are applied. Of any other, only
 * `spec.http`, and Perch's annotations; and where it leaves the object, what it owned until then, so that nothing goes with it.
 */
export function routeWrite(object: ApiObject, wanted: KubeObject): RouteWrite {
  const manifest = manifestOf(wanted);
  const spec = fieldsOf(wanted);
  const isOwned = ownerOf(wanted) !== undefined;
  const isLeft = !isOwned && releasesInRoute(wanted).length === 0;
  const owned = ownedSpecFields(object);
  const declares = (name: string): boolean => isOwned || name === wovenField(object.kind) || (isLeft && owned.includes(name));
  const annotations = Object.entries(manifest.metadata.annotations ?? {}).filter(([name]) => OWN_ANNOTATION.test(name));
  const managedFields = narrowed(
    object,
    Object.keys(spec).filter((name) => !declares(name)),
  );
  const { name, namespace } = manifest.metadata;
  return {
    ...(managedFields === undefined ? {} : { managedFields }),
    applied: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: { name, namespace, ...(annotations.length > 0 ? { annotations: Object.fromEntries(annotations) } : {}) },
      spec: Object.fromEntries(Object.entries(spec).filter(([field]) => declares(field))),
    },
    foreign: isOwned ? Object.keys(fieldsOf(object)).filter((field) => !(field in spec)) : [],
    isOwned,
    isLeft,
  };
}

function fieldsOf({ spec }: KubeObject): Readonly<Record<string, unknown>> {
  return (spec ?? {}) as Readonly<Record<string, unknown>>;
}
