import { refText, sameRef } from '../cluster/manifest.ts';
import type { ObjectLists, StoredObject } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { planOf } from '../core/release/route-plan.ts';
import { releasesInRoute } from '../core/weave-http-route/woven-route.ts';
import { desiredRoutes } from './desired-routes.ts';
import { type Snapshot, snapshotWith } from './snapshot.ts';
import { type WorldBasis, worldBasis, worldIn } from './world.ts';

/** Routes that somebody is about to write. */
export interface IncomingRoutes {
  /** As the store would have them if nobody changed them on the way. */
  readonly stored: StoredObject;
  /** As they are now, whatever the store knows of it yet; undefined where they are created. */
  readonly former: KubeObject | undefined;
}

/** What incoming routes are to be, and which errors speak against weaving. */
export interface ServedForm {
  /** The object that came where no release has to do with it. */
  readonly object: KubeObject;
  readonly errors: readonly Diagnostic[];
}

/**
 * The form that the next pass of the controller would give to routes that are about to be written, by the statuses that the store has: the
 * same functions make it, so that the pass finds nothing to do. Releases that are in the routes stay in; none comes into routes that exist
 * without it: that is a step of the release, which the controller takes, and a release that is gone, which a store that lags behind still
 * has, must not come back. Idempotent.
 */
export async function servedForm(store: ObjectLists, { stored, former }: IncomingRoutes): Promise<ServedForm> {
  const basis = worldBasis(store);
  const present = former === undefined ? [] : releasesInRoute(former);
  const form = formIn(await snapshotWith(store, stored), { stored, present, basis });
  if (former === undefined) return form;
  const newcomers = releasesInRoute(form.object).filter((name) => !present.includes(name));
  if (newcomers.length === 0) return form;
  const without = new Set(newcomers.map((name) => `${RELEASE} ${name}`));
  return formIn(await snapshotWith(store, stored, without), { stored, present, basis });
}

/** `present`: the releases in the routes as they are, as `namespace/name`. */
function formIn(
  snapshot: Snapshot,
  { stored, present, basis }: { readonly stored: StoredObject; readonly present: readonly string[]; readonly basis: WorldBasis },
): ServedForm {
  const isPresent = ({ ref }: StoredObject): boolean => present.some((name) => refText(ref) === `${RELEASE} ${name}`);
  const naming = snapshot.releasesNaming(stored.ref);
  // All passes make the same of an object, but for one that waits until another has left.
  for (const release of [...naming.filter(isPresent), ...naming.filter((each) => !isPresent(each))]) {
    const world = worldIn(snapshot, release.ref, basis);
    if (world === undefined) continue;
    const desired = desiredRoutes(world, release.status === undefined ? undefined : planOf(release.status));
    const route = desired.routes.find(({ ref }) => sameRef(ref, stored.ref));
    if (route === undefined) continue;
    const errors = desired.diagnostics.filter(({ severity }) => severity === 'error');
    return { object: route.served ?? route.base ?? stored.base, errors };
  }
  return { object: stored.served, errors: [] };
}
