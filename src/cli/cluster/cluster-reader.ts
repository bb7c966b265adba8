import { compareCreation } from '../../cluster/creation-order.ts';
import { type ApiObject, storedObject } from '../../cluster/kube/kube-object.ts';
import { kindPath, objectPath } from '../../cluster/kube/kube-resources.ts';
import type { ObjectRef, StoredObject } from '../../cluster/store.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { NotAllowedError } from '../command-error.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import { UnknownKindError } from './explain-kube-error.ts';

/** What could be read, and, in a clause, what could not. */
export interface ReadableStored {
  readonly objects: readonly StoredObject[];
  readonly hidden?: string;
}

/** An object of the API as Perch knows objects: a woven VirtualService with its base. */
export function asStored(object: KubeObject): StoredObject {
  return storedObject(object as ApiObject, undefined, 0);
}

/** All of a kind in a namespace, or in all; in order of creation. */
export async function listStored(
  connection: ClusterConnection,
  kind: string,
  namespace: string | undefined,
): Promise<readonly StoredObject[]> {
  const path = kindPath(kind, namespace);
  return (await connection.list(path)).map(asStored).toSorted(compareCreation);
}

/** Undefined where there is no such object. */
export async function findStored(connection: ClusterConnection, ref: ObjectRef): Promise<StoredObject | undefined> {
  const found = await connection.find(objectPath(ref));
  return found === undefined ? undefined : asStored(found as KubeObject);
}

/** Those of some kinds, of all namespaces where that is allowed, else of those that are named, as far as that is. */
export async function readableStored(
  connection: ClusterConnection,
  kinds: readonly string[],
  namespaces: readonly string[],
): Promise<ReadableStored> {
  const hidden = new Set<string>();
  /** Of the kinds that routes are made of, a cluster may lack some. */
  const isAbsent = (kind: string, error: unknown): boolean => error instanceof UnknownKindError && kind !== RELEASE;
  const read = async (kind: string): Promise<readonly StoredObject[]> => {
    try {
      return await listStored(connection, kind, undefined);
    } catch (error) {
      if (isAbsent(kind, error)) return [];
      if (!(error instanceof NotAllowedError)) throw error;
      hidden.add(`you may read routes of namespace ${namespaces.join(', ')} only`);
    }
    const found = await Promise.all(
      namespaces.map(async (namespace) => {
        try {
          return await listStored(connection, kind, namespace);
        } catch (error) {
          // Who may not list it in all namespaces hears only here that there is no such kind.
          if (isAbsent(kind, error)) return [];
          if (!(error instanceof NotAllowedError)) throw error;
          hidden.add(error.message);
          return [];
        }
      }),
    );
    return found.flat();
  };
  const objects = (await Promise.all(kinds.map(read))).flat().toSorted(compareCreation);
  return hidden.size === 0 ? { objects } : { objects, hidden: [...hidden].join('; ') };
}
