import { randomUUID } from 'node:crypto';
import type { Hono } from 'hono';
import type { ObjectRef } from '../cluster/store.ts';
import { findingsOfRelease } from '../controller/weaving-findings.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { edgeFindings } from '../core/evidence/edge-findings.ts';
import { canaryReleaseSpec, KIND } from '../core/release/canary-release.ts';
import { REPLACED, ROLLBACK_STANDS } from '../core/release/request-outcome.ts';
import { handledRequest } from '../core/release/requests.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import { describeVisitor } from '../core/release/visitor-sentence.ts';
import { type ApiContext, noSuchObject } from './api-context.ts';
import type { ApiEnv } from './api-guards.ts';
import { applyValues, deleteObject } from './object-routes.ts';
import { OperationRoutes } from './operations/operation-routes.ts';
import { RELEASE_OPERATIONS } from './operations/release-operations.ts';
import { problem, problemResponse, storeErrorStatus } from './problem.ts';
import { historyView, releaseView } from './release-resource.ts';
import { awaitRequest } from './request-outcome.ts';

function refOf({ namespace = '', name = '' }: Readonly<Record<string, string>>): ObjectRef {
  return { kind: KIND, namespace, name };
}

/** What requests show to be wrong with the release's visitor ids. */
async function measuredFindings({ store, exposure }: ApiContext, ref: ObjectRef): Promise<readonly Diagnostic[]> {
  const figures = exposure(ref);
  const spec = canaryReleaseSpec.safeParse((await store.get(ref))?.base.spec);
  if (figures?.counts !== 'visitors' || figures.edge === undefined || !spec.success) return [];
  return edgeFindings(`${ref.namespace}/${ref.name}`, figures.edge, spec.data.visitorId.issueOn);
}

/** `/api/v1/releases`: releases, what is asked of them, and what a visitor sees of them. */
export function releaseRoutes(context: ApiContext): Hono<ApiEnv> {
  const { store } = context;
  const routes = new OperationRoutes();

  routes.serve(RELEASE_OPERATIONS.list, async ({ c }) => {
    const releases = await store.list(KIND);
    return c.json({ items: releases.map((stored) => releaseView(stored, context.exposure(stored.ref))) });
  });

  routes.serve(RELEASE_OPERATIONS.get, async ({ params, c }) => {
    const ref = refOf(params);
    const stored = await store.get(ref);
    return stored === undefined ? noSuchObject(ref) : c.json(releaseView(stored, context.exposure(ref)));
  });

  routes.serve(RELEASE_OPERATIONS.apply, async ({ params, query, body }) => {
    const ref = refOf(params);
    const { name, namespace = ref.namespace } = body.metadata;
    if (name !== ref.name || namespace !== ref.namespace) {
      return problemResponse(problem(400, 'PERCH4006', `the body is ${namespace}/${name}, the address is ${ref.namespace}/${ref.name}`));
    }
    return applyValues(context, [{ ...body, metadata: { ...body.metadata, namespace } }], query);
  });

  routes.serve(RELEASE_OPERATIONS.delete, ({ params, query }) => deleteObject(context, refOf(params), query));

  routes.serve(RELEASE_OPERATIONS.request, async ({ params, query, body, c }) => {
    const ref = refOf(params);
    const { id = randomUUID(), action, full, by } = body;
    const request: ReleaseRequest = { id, action, ...(full === true ? { full } : {}), by };
    if (!(await store.postRequest(ref, request))) {
      const stored = await store.get(ref);
      if (stored === undefined) return noSuchObject(ref);
      const handled = handledRequest(stored.status, request.id);
      if (handled?.outcome === 'refused') return problemResponse(problem(409, 'PERCH4008', handled.message));
      if (handled !== undefined) return c.json({ ...request, outcome: 'done', message: handled.message });
      return problemResponse(problem(409, 'PERCH4008', ROLLBACK_STANDS));
    }
    if (query.wait === undefined) return c.json(request, 202);
    const outcome = await awaitRequest(context, ref, request, query.wait, c.req.raw.signal);
    switch (outcome.kind) {
      case 'done':
        return c.json({ ...request, outcome: 'done', message: outcome.message });
      case 'waiting':
        return c.json(request, 202);
      case 'refused':
        return problemResponse(problem(409, 'PERCH4008', outcome.message));
      case 'replaced':
        return problemResponse(problem(409, 'PERCH4008', REPLACED));
      case 'notStored': {
        const { code, message } = outcome.error;
        return problemResponse(
          problem(storeErrorStatus(outcome.error), code, `${request.action} is asked for and happens as soon as it can: ${message}`),
        );
      }
      case 'gone':
        return noSuchObject(ref);
    }
  });

  routes.serve(RELEASE_OPERATIONS.history, async ({ params, query: { limit, before }, c }) => {
    const ref = refOf(params);
    // One more tells whether there is more.
    const found = await store.history(ref, { limit: limit + 1, ...(before === undefined ? {} : { before }) });
    const isKnown = found.length > 0 || (await store.get(ref)) !== undefined || (await store.history(ref, { limit: 1 })).length > 0;
    return isKnown ? c.json(historyView(found, limit)) : noSuchObject(ref);
  });

  routes.serve(RELEASE_OPERATIONS.findings, async ({ params, c }) => {
    const ref = refOf(params);
    const items = await findingsOfRelease(store, ref);
    return items === undefined ? noSuchObject(ref) : c.json({ items: [...items, ...(await measuredFindings(context, ref))] });
  });

  routes.serve(RELEASE_OPERATIONS.visitor, async ({ params, query, c }) => {
    const ref = refOf(params);
    const stored = await store.get(ref);
    if (stored === undefined) return noSuchObject(ref);
    const described = describeVisitor(releaseView(stored, undefined), params['id'] ?? '', query.told);
    if (described === undefined) return problemResponse(problem(404, 'PERCH4005', 'this is no visitor id, or the release has not begun'));
    return c.json(described);
  });

  return routes.app;
}
