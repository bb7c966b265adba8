import { refOf, refText } from '../../cluster/manifest.ts';
import type { ObjectRef } from '../../cluster/store.ts';
import { suggest } from '../../core/diagnostics/suggest.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { CanaryRelease } from '../../core/release/canary-release.ts';
import { isCanaryRelease, validateCanaryRelease } from '../../core/release/validate.ts';
import { CommandError } from '../command-error.ts';

/** A release of the files. */
export interface FoundRelease {
  readonly ref: ObjectRef;
  readonly release: CanaryRelease;
}

/**
 * The releases among objects that passed validation, in order of their names; only those of these names where there are any. Throws CommandError
 * where there is none, or a name is none's.
 */
export function releasesNamed(objects: readonly KubeObject[], names: readonly string[]): readonly FoundRelease[] {
  const all = objects
    .filter(isCanaryRelease)
    .flatMap((object) => validateCanaryRelease(object).release ?? [])
    .map((release) => ({ ref: refOf(release), release }))
    .sort((left, right) => (refText(left.ref) < refText(right.ref) ? -1 : 1));
  if (all.length === 0) throw new CommandError('the files hold no CanaryRelease');
  const known = all.map(({ ref }) => ref.name);
  for (const name of names.filter((each) => !known.includes(each))) {
    const near = suggest(name, known);
    throw new CommandError(
      `the files hold no release ${name}: ${near === undefined ? `there is ${known.join(', ')}` : `did you mean ${near}?`}`,
    );
  }
  return names.length === 0 ? all : all.filter(({ ref }) => names.includes(ref.name));
}
