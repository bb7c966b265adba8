import { expect, test } from 'vitest';
import { compareCreation } from './creation-order.ts';
import type { StoredObject } from './store.ts';

const OLD = '2026-11-01T10:00:00.001Z';
const YOUNG = '2026-11-01T10:00:00.002Z';

/** An object of this age, as `namespace/name`. */
function stored(createdAt: string, fullName: string): StoredObject {
  const [namespace = '', name = ''] = fullName.split('/');
  const base = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name, namespace } };
  return { ref: { kind: 'VirtualService', namespace, name }, base, served: base, generation: 1, revision: 1, createdAt };
}

test.each([
  ['by age, whatever their names', [stored(OLD, 'z/z'), stored(YOUNG, 'a/a')]],
  ['of one age by name, before the namespace', [stored(OLD, 'z/a'), stored(OLD, 'a/b')]],
  ['of one name by namespace', [stored(OLD, 'a/web'), stored(OLD, 'b/web')]],
  ['a name before one that it is the beginning of', [stored(OLD, 'default/shop'), stored(OLD, 'default/shop-routes')]],
])('%s', (_what, inOrder) => {
  expect(inOrder.toSorted(compareCreation)).toEqual(inOrder);
  expect(inOrder.toReversed().toSorted(compareCreation)).toEqual(inOrder);
});
