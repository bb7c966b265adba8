import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { z } from 'zod';
import type { ObjectRef } from '../cluster/store.ts';
import { findingsOfRelease } from '../controller/weaving-findings.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import { edgeFindings } from '../core/evidence/edge-findings.ts';
import { canaryReleaseSpec, KIND } from '../core/release/canary-release.ts';
import { MAX_EVENTS } from '../core/release/release-event.ts';
import { REPLACED, ROLLBACK_STANDS } from '../core/release/request-outcome.ts';
import { handledRequest, REQUEST_ACTIONS } from '../core/release/requests.ts';
import type { ReleaseRequest } from '../core/release/status.ts';
import { describeVisitor } from '../core/release/visitor-sentence.ts';
import { type ApiContext, noSuchObject, readBody, readQuery, whoAsks } from './api-context.ts';
import type { ApiEnv } from './api-guards.ts';
import { applyValues, deleteObject } from './object-routes.ts';
import { problem, problemResponse, storeErrorStatus } from './problem.ts';
import { historyView, releaseView } from './release-resource.ts';
import { awaitRequest } from './request-outcome.ts';

/** Longest that one call waits for a request's outcome, in ms. */
const MAX_WAIT_MS = 600_000;

const requestBody = z
  .strictObject({
    action: z.enum(REQUEST_ACTIONS),
    full: z.boolean().optional(),
    by: z.string().min(1).max(200),
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, dots, hyphens or underscores')
      .optional(),
  })
  .refine(({ action, full }) => full !== true || action === 'promote', { path: ['full'], error: 'only with action promote' });
const requestQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,6}$/, 'milliseconds')
    .transform(Number)
    .refine((ms) => ms <= MAX_WAIT_MS, `at most ${MAX_WAIT_MS} milliseconds`)
    .optional(),
});
const changeQuery = z.strictObject(whoAsks);
const deletionQuery = z.strictObject({
  ...whoAsks,
  restoreBase: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .default(false),
});
const historyQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, `1 to ${MAX_EVENTS}`)
    .transform(Number)
    .refine((count) => count <= MAX_EVENTS, `at most ${MAX_EVENTS}`)
    .default(100),
  before: z
    .string()
    .regex(/^\d{1,15}$/, 'the id of an event')
    .transform(Number)
    .optional(),
});
/** What the edge told about the visitor, as behind it in the baggage: counts where ids say nothing. */
const visitorQuery = z.strictObject({ told: z.enum(['canary', 'stable']).optional() });
const releaseBody = z.looseObject({
  kind: z.literal(KIND),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

function refOf(params: { readonly namespace: string; readonly name: string }): ObjectRef {
  return { kind: KIND, namespace: params.namespace, name: params.name };
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
  const routes = new Hono<ApiEnv>();

  routes.get('/', async (c) => {
    const releases = await store.list(KIND);
    return c.json({ items: releases.map((stored) => releaseView(stored, context.exposure(stored.ref))) });
  });

  routes.get('/:namespace/:name', async (c) => {
    const ref = refOf(c.req.param());
    const stored = await store.get(ref);
    return stored === undefined ? noSuchObject(ref) : c.json(releaseView(stored, context.exposure(ref)));
  });

  routes.put('/:namespace/:name', async (c) => {
    const ref = refOf(c.req.param());
    const asked = readQuery(c, changeQuery);
    if (asked instanceof Response) return asked;
    const read = await readBody(c, releaseBody);
    if (read instanceof Response) return read;
    const { name, namespace = ref.namespace } = read.body.metadata;
    if (name !== ref.name || namespace !== ref.namespace) {
      return problemResponse(problem(400, 'PERCH4006', `the body is ${namespace}/${name}, the address is ${ref.namespace}/${ref.name}`));
    }
    return applyValues(context, [{ ...read.body, metadata: { ...read.body.metadata, namespace } }], asked.query);
  });

  routes.delete('/:namespace/:name', async (c) => {
    const ref = refOf(c.req.param());
    const read = readQuery(c, deletionQuery);
    return read instanceof Response ? read : deleteObject(context, ref, read.query);
  });

  routes.post('/:namespace/:name/requests', async (c) => {
    const ref = refOf(c.req.param());
    const read = await readBody(c, requestBody);
    if (read instanceof Response) return read;
    const asked = readQuery(c, requestQuery);
    if (asked instanceof Response) return asked;
    const { id = randomUUID(), action, full, by } = read.body;
    const request: ReleaseRequest = { id, action, ...(full === true ? { full } : {}), by };
    if (!(await store.postRequest(ref, request))) {
      const stored = await store.get(ref);
      if (stored === undefined) return noSuchObject(ref);
      const handled = handledRequest(stored.status, request.id);
      if (handled?.outcome === 'refused') return problemResponse(problem(409, 'PERCH4008', handled.message));
      if (handled !== undefined) return c.json({ ...request, outcome: 'done', message: handled.message });
      return problemResponse(problem(409, 'PERCH4008', ROLLBACK_STANDS));
    }
    const { wait } = asked.query;
    if (wait === undefined) return c.json(request, 202);
    const outcome = await awaitRequest(context, ref, request, wait, c.req.raw.signal);
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

  routes.get('/:namespace/:name/history', async (c) => {
    const ref = refOf(c.req.param());
    const read = readQuery(c, historyQuery);
    if (read instanceof Response) return read;
    const { limit, before } = read.query;
    // One more tells whether there is more.
    const found = await store.history(ref, { limit: limit + 1, ...(before === undefined ? {} : { before }) });
    const isKnown = found.length > 0 || (await store.get(ref)) !== undefined || (await store.history(ref, { limit: 1 })).length > 0;
    return isKnown ? c.json(historyView(found, limit)) : noSuchObject(ref);
  });

  routes.get('/:namespace/:name/findings', async (c) => {
    const ref = refOf(c.req.param());
    const items = await findingsOfRelease(store, ref);
    return items === undefined ? noSuchObject(ref) : c.json({ items: [...items, ...(await measuredFindings(context, ref))] });
  });

  routes.get('/:namespace/:name/visitors/:id', async (c) => {
    const { id, ...params } = c.req.param();
    const ref = refOf(params);
    const asked = readQuery(c, visitorQuery);
    if (asked instanceof Response) return asked;
    const stored = await store.get(ref);
    if (stored === undefined) return noSuchObject(ref);
    const described = describeVisitor(releaseView(stored, undefined), id, asked.query.told);
    if (described === undefined) return problemResponse(problem(404, 'PERCH4005', 'this is no visitor id, or the release has not begun'));
    return c.json(described);
  });

  return routes;
}
