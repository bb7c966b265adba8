import type { ReleaseStore, RouteChange, Serving } from '../cluster/store.ts';
import type { Version } from '../core/release/canary-release.ts';
import type { Observed, VersionReadiness } from '../core/release/observed.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { isExposed } from '../core/release/phase.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import { planOf, settledPlan } from '../core/release/route-plan.ts';
import { describeVersion } from '../core/release/version.ts';
import { releasedVersions, serviceOf } from '../core/weave/released-destination.ts';
import { routesRestored, routesWithout } from './desired-routes.ts';
import { httpVersions } from './http-routes.ts';
import { unreadNamespaces } from './unread-namespaces.ts';
import { formerVersions, heldViews, releaseName, type World } from './world.ts';

/** How a release leaves its routes, or what that waits for, in a sentence. */
export type Departure =
  | { readonly kind: 'leave'; readonly routes: readonly RouteChange[]; readonly live: Version | undefined; readonly restored: boolean }
  | { readonly kind: 'wait'; readonly reason: string };

/**
 * How a release that is being deleted leaves. Everyone stays at the live version, but mid-release never at one without ready endpoints while the
 * canary has some. Asked to restore the bases, destinations go back to where those lead, and never to a version without ready endpoints
 * while the live one has some: then the deletion waits, everyone stays where they are, and the reason is said. Asking again without
 * restoring ends that wait.
 */
export function departureOf(world: World, observed: Observed, check: (version: Version) => VersionReadiness): Departure {
  const live = versionToLeave(world, observed);
  if (live === 'unknown') return { kind: 'wait', reason: 'not known yet which versions are ready' };
  if (world.stored.deletionRestoresBase !== true) return { kind: 'leave', routes: routesWithout(world, live), live, restored: false };
  const reason = restoringWaitsFor(world, live, check);
  if (reason !== undefined) return { kind: 'wait', reason };
  return { kind: 'leave', routes: routesRestored(world), live, restored: true };
}

/**
 * How it is known that nobody is led by the release any more, so that it may go; undefined while an Envoy may still have the routes with it. `changed`: what
 * of the departure's routes has yet to be written.
 */
export function servedWithout(
  store: ReleaseStore,
  world: World,
  { routes }: Departure & { readonly kind: 'leave' },
  changed: readonly RouteChange[],
): Serving | undefined {
  const { status } = world.stored;
  // One that never began was in no route.
  if (store.keepsUntilServed !== true || status === undefined || planOf(status) === undefined) return {};
  // Who writes an object again and again would keep the release for ever: what is to be written then is the last.
  if (changed.length > 0) return changed.some(({ ref }) => (store.restOf?.(ref) ?? 0) > 0) ? {} : undefined;
  const adopted = world.http.adopted === undefined ? [] : [world.http.adopted];
  const left = [...heldViews(world), ...adopted, ...routes].flatMap(({ ref }) => world.viewAt(ref)?.stored ?? []);
  return store.serving(
    left.map(({ ref }) => ref),
    Math.max(0, ...left.map(({ revision }) => revision)),
  );
}

/**
 * What is told of a release that has left: where its routes lead, how it is known that they are served, and which VirtualServices that it owned stay. `now`: ms
 * since the epoch.
 */
export function deletedEvent(
  world: World,
  { live, restored }: Departure & { readonly kind: 'leave' },
  { how, isDoubtful }: Serving,
  now: number,
): ReleaseEvent {
  const own = releaseName(world.release);
  // While it is kept until that is served, its mark is gone already.
  const owned = heldViews(world).filter(({ stored, isOwned }) => isOwned || ownerOf(stored.base) === own);
  const where = restored || live === undefined ? 'where their owner sent them' : `to ${describeVersion(live)}`;
  const served = how === undefined ? '' : `, which is served (${how})`;
  const left = owned.map(({ ref }) => `; VirtualService ${ref.namespace}/${ref.name}, which it owned, stays as an ordinary one`);
  const message = `the release was deleted; its routes lead ${where}${served}${left.join('')}`;
  return { at: new Date(now).toISOString(), type: isDoubtful === true ? 'Warning' : 'Normal', reason: 'Deleted', message };
}

function versionToLeave(world: World, { stable, canary }: Observed): Version | 'unknown' | undefined {
  const { status } = world.stored;
  const live = status === undefined ? undefined : settledPlan(status)?.live;
  if (status === undefined || !isExposed(status.phase) || stable === undefined || stable.ready === true) return live;
  // What is in a namespace that is not read is never known.
  if (stable.ready === undefined || canary.ready === undefined) return unreadNamespaces(world).length > 0 ? live : 'unknown';
  return canary.ready ? status.canary : live;
}

function restoringWaitsFor(world: World, live: Version | undefined, check: (version: Version) => VersionReadiness): string | undefined {
  const { routed, release, stored } = world;
  // Of a release that never began nothing was moved.
  if (live === undefined || check(live).ready === false) return undefined;
  const known = [live, ...formerVersions(stored.status)];
  const versions = routed === undefined ? httpVersions(world, known) : releasedVersions(routed.base, serviceOf(release), known);
  const missing = versions.find((version) => check(version).ready !== true);
  if (missing === undefined) return undefined;
  const [name, { ready, reason }] = [describeVersion(missing), check(missing)];
  const why = ready === undefined ? `not known yet whether ${name} is ready` : `${name} has no ready endpoints (${reason})`;
  return `the base leads to ${name}: ${why}; delete without restoring to stay at ${describeVersion(live)}`;
}
