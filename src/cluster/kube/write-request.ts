import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import { refOf } from '../manifest.ts';
import type { KubeRequest } from './kube-client.ts';
import type { ApiObject } from './kube-object.ts';
import { objectPath } from './kube-resources.ts';
import { FIELD_MANAGER } from './managed-fields.ts';

/** One write to the API, under the one name that Perch writes by. */
export interface WriteRequest extends KubeRequest {
  /** Without a query. */
  readonly path: string;
  /** Takes fields from others who own them; only for a server-side apply. */
  readonly force?: boolean;
}

/** Content type of a server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/). */
export const APPLY = 'application/apply-patch+yaml';
/** Content type of a JSON merge patch (RFC 7386). */
export const MERGE = 'application/merge-patch+json';

/**
 * What follows the path of a write. A cluster whose HTTPRoutes have no names of rules would drop those, and with them all that tells the base: it has to
 * refuse them.
 */
export function writeQuery({ body, force = false }: Pick<WriteRequest, 'body' | 'force'>): string {
  const isStrict = typeof body === 'object' && body !== null && 'kind' in body && body.kind === HTTP_ROUTE;
  return `?fieldManager=${FIELD_MANAGER}${force ? '&force=true' : ''}${isStrict ? '&fieldValidation=Strict' : ''}`;
}

/** Puts an object in place of the very version that it names: any other is a conflict. */
export function replacing(object: ApiObject, subresource: '' | '/status' = ''): WriteRequest {
  return { path: `${objectPath(refOf(object))}${subresource}`, method: 'PUT', body: object };
}

/** Gives an object these finalizers. It changes nothing else of it: its spec may not be the one that the controller goes by. */
export function withFinalizers(object: ApiObject, finalizers: readonly string[]): WriteRequest {
  const { resourceVersion } = object.metadata;
  const body = { metadata: { resourceVersion, finalizers } };
  return { path: objectPath(refOf(object)), method: 'PATCH', body, contentType: MERGE };
}
