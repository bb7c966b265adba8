import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import { FIRST_INTERVAL_MS } from '../../core/evidence/exposure-timeline.ts';
import { canaryReleaseSpec, KIND } from '../../core/release/canary-release.ts';
import { forecastRequest } from '../../core/release/request-forecast.ts';
import { REQUEST_ACTIONS } from '../../core/release/requests.ts';
import type { ForecastView } from '../../core/view/forecast-view.ts';
import type { TimelineView } from '../../core/view/timeline-view.ts';
import { type ApiContext, noSuchObject, readQuery } from '../api-context.ts';
import type { ApiEnv } from '../api-guards.ts';
import { wovenRoutes } from './woven-routes.ts';

/** Where nothing measures, as in a cluster. */
const UNMEASURED: TimelineView = { counts: 'visitors', intervalMs: FIRST_INTERVAL_MS, items: [] };

const forecastQuery = z
  .strictObject({
    action: z.enum(REQUEST_ACTIONS),
    full: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .optional(),
  })
  .refine(({ action, full }) => full !== true || action === 'promote', { path: ['full'], error: 'only with action promote' });

/** `/api/v1/releases/NS/NAME/...`: what is to be seen of one release beside its resource (core/view has the answers). */
export function releaseViews(context: ApiContext): Hono<ApiEnv> {
  const { store } = context;
  const routes = new Hono<ApiEnv>();

  /** Answers of a release that exists. */
  const view = (path: string, answer: (stored: StoredObject, c: Context<ApiEnv>) => Promise<Response>): void => {
    routes.get(`/:namespace/:name/${path}`, async (c) => {
      const ref: ObjectRef = { kind: KIND, namespace: c.req.param('namespace') ?? '', name: c.req.param('name') ?? '' };
      const stored = await store.get(ref);
      return stored === undefined ? noSuchObject(ref) : answer(stored, c);
    });
  };

  view('timeline', async ({ ref }, c) => c.json(context.timeline(ref) ?? UNMEASURED));
  view('forecast', async (stored, c) => {
    const read = readQuery(c, forecastQuery);
    return read instanceof Response ? read : c.json(forecastOf(stored, context.exposure(stored.ref), read.query));
  });
  view('routes', async ({ ref }, c) => c.json(await wovenRoutes(store, ref)));

  return routes;
}

/** What a request would do to a release as it is stored and measured now. */
function forecastOf(stored: StoredObject, exposure: ExposureSummary | undefined, asked: z.output<typeof forecastQuery>): ForecastView {
  const { ref, base, generation, status, deletionRequestedAt } = stored;
  // The store admits a CanaryRelease only with a valid spec, and keeps it without defaults.
  const spec = canaryReleaseSpec.parse(base.spec);
  const release = { namespace: ref.namespace, name: ref.name, generation, spec };
  return forecastRequest({ release, status, deletion: deletionRequestedAt !== undefined, exposure, now: Date.now() }, asked);
}
