import { acceptRequest, handledRequest } from '../../core/release/requests.ts';
import type { HandledRequest, ReleaseRequest } from '../../core/release/status.ts';
import type { ObjectRef } from '../store.ts';
import { findObject } from './find-object.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { type ApiObject, REQUEST_ANNOTATION, storedObject } from './kube-object.ts';
import { objectPath } from './kube-resources.ts';

/** What became of a request that was to be put on a release. */
export type PostedRequest =
  | { readonly kind: 'posted' }
  /** The release has handled it before. */
  | { readonly kind: 'handled'; readonly handled: HandledRequest }
  /** A rollback that was asked for before stands above it. */
  | { readonly kind: 'outranked' }
  | { readonly kind: 'absent' };

/** Who writes, and until when. */
export interface PostOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal;
}

/** Others may write between a look and a write: so often it is looked at again. */
const MOST_TRIES = 20;

/**
 * Puts a request on a release, by a merge patch that names the version that was looked at: whoever was faster may have asked for a rollback.
 * @throws KubeError where the apiserver refuses it.
 */
export async function postRequest(
  client: KubeClient,
  ref: ObjectRef,
  request: ReleaseRequest,
  { fieldManager, signal }: PostOptions,
): Promise<PostedRequest> {
  const path = objectPath(ref);
  const until = signal === undefined ? {} : { signal };
  for (let tries = 1; ; tries++) {
    const found = (await findObject(client, path, until)) as ApiObject | undefined;
    if (found === undefined) return { kind: 'absent' };
    const stored = storedObject(found, undefined, 0);
    const handled = handledRequest(stored.status, request.id);
    if (handled !== undefined) return { kind: 'handled', handled };
    if (!acceptRequest(stored.request, stored.status, request)) return { kind: 'outranked' };
    const { resourceVersion } = found.metadata;
    const body = { metadata: { resourceVersion, annotations: { [REQUEST_ANNOTATION]: JSON.stringify(request) } } };
    try {
      const sent = { method: 'PATCH', body, contentType: 'application/merge-patch+json', ...until };
      await client.request(`${path}?fieldManager=${fieldManager}`, sent);
      return { kind: 'posted' };
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 409 && tries < MOST_TRIES)) throw error;
    }
  }
}
