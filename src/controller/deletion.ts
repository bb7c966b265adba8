import type { RouteChange } from '../cluster/store.ts';
import type { Version } from '../core/release/canary-release.ts';
import type { Observed, VersionReadiness } from '../core/release/observed.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { isExposed } from '../core/release/phase.ts';
import type { ReleaseEvent } from '../core/release/release-event.ts';
import { settledPlan } from '../core/release/route-plan.ts';
import { describeVersion } from '../core/release/version.ts';
import { releasedVersions, serviceOf } from '../core/weave/released-destination.ts';
import { routesRestored, routesWithout } from './desired-routes.ts';
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

/** What is told of a release that has left: where its routes lead, and which VirtualServices that it owned stay. `now`: ms since the epoch. */
export function deletedEvent(world: World, departure: Departure & { readonly kind: 'leave' }, now: number): ReleaseEvent {
  const { live, restored } = departure;
  const own = releaseName(world.release);
  const owned = heldViews(world).filter(({ stored }) => ownerOf(stored.base) === own);
  const where = restored || live === undefined ? 'where their owner sent them' : `to ${describeVersion(live)}`;
  const left = owned.map(({ ref }) => `; VirtualService ${ref.namespace}/${ref.name}, which it owned, stays as an ordinary one`);
  const message = `the release was deleted; its routes lead ${where}${left.join('')}`;
  return { at: new Date(now).toISOString(), type: 'Normal', reason: 'Deleted', message };
}

function versionToLeave({ stored: { status } }: World, { stable, canary }: Observed): Version | 'unknown' | undefined {
  const live = status === undefined ? undefined : settledPlan(status)?.live;
  if (status === undefined || !isExposed(status.phase) || stable === undefined || stable.ready === true) return live;
  if (stable.ready === undefined || canary.ready === undefined) return 'unknown';
  return canary.ready ? status.canary : live;
}

function restoringWaitsFor(world: World, live: Version | undefined, check: (version: Version) => VersionReadiness): string | undefined {
  const { routed, release, stored } = world;
  // Of a release that never began nothing was moved.
  if (routed === undefined || live === undefined || check(live).ready === false) return undefined;
  const versions = releasedVersions(routed.base, serviceOf(release), [live, ...formerVersions(stored.status)]);
  const missing = versions.find((version) => check(version).ready !== true);
  if (missing === undefined) return undefined;
  const [name, { ready, reason }] = [describeVersion(missing), check(missing)];
  const why = ready === undefined ? `not known yet whether ${name} is ready` : `${name} has no ready endpoints (${reason})`;
  return `the base leads to ${name}: ${why}; delete without restoring to stay at ${describeVersion(live)}`;
}
