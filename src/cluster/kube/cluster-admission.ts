import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { foreignReferences } from '../../core/release/foreign-references.ts';
import { isCanaryRelease } from '../../core/release/validate.ts';
import { type Admission, releaseAdmission } from '../admission.ts';
import { refOf, refText } from '../manifest.ts';
import { readRelease } from '../read-release.ts';

/** Releases of one namespace may name what is in another; `*`: any. */
export interface ReferenceGrant {
  readonly from: string;
  readonly to: string;
}

/** What a cluster takes in: valid releases, but one that names something of another namespace only where that is granted (PERCH3060). */
export function clusterAdmission(grants: readonly ReferenceGrant[]): Admission {
  return {
    ...releaseAdmission,
    admit: (applied, existing) => [...releaseAdmission.admit(applied, existing), ...applied.flatMap((object) => refused(object, grants))],
  };
}

function refused(object: KubeObject, grants: readonly ReferenceGrant[]): readonly Diagnostic[] {
  const release = isCanaryRelease(object) ? readRelease(object).release : undefined;
  if (release === undefined) return [];
  const { namespace: from } = release.metadata;
  return foreignReferences(release)
    .filter(({ namespace }) => !grants.some((grant) => covers(grant.from, from) && covers(grant.to, namespace)))
    .map(({ path, what, namespace }) => ({
      code: 'PERCH3060',
      severity: 'error',
      message: `${path} names ${what}, in another namespace than the release`,
      object: refText(refOf(object)),
      path,
      hint: `name one of ${from}, or start perch controller with --allow-references ${from}:${namespace}`,
    }));
}

function covers(pattern: string, namespace: string): boolean {
  return pattern === '*' || pattern === namespace;
}
