import type { Context } from 'hono';
import type { StoredObject } from '../../cluster/store.ts';
import { canaryReleaseSpec, KIND } from '../../core/release/canary-release.ts';
import type { ApiContext } from '../api-context.ts';
import type { ApiEnv } from '../api-guards.ts';
import { problem, problemResponse } from '../problem.ts';
import { ClusterRoutes, TRIED_KINDS } from './cluster-routes.ts';
import { type TriedRoutes, tryRequest } from './route-trial.ts';
import type { AskedTrial, IdCarrier } from './trial-request.ts';

/** `POST /api/v1/route-trials`: where a request would go on the routes that are served, and why. In a cluster, where no gateway of Perch serves, on those of the store. */
export async function answerTrial(
  { store, served, clusterRoutes = new ClusterRoutes() }: ApiContext,
  asked: AskedTrial,
  c: Context<ApiEnv>,
): Promise<Response> {
  const carriers = carriersOf(await store.list(KIND));
  const routes = async (host: string, port: number): Promise<TriedRoutes> => {
    const own = served?.();
    if (own !== undefined) return { ...own, hidesEndpoints: false, notes: [] };
    return clusterRoutes.of((await Promise.all(TRIED_KINDS.map((kind) => store.list(kind)))).flat(), host, port);
  };
  const answer = await tryRequest(asked, { carriers, routes });
  return answer.ok ? c.json(answer.view) : problemResponse(problem(400, 'PERCH4006', answer.detail));
}

/** How the visitors of stored releases carry their id. */
export function carriersOf(releases: readonly StoredObject[]): readonly IdCarrier[] {
  return releases.flatMap(({ base }) => canaryReleaseSpec.safeParse(base.spec).data ?? []);
}
