import type { ObjectRef } from '../store.ts';
import { findObject } from './find-object.ts';
import type { KubeClient } from './kube-client.ts';
import { ON_DELETE_ANNOTATION, RESTORE_BASE } from './kube-object.ts';
import { objectPath } from './kube-resources.ts';
import type { PostOptions } from './post-request.ts';

/**
 * Asks for the deletion of a release; it goes once its routes were taken out. `restoreBase`: they go back to where their owner had sent them. False where
 * there is no such release. @throws KubeError where the apiserver refuses it.
 */
export async function deleteRelease(
  client: KubeClient,
  ref: ObjectRef,
  { restoreBase, fieldManager, signal }: PostOptions & { readonly restoreBase: boolean },
): Promise<boolean> {
  const path = objectPath(ref);
  const until = signal === undefined ? {} : { signal };
  if (restoreBase) {
    const body = { metadata: { annotations: { [ON_DELETE_ANNOTATION]: RESTORE_BASE } } };
    const patch = { method: 'PATCH', body, contentType: 'application/merge-patch+json', ...until };
    if ((await findObject(client, `${path}?fieldManager=${fieldManager}`, patch)) === undefined) return false;
  }
  return (await findObject(client, path, { method: 'DELETE', ...until })) !== undefined;
}
