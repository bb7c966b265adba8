import type { StoredObject } from './store.ts';

/**
 * Sorts objects as Istio does before it merges them (pilot/pkg/model config.go, istio-semantics 1.0): the oldest first, of one age by name, then
 * by namespace. Ages are those of the store, which may be finer than the whole seconds of `creationTimestamp`.
 */
export function compareCreation(left: StoredObject, right: StoredObject): number {
  const [mine, theirs] = [left, right].map(({ createdAt, ref }) => [createdAt, ref.name, ref.namespace]);
  for (const [index, key] of (mine ?? []).entries()) {
    const other = theirs?.[index] ?? '';
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}
