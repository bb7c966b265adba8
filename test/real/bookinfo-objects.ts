import { fileURLToPath } from 'node:url';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ClusterRelease } from './cluster-release.ts';
import { objectsOf } from './istio-cluster.ts';

/** The files of examples/bookinfo without its release. */
const BASES = ['gateway', 'bookinfo', 'destination-rules', 'endpoints', 'reviews'] as const;

/** Path of a file of examples/bookinfo. */
export function bookinfoFile(name: (typeof BASES)[number] | 'release'): string {
  return fileURLToPath(new URL(`../../examples/bookinfo/${name}.yaml`, import.meta.url));
}

/** What examples/bookinfo has without its release, as it stands there. */
export function bookinfoBases(): readonly KubeObject[] {
  return objectsOf(...BASES.map(bookinfoFile));
}

/** The release of examples/bookinfo with steps that wait until they are told to go on; `changes`: other fields of its spec. */
export function reviewsRelease(weights: readonly number[], changes: object = {}): ClusterRelease {
  const [example] = objectsOf(bookinfoFile('release')) as readonly ClusterRelease[];
  if (example === undefined) throw new Error('examples/bookinfo has no release');
  const steps = weights.map((weight) => ({ weight, hold: 'manual' }));
  return { ...example, spec: { ...example.spec, steps, ...changes } };
}
