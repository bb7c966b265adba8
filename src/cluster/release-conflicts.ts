import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { resolveHost } from '../core/istio/names.ts';
import { canaryCookieOf } from '../core/release/canary-cookie.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { routedName, routedPath } from '../core/release/route-form.ts';
import { refOf, refText } from './manifest.ts';

/** One thing that a release takes part in, and where its spec says so. */
interface Claim {
  readonly on: string;
  readonly path: string;
  /** Other releases may share it, as long as nobody claims it alone. */
  readonly isShared?: true;
  readonly hint?: string;
}

/**
 * PERCH3050 for each of `applied` that shares a VirtualService, a service or a canary's cookie with another release: of `applied` with one
 * before it, or of `others`, which are in the store already. Each names the other.
 */
export function releaseConflicts(applied: readonly CanaryRelease[], others: readonly CanaryRelease[]): readonly Diagnostic[] {
  return applied.flatMap((release, index) => {
    const earlier = [...others, ...applied.slice(0, index)];
    return claimsOf(release).flatMap((claim) => {
      const holder = earlier.find((other) => claimsOf(other).some((theirs) => excludes(theirs, claim)));
      return holder === undefined ? [] : [conflict(release, claim, holder)];
    });
  });
}

function excludes(left: Claim, right: Claim): boolean {
  return left.on === right.on && !(left.isShared === true && right.isShared === true);
}

function claimsOf(release: CanaryRelease): readonly Claim[] {
  const { namespace } = release.metadata;
  const { service, visitorId } = release.spec;
  const adopted = `VirtualService ${namespace}/${routedName(release)}`;
  const claims = [
    { on: `service ${resolveHost(service.host, namespace)}:${service.port}`, path: 'spec.service' },
    { on: adopted, path: routedPath(release) },
    cookieClaim(release),
  ];
  if (visitorId.issueAt === undefined) return claims;
  const issuing = `VirtualService ${namespace}/${visitorId.issueAt.virtualService}`;
  return issuing === adopted ? claims : [...claims, { on: issuing, path: 'spec.visitorId.issueAt.virtualService' }];
}

/**
 * Visitor ids are for all releases; a canary's cookie would be overwritten by another of its name, and take others' visitors along. Which
 * releases meet at one host is not asked: those of a namespace are taken to.
 */
function cookieClaim({ metadata, spec }: CanaryRelease): Claim {
  const own = canaryCookieOf({ ...metadata, started: 0, spec });
  const hint = 'choose another name: of one name, browsers hold one cookie';
  const on = (name: string): string => `the cookie ${name} in namespace ${metadata.namespace}`;
  if (own !== undefined) return { on: on(own.name), path: 'spec.affinity.cookie.name', hint };
  return { on: on(spec.visitorId.cookie.name), path: 'spec.visitorId.cookie.name', isShared: true, hint };
}

function conflict(release: CanaryRelease, claim: Claim, holder: CanaryRelease): Diagnostic {
  const other = `${holder.metadata.namespace}/${holder.metadata.name}`;
  return {
    code: 'PERCH3050',
    severity: 'error',
    message: `the release ${other} uses ${claim.on} already`,
    object: refText(refOf(release)),
    path: claim.path,
    hint: claim.hint ?? `delete ${other} first, or give this release a VirtualService and a service of its own`,
  };
}
