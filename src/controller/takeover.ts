import { refText } from '../cluster/manifest.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { Version } from '../core/release/canary-release.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { ownedField } from '../core/release/route-form.ts';
import { describeVersion, sameVersion } from '../core/release/version.ts';
import { namedVersions, serviceOf } from '../core/weave/released-destination.ts';
import { releaseName, type World } from './world.ts';

/**
 * Why a release that knows no live version may not take over the VirtualService that is there (PERCH3055): its rules lead elsewhere, so everyone
 * would be moved at once. So it is with a release that was deleted and comes back, whose rules still say the version before. With a live
 * version known, or all of the object at the canary, everyone stays there whatever the rules say. Undefined where nothing is in the way.
 */
export function takeoverObstacle({ routed, release, stored: { status } }: World): Diagnostic | undefined {
  const current = routed?.isOwned === true ? routed.stored?.base : undefined;
  if (routed === undefined || current === undefined || ownerOf(current) === releaseName(release)) return undefined;
  if (status?.liveVersion !== undefined) return undefined;
  const { spec } = release;
  const service = serviceOf(release);
  const candidates = [spec.canary, ...(spec.stable === undefined ? [] : [spec.stable])];
  const [now, declared] = [current, routed.base].map((base) => namedVersions(base, service, candidates));
  if (now === undefined || declared === undefined || now.every((version) => sameVersion(version, spec.canary))) return undefined;
  if (now.every((version) => declared.some((each) => sameVersion(each, version)))) return undefined;
  const path = ownedField(release, 'spec.http');
  return {
    code: 'PERCH3055',
    severity: 'error',
    message: `${refText(routed.ref)}, which the release is to take over, leads to ${listed(now)}, but its rules to ${listed(declared)}`,
    object: `CanaryRelease ${releaseName(release)}`,
    ...(path === undefined ? {} : { path }),
    hint: `write ${listed(now)} into the rules: everyone is there now`,
  };
}

function listed(versions: readonly (Version | undefined)[]): string {
  const names = versions.map((version) => (version === undefined ? 'all endpoints' : describeVersion(version)));
  return names.length === 0 ? 'no version' : [...new Set(names)].join(' and ');
}
