import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { StoreError } from '../cluster/store-errors.ts';
import { requireToken } from './access/require-token.ts';
import type { ApiContext } from './api-context.ts';
import { type ApiEnv, refuseForeignPages } from './api-guards.ts';
import { dashboardRoutes } from './dashboard-routes.ts';
import { eventStream } from './event-stream.ts';
import { objectRoutes } from './object-routes.ts';
import { type ApiAccess, OPEN_ON_LOOPBACK } from './open-api.ts';
import { openApiDocument } from './operations/open-api-document.ts';
import { OperationRoutes } from './operations/operation-routes.ts';
import { RUNTIME_OPERATIONS } from './operations/runtime-operations.ts';
import { VIEW_OPERATIONS } from './operations/view-operations.ts';
import { probeRoutes } from './probe-routes.ts';
import { problem, problemResponse, storeErrorStatus } from './problem.ts';
import { releaseRoutes } from './release-routes.ts';
import { answerTrial } from './views/answer-trial.ts';
import { releaseViews } from './views/release-views.ts';

/**
 * The HTTP API of a runtime, as listed in docs/reference/openapi.json, for those to whom `access` is given. Errors are RFC 9457 problem documents with a stable code.
 */
export function createApi(context: ApiContext, access: ApiAccess = OPEN_ON_LOOPBACK): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => wrongMethod(c.req.method, c.req.path, methods) }));
  app.use(async (c, next) => {
    await next();
    // Answers are of this moment, and no other site's page may embed or guess at them. Only the files of the page say how long they last.
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    c.header('cross-origin-resource-policy', 'same-origin');
  });
  app.use(refuseForeignPages(access));
  // The page asks for nothing by itself, and who probes has no token.
  const withToken = requireToken(access.tokens);
  app.use('/api/*', withToken);
  app.use('/metrics', withToken);

  app.route('/', dashboardRoutes());
  app.route('/', probeRoutes(context));
  app.route('/', releaseRoutes(context));
  app.route('/', releaseViews(context));
  app.route('/', objectRoutes(context));
  const others = new OperationRoutes();
  others.serve(VIEW_OPERATIONS.routeTrial, ({ body, c }) => answerTrial(context, body, c));
  others.serve(RUNTIME_OPERATIONS.events, ({ c }) => eventStream(context, c));
  others.serve(RUNTIME_OPERATIONS.openApi, ({ c }) => c.json(openApiDocument()));
  app.route('/', others.app);

  app.notFound((c) => problemResponse(problem(404, 'PERCH4004', `there is nothing at ${c.req.path}`)));
  app.onError((error, c) => {
    // A full disk, for one: the message says what it is and that nothing was changed.
    if (error instanceof StoreError) return problemResponse(problem(storeErrorStatus(error), error.code, error.message));
    const known = context.problemOf?.(error);
    if (known !== undefined) return problemResponse(known);
    context.logError(`${c.req.method} ${c.req.path} failed`, error);
    return problemResponse(problem(500, 'PERCH4010', 'the runtime failed inside; its log has the details'));
  });
  return app;
}

function wrongMethod(method: string, path: string, methods: readonly string[]): Response {
  const allow = methods.join(', ');
  return problemResponse(problem(405, 'PERCH4004', `${path} does not allow ${method}, only ${allow}`), { allow });
}
