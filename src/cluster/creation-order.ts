import type { StoredObject } from './store.ts';

/**
 * Sorts objects as Istio does before it merges them (pilot/pkg/model config.go, istio-semantics 1.0): the oldest first, of one age by name, then
 * by namespace. Ages are those of the store, which may be finer than the whole seconds of `creationTimestamp`.
 */
export function compareCreation(left: StoredObject, right: StoredObject): number {
  return (
    byCodeUnits(left.createdAt, right.createdAt) ||
    byCodeUnits(left.ref.name, right.ref.name) ||
    byCodeUnits(left.ref.namespace, right.ref.namespace)
  );
}

function byCodeUnits(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
