import type { StoredObject } from './store.ts';

/**
 * Where the list of all objects of a store differs from the one before, by index; undefined where objects came or went, so that places mean
 * something else. `Store.list` says why references and objects are compared by identity.
 */
export function changedPlaces(before: readonly StoredObject[], after: readonly StoredObject[]): readonly number[] | undefined {
  if (before.length !== after.length) return undefined;
  const changed: number[] = [];
  for (let index = 0; index < after.length; index++) {
    if (before[index] === after[index]) continue;
    if (before[index]?.ref !== after[index]?.ref) return undefined;
    changed.push(index);
  }
  return changed;
}
