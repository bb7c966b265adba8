import { type Context, Hono } from 'hono';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import { FIRST_INTERVAL_MS } from '../../core/evidence/exposure-timeline.ts';
import { KIND } from '../../core/release/canary-release.ts';
import type { TimelineView } from '../../core/view/timeline-view.ts';
import { type ApiContext, noSuchObject } from '../api-context.ts';
import type { ApiEnv } from '../api-guards.ts';
import { wovenRoutes } from './woven-routes.ts';

/** Where nothing measures, as in a cluster. */
const UNMEASURED: TimelineView = { counts: 'visitors', intervalMs: FIRST_INTERVAL_MS, items: [] };

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
  view('routes', async ({ ref }, c) => c.json(await wovenRoutes(store, ref)));

  return routes;
}
