import { once } from 'node:events';
import { kindPath } from '../../cluster/kube/kube-resources.ts';
import { Reflector } from '../../cluster/kube/reflector.ts';
import { refOf } from '../../cluster/manifest.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import { asStored } from './cluster-reader.ts';

/** What a watch tells of the objects of a kind. */
export type StoredChange =
  | { readonly kind: 'all'; readonly objects: readonly StoredObject[] }
  | { readonly kind: 'changed'; readonly object: StoredObject }
  | { readonly kind: 'deleted'; readonly ref: ObjectRef };

/**
 * Watches the objects of a kind in a namespace, or in all, until `signal` aborts; gives what was told since it was asked last. Begins with all of them.
 * What breaks the watch is thrown, explained: whoever wants to go on begins anew.
 */
export async function* followStored(
  connection: ClusterConnection,
  kind: string,
  namespace: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredChange[]> {
  let told: StoredChange[] = [];
  let failure: { readonly error: unknown } | undefined;
  const news = new EventTarget();
  const tell = (change: StoredChange): void => {
    told.push(change);
    news.dispatchEvent(new Event('news'));
  };
  const reflector = new Reflector({
    client: connection.client,
    path: kindPath(kind, namespace),
    handler: {
      replaced: (objects) => tell({ kind: 'all', objects: objects.map(asStored) }),
      applied: (object) => tell({ kind: 'changed', object: asStored(object) }),
      deleted: (object) => tell({ kind: 'deleted', ref: refOf(object) }),
      failed: (error) => {
        failure = { error: connection.explain(error) };
        news.dispatchEvent(new Event('news'));
      },
    },
  });
  try {
    while (!signal.aborted) {
      if (told.length > 0) {
        const changes = told;
        told = [];
        yield changes;
      } else if (failure !== undefined) {
        throw failure.error;
      } else {
        await once(news, 'news', { signal }).catch(() => undefined);
      }
    }
  } finally {
    await reflector.stop();
  }
}
