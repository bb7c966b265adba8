/** One request to an apiserver, for who counts them. */
export interface KubeCall {
  readonly verb: KubeVerb;
  /** HTTP status of the answer; 0 where none came. */
  readonly status: number;
  /** From asking until the answer began, in ms: a watch goes on after that. */
  readonly tookMs: number;
}

/** As Kubernetes calls what is asked for (https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb). */
export type KubeVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'other';

const VERBS: Readonly<Record<string, KubeVerb>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** The verb of a request as this client makes them: lists have a limit, watches say so. */
export function verbOf(method: string, path: string): KubeVerb {
  if (method !== 'GET') return VERBS[method] ?? 'other';
  const query = new URLSearchParams(path.split('?')[1] ?? '');
  if (query.has('watch')) return 'watch';
  return query.has('limit') ? 'list' : 'get';
}
