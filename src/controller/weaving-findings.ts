import type { ObjectLists, ObjectRef } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { isUnderWay } from '../core/release/phase.ts';
import { planOf, trialPlan } from '../core/release/route-plan.ts';
import type { DesiredRoutes } from './desired-route-set.ts';
import { desiredRoutes } from './desired-routes.ts';
import { httpAcceptance } from './http-routes.ts';
import { takeoverObstacle } from './takeover.ts';
import { unreadNamespaces } from './unread-namespaces.ts';
import { readWorld, type World } from './world.ts';

/** All that weaving says about a release and its bases as they are; `current` are its routes by its status. */
export function weavingFindings(world: World, current: DesiredRoutes): readonly Diagnostic[] {
  const { release, stored } = world;
  const obstacle = takeoverObstacle(world);
  if (obstacle !== undefined) return [obstacle];
  const unread = unreadNamespaces(world);
  // Under way routes are woven wherever they are served: a rollback waits for nobody.
  const accepted = stored.status !== undefined && isUnderWay(stored.status.phase) ? [] : httpAcceptance(world);
  if (accepted.length > 0) return [...unread, ...accepted];
  // Between releases the routes say nothing about the next one: that is tried.
  const isUnderway = stored.status !== undefined && isUnderWay(stored.status.phase);
  return [...unread, ...(isUnderway ? current : desiredRoutes(world, trialPlan(release, stored.status))).diagnostics];
}

/** The same for a release of the store; undefined where there is none of that name. */
export async function findingsOfRelease(store: ObjectLists, ref: ObjectRef): Promise<readonly Diagnostic[] | undefined> {
  const world = await readWorld(store, ref);
  if (world === undefined) return undefined;
  const { status } = world.stored;
  return weavingFindings(world, desiredRoutes(world, status === undefined ? undefined : planOf(status)));
}
