import type { ObjectRef } from '../../cluster/store.ts';
import { issuingRoute, routedKind, routedName, routeForm } from '../../core/release/route-form.ts';
import type { ReleaseView } from '../../server/release-resource.ts';

/** What a VirtualService is to a release: its own, the adopted one, or the one where it issues visitor ids. */
export type ClaimRole = 'owned' | 'adopted' | 'issuing';

/** A release that needs a VirtualService, and as what. */
export interface VirtualServiceClaim {
  readonly release: ReleaseView;
  readonly role: ClaimRole;
}

/** The releases that need this VirtualService. */
export function claimsOn({ namespace, name }: Omit<ObjectRef, 'kind'>, releases: readonly ReleaseView[]): readonly VirtualServiceClaim[] {
  return releases.flatMap((release): VirtualServiceClaim[] => {
    if (release.metadata.namespace !== namespace || routedKind(release) !== 'VirtualService') return [];
    if (routedName(release) === name) return [{ release, role: routeForm(release) === 'adopt' ? 'adopted' : 'owned' }];
    return issuingRoute(release)?.name === name ? [{ release, role: 'issuing' }] : [];
  });
}
