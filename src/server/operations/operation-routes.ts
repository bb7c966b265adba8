import { type Context, Hono } from 'hono';
import type { ApiEnv } from '../api-guards.ts';
import { problem, problemResponse } from '../problem.ts';
import { readBody, readQuery } from '../read-call.ts';
import type { Operation } from './operation.ts';

/** A call as its handler gets it: read, and allowed. */
export interface OperationCall<Query, Body> {
  /** Those of the path, by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly c: Context<ApiEnv>;
}

type Handler<Query, Body> = (call: OperationCall<Query, Body>) => Response | Promise<Response>;

/** Routes that are described: the only way to add one, so that there is none that the OpenAPI document does not have. */
export class OperationRoutes {
  readonly app = new Hono<ApiEnv>();

  /** Answers the call that is described, to those who may make it, once its query and body are read by their schemas. */
  serve<Query, Body>(operation: Operation<Query, Body>, handle: Handler<Query, Body>): void {
    const { access, method, path, query: querySchema, body: bodySchema } = operation;
    this.app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (c) => {
      if (access === 'act' && c.get('role') === 'view') {
        return problemResponse(problem(403, 'PERCH4091', `this token may look, and ${c.req.method} ${c.req.path} acts`));
      }
      const query = querySchema === undefined ? undefined : readQuery(c, querySchema);
      if (query instanceof Response) return query;
      const body = bodySchema === undefined ? undefined : await readBody(c, bodySchema);
      if (body instanceof Response) return body;
      // Without a schema the type of either is undefined.
      return await handle({ params: c.req.param(), query: query?.query as Query, body: body?.body as Body, c });
    });
  }
}
