import type { KubeObject } from '../core/istio/resources.ts';
import { validateCanaryRelease } from '../core/release/validate.ts';

type ReadRelease = ReturnType<typeof validateCanaryRelease>;

const read = new WeakMap<KubeObject, ReadRelease>();

/** What a stored release says, read once for each base: stores give the same object until it changes, and nobody changes it. */
export function readRelease(base: KubeObject): ReadRelease {
  const known = read.get(base) ?? validateCanaryRelease(base);
  read.set(base, known);
  return known;
}
