import type { ObjectRef } from '../../cluster/store.ts';
import type { ObjectView } from '../../server/release-resource.ts';

/** The name of an object that the API gave. */
export function refOfView({ kind, metadata }: ObjectView): ObjectRef {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/** `virtualservice/reviews`, as kubectl names objects; with the namespace where it is not `default`. For people. */
export function objectName({ kind, namespace, name }: ObjectRef): string {
  return `${kind.toLowerCase()}/${name}${namespace === 'default' ? '' : ` (${namespace})`}`;
}

/** `virtualservice/reviews`, or `virtualservice/shop/reviews` where namespaces mix: what every command takes as an argument. */
export function objectPath({ kind, namespace, name }: ObjectRef, withNamespace: boolean): string {
  return `${kind.toLowerCase()}/${withNamespace ? `${namespace}/` : ''}${name}`;
}
