import type { Hono } from 'hono';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import { FIRST_INTERVAL_MS } from '../../core/evidence/exposure-timeline.ts';
import { canaryReleaseSpec, KIND } from '../../core/release/canary-release.ts';
import { MAX_EVENTS } from '../../core/release/release-event.ts';
import { forecastRequest } from '../../core/release/request-forecast.ts';
import { stepTimes } from '../../core/release/step-times.ts';
import type { ForecastView } from '../../core/view/forecast-view.ts';
import type { TimelineView } from '../../core/view/timeline-view.ts';
import { type ApiContext, noSuchObject } from '../api-context.ts';
import type { ApiEnv } from '../api-guards.ts';
import type { Operation } from '../operations/operation.ts';
import { OperationRoutes } from '../operations/operation-routes.ts';
import { VIEW_OPERATIONS } from '../operations/view-operations.ts';
import { compareSchemes } from './compare-schemes.ts';
import { wovenRoutes } from './woven-routes.ts';

/** Where nothing measures, as in a cluster. */
const UNMEASURED: TimelineView = { counts: 'visitors', intervalMs: FIRST_INTERVAL_MS, items: [] };

/** `/api/v1/releases/NS/NAME/...`: what is to be seen of one release beside its resource (core/view has the answers). */
export function releaseViews(context: ApiContext): Hono<ApiEnv> {
  const { store } = context;
  const routes = new OperationRoutes();

  /** Answers of a release that exists. */
  const view = <Query>(of: Operation<Query, undefined>, answer: (stored: StoredObject, query: Query) => unknown): void => {
    routes.serve(of, async ({ params: { namespace = '', name = '' }, query, c }) => {
      const ref: ObjectRef = { kind: KIND, namespace, name };
      const stored = await store.get(ref);
      return stored === undefined ? noSuchObject(ref) : c.json((await answer(stored, query)) as object);
    });
  };

  view(VIEW_OPERATIONS.timeline, ({ ref }) => context.timeline(ref) ?? UNMEASURED);
  view(VIEW_OPERATIONS.forecast, (stored, query) => forecastOf(stored, context.exposure(stored.ref), query));
  view(VIEW_OPERATIONS.comparison, async (stored) => {
    const { steps } = canaryReleaseSpec.parse(stored.base.spec);
    const events = await store.history(stored.ref, { limit: MAX_EVENTS });
    return await compareSchemes(stepTimes({ steps }, stored.status, events, Date.now()));
  });
  view(VIEW_OPERATIONS.routes, ({ ref }) => wovenRoutes(store, ref));

  return routes.app;
}

/** What a request would do to a release as it is stored and measured now. */
function forecastOf(
  stored: StoredObject,
  exposure: ExposureSummary | undefined,
  asked: Parameters<typeof forecastRequest>[1],
): ForecastView {
  const { ref, base, generation, status, deletionRequestedAt } = stored;
  // The store admits a CanaryRelease only with a valid spec, and keeps it without defaults.
  const spec = canaryReleaseSpec.parse(base.spec);
  const release = { namespace: ref.namespace, name: ref.name, generation, spec };
  return forecastRequest({ release, status, deletion: deletionRequestedAt !== undefined, exposure, now: Date.now() }, asked);
}
