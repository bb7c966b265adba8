import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { routedName, routedPath } from '../core/release/route-form.ts';
import { refOf, refText } from './manifest.ts';

/** One thing that a release takes part in alone, and where its spec says so. */
interface Claim {
  readonly on: string;
  readonly path: string;
}

/**
 * PERCH3050 for each of `applied` that shares a VirtualService or a service with another release: of `applied` with one before it, or of
 * `others`, which are in the store already. Each names the other.
 */
export function releaseConflicts(applied: readonly CanaryRelease[], others: readonly CanaryRelease[]): readonly Diagnostic[] {
  return applied.flatMap((release, index) => {
    const earlier = [...others, ...applied.slice(0, index)];
    return claimsOf(release).flatMap((claim) => {
      const holder = earlier.find((other) => claimsOf(other).some(({ on }) => on === claim.on));
      return holder === undefined ? [] : [conflict(release, claim, holder)];
    });
  });
}

function claimsOf(release: CanaryRelease): readonly Claim[] {
  const { namespace } = release.metadata;
  const { service, visitorId } = release.spec;
  const adopted = `VirtualService ${namespace}/${routedName(release)}`;
  const claims = [
    { on: `service ${resolveHost(service.host, namespace)}:${service.port}`, path: 'spec.service' },
    { on: adopted, path: routedPath(release) },
  ];
  if (visitorId.issueAt === undefined) return claims;
  const issuing = `VirtualService ${namespace}/${visitorId.issueAt.virtualService}`;
  return issuing === adopted ? claims : [...claims, { on: issuing, path: 'spec.visitorId.issueAt.virtualService' }];
}

function conflict(release: CanaryRelease, claim: Claim, holder: CanaryRelease): Diagnostic {
  const other = `${holder.metadata.namespace}/${holder.metadata.name}`;
  return {
    code: 'PERCH3050',
    severity: 'error',
    message: `the release ${other} uses ${claim.on} already`,
    object: refText(refOf(release)),
    path: claim.path,
    hint: `delete ${other} first, or give this release a VirtualService and a service of its own`,
  };
}
