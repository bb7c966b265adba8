import { Hono } from 'hono';
import { asCaller } from '../../cluster/kube/as-caller.ts';
import { type KubeAccess, KubeClient, KubeError } from '../../cluster/kube/kube-client.ts';
import type { KubeStore } from '../../cluster/kube/kube-store.ts';
import { bearerToken } from '../access/require-token.ts';
import { createApi } from '../api.ts';
import type { ApiEnv } from '../api-guards.ts';
import { dashboardRoutes } from '../dashboard-routes.ts';
import type { Probes } from '../probe-routes.ts';
import { type Problem, problem, problemResponse } from '../problem.ts';
import { StreamSlots } from '../stream-slots.ts';
import { ClusterRoutes } from '../views/cluster-routes.ts';
import { AccessReviews } from './access-reviews.ts';
import { callerStore } from './caller-store.ts';
import { NotAllowedError } from './not-allowed-error.ts';

/** What the API of a cluster answers from. */
interface ClusterApiOptions extends Probes {
  readonly store: KubeStore;
  /** Of the controller, which asks who callers are. */
  readonly client: KubeClient;
  readonly access: KubeAccess;
  readonly logError: (message: string, error: unknown) => void;
}

/**
 * The HTTP API of a controller: that of the embedded runtime (docs/architecture.md), for those whom the cluster knows. Each call carries a token of the cluster
 * as `Authorization: Bearer` (RFC 6750); what it shows and does is what the apiserver would let its owner see and do.
 */
export function createClusterApi({ store, client, access, notReady, metrics, logError }: ClusterApiOptions): Hono<ApiEnv> {
  const reviews = new AccessReviews(client, () => performance.now());
  const streams = new StreamSlots();
  const clusterRoutes = new ClusterRoutes();
  const app = new Hono<ApiEnv>();
  // The page itself tells nothing; what it asks for carries the token that its reader gave it.
  app.route('/', dashboardRoutes());
  app.all('*', async (c) => {
    const token = bearerToken(c.req.header('authorization'));
    if (token === undefined)
      return unknownCaller('this takes a token of the cluster, as Authorization: Bearer TOKEN (kubectl create token …)');
    const caller = await reviews.callerOf(token);
    if (caller === undefined) return unknownCaller('the cluster does not know this token; it may have expired');
    const own = new KubeClient(asCaller(access, token));
    const api = createApi({
      store: callerStore({ store, reviews, caller, client: own }),
      // Nothing in a cluster counts visitors yet.
      exposure: () => undefined,
      timeline: () => undefined,
      onSamples: () => () => undefined,
      notReady,
      metrics,
      streams,
      clusterRoutes,
      onNotStored: () => () => undefined,
      problemOf: clusterProblem,
      logError,
    });
    return await api.fetch(c.req.raw, c.env);
  });
  app.onError((error) => {
    const known = clusterProblem(error);
    if (known !== undefined) return problemResponse(known);
    logError('the API failed', error);
    return problemResponse(problem(500, 'PERCH4010', 'the controller failed inside; its log has the details'));
  });
  return app;
}

function unknownCaller(detail: string): Response {
  return problemResponse(problem(401, 'PERCH4080', detail), { 'www-authenticate': 'Bearer realm="perch"' });
}

/** What the cluster’s no is to who asks; undefined where the error is not the cluster’s. */
function clusterProblem(error: unknown): Problem | undefined {
  if (error instanceof NotAllowedError) return problem(403, 'PERCH4081', error.message);
  if (!(error instanceof KubeError)) return undefined;
  if (error.status === 401 || error.status === 403 || error.status === 422) return problem(403, 'PERCH4081', error.message);
  return problem(503, 'PERCH4083', error.message);
}
