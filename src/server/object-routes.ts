import type { Hono } from 'hono';
import { refText } from '../cluster/manifest.ts';
import type { ObjectRef, StoredObject } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND } from '../core/release/canary-release.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { readKubeObject } from '../core/source/kube-object.ts';
import { type ApiContext, noSuchObject } from './api-context.ts';
import type { ApiEnv } from './api-guards.ts';
import type { ApiStore } from './api-store.ts';
import { OBJECT_OPERATIONS } from './operations/object-operations.ts';
import { OperationRoutes } from './operations/operation-routes.ts';
import { problem, problemResponse } from './problem.ts';
import { objectView } from './release-resource.ts';

function refOf({ kind = '', namespace = '', name = '' }: Readonly<Record<string, string>>): ObjectRef {
  return { kind, namespace, name };
}

/** Who asks, where they say so. */
interface Who {
  readonly by?: string | undefined;
}

function named({ by }: Who): { readonly by?: string } {
  return by === undefined ? {} : { by };
}

/** Reads each value as a Kubernetes-style object and applies them all, or answers with everything that is wrong with them. */
export async function applyValues({ store }: ApiContext, values: readonly unknown[], who: Who): Promise<Response> {
  const objects: KubeObject[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const value of values) {
    const read = readKubeObject(value);
    diagnostics.push(...read.diagnostics);
    if (read.object !== undefined) objects.push(read.object);
  }
  const refused = (found: readonly Diagnostic[]): Response => {
    const errors = found.filter((diagnostic) => diagnostic.severity === 'error').length;
    return problemResponse(problem(422, 'PERCH4007', `${errors} ${errors === 1 ? 'error' : 'errors'}; nothing was changed`, found));
  };
  if (diagnostics.length > 0) return refused(diagnostics);
  const result = await store.apply('api', objects, named(who));
  if (!result.ok) return refused(result.diagnostics);
  return Response.json({ outcomes: result.outcomes, warnings: result.warnings, revision: result.revision });
}

/** Asks for the deletion of an object, and answers with what becomes of it. */
export async function deleteObject(
  { store }: ApiContext,
  ref: ObjectRef,
  { restoreBase = false, ...who }: Who & { readonly restoreBase?: boolean },
): Promise<Response> {
  const result = await store.requestDeletion(ref, { restoreBase, ...named(who) });
  switch (result.kind) {
    case 'absent':
      return noSuchObject(ref);
    case 'refused':
      return problemResponse(problem(409, 'PERCH4011', result.diagnostics.map(({ message }) => message).join('; '), result.diagnostics));
    case 'accepted':
      // A release goes once its routes were taken out of the user's; everything else is gone now.
      return ref.kind === KIND ? Response.json({ ...ref, ...(await staysBehind(store, ref)) }, { status: 202 }) : Response.json(ref);
  }
}

/** What a release that was deleted leaves, in a sentence; nothing where it owns nothing. */
async function staysBehind(store: ApiStore, release: ObjectRef): Promise<{ readonly message?: string }> {
  const own = `${release.namespace}/${release.name}`;
  const owned = (await store.list('VirtualService')).filter(({ base }) => ownerOf(base) === own);
  if (owned.length === 0) return {};
  return { message: `${owned.map(({ ref }) => refText(ref)).join(', ')}, which it owns, stays as an ordinary one` };
}

/** `/api/v1/objects`: every object, as it is served or as its owner applied it. */
export function objectRoutes(context: ApiContext): Hono<ApiEnv> {
  const { store } = context;
  const routes = new OperationRoutes();

  routes.serve(OBJECT_OPERATIONS.list, async ({ query: { kind, namespace, view }, c }) => {
    const objects: readonly StoredObject[] = await store.list(kind, namespace);
    return c.json({ items: objects.map((stored) => objectView(stored, view)) });
  });

  routes.serve(OBJECT_OPERATIONS.apply, ({ query, body }) => applyValues(context, body.objects, query));

  routes.serve(OBJECT_OPERATIONS.get, async ({ params, query, c }) => {
    const ref = refOf(params);
    const stored = await store.get(ref);
    return stored === undefined ? noSuchObject(ref) : c.json(objectView(stored, query.view));
  });

  routes.serve(OBJECT_OPERATIONS.delete, ({ params, query }) => deleteObject(context, refOf(params), query));

  return routes.app;
}
