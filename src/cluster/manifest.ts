import type { KubeObject } from '../core/istio/resources.ts';
import type { ObjectRef } from './store.ts';

/** An object in the form in which stores keep and compare it: what its owner declares, with the namespace filled in. */
export interface Manifest extends KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Annotations that tools write and owners do not: they are no part of what was declared. */
const TOOL_ANNOTATIONS = new Set(['perch.dev/request', 'kubectl.kubernetes.io/last-applied-configuration']);

/**
 * Only what an owner declares: apiVersion, kind, name, namespace (`default` where absent), labels, annotations, spec. What a cluster
 * adds (uid, timestamps, status) goes, so that a copy from `perch get -o yaml` can be applied as it is.
 */
export function manifestOf(object: KubeObject): Manifest {
  const { name, namespace = 'default', labels, annotations } = object.metadata;
  const own = Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !TOOL_ANNOTATIONS.has(key)));
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      namespace,
      ...(labels !== undefined && Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(own).length > 0 ? { annotations: own } : {}),
    },
    ...(object.spec === undefined ? {} : { spec: object.spec }),
  };
}

/** The name of an object; the namespace is `default` where it has none. */
export function refOf(object: KubeObject): ObjectRef {
  return { kind: object.kind, namespace: object.metadata.namespace ?? 'default', name: object.metadata.name };
}

/** Whether both name the same object. */
export function sameRef(left: ObjectRef, right: ObjectRef): boolean {
  return left.kind === right.kind && left.namespace === right.namespace && left.name === right.name;
}

/** `Kind namespace/name`, as diagnostics name objects; also a key for maps. */
export function refText(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/** Whether two objects declare the same, whatever the order of their keys. */
export function sameManifest(left: KubeObject, right: KubeObject): boolean {
  return left === right || sameJson(manifestOf(left), manifestOf(right));
}

/** Whether `canonicalJson` of both is the same text, found without writing it. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!(Array.isArray(left) && Array.isArray(right) && left.length === right.length)) return false;
    for (let index = 0; index < left.length; index++) if (!sameJson(left[index], right[index])) return false;
    return true;
  }
  if (!isPlainObject(left) || !isPlainObject(right)) return false;
  for (const key in left) if (!sameJson(left[key], right[key])) return false;
  // What JSON leaves out is as good as absent.
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

/** JSON with the keys of every object in code unit order: equal exactly for values that JSON cannot tell apart but by key order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isPlainObject(inner) ? Object.fromEntries(Object.entries(inner).sort(byKey)) : inner,
  );
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : Number(left > right);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
