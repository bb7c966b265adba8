import type { Version } from '../../core/release/canary-release.ts';
import { routedKind, routedName } from '../../core/release/route-form.ts';
import { baseVersion } from '../../core/weave/released-destination.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import type { ReleaseClient } from '../release-client.ts';

/**
 * The version that the routes of a release lead everyone to once it is gone; undefined where they name none, several, or are gone too.
 * `release` is what it was before.
 */
export async function versionAfter(client: ReleaseClient, release: ReleaseView): Promise<Version | undefined> {
  // Of an HTTPRoute its release tells.
  if (routedKind(release) !== 'VirtualService') return undefined;
  const { namespace } = release.metadata;
  const { service, canary, stable } = release.spec;
  const routed = await client.object({ kind: 'VirtualService', namespace, name: routedName(release) }, 'served');
  if (routed === undefined) return undefined;
  const { status } = release;
  const candidates = [canary, stable, status?.liveVersion, status?.stable, status?.canary].filter((version) => version !== undefined);
  return baseVersion(routed, { namespace, ...service }, candidates);
}
