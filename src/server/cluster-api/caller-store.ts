import { deleteRelease } from '../../cluster/kube/delete-release.ts';
import type { KubeClient } from '../../cluster/kube/kube-client.ts';
import { groupResource, KUBE_KINDS } from '../../cluster/kube/kube-resources.ts';
import type { KubeStore } from '../../cluster/kube/kube-store.ts';
import { listObjects } from '../../cluster/kube/list-objects.ts';
import { postRequest } from '../../cluster/kube/post-request.ts';
import { releaseEvents } from '../../cluster/kube/release-events.ts';
import type { StoredObject } from '../../cluster/store.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import type { ApiStore } from '../api-store.ts';
import type { Access, AccessReviews, Caller } from './access-reviews.ts';
import { awaitRequestSeen } from './await-request-seen.ts';
import { NotAllowedError } from './not-allowed-error.ts';

/** As whom requests over the API are written: their manager in the cluster's account of fields. */
const FIELD_MANAGER = 'perch-api';

/** Whose store it is, and what it rests on. */
interface CallerStoreOptions {
  readonly store: KubeStore;
  readonly reviews: AccessReviews;
  readonly caller: Caller;
  /** Asks the apiserver with the caller's own token. */
  readonly client: KubeClient;
}

/**
 * What of a cluster its apiserver would let the caller see, read from what the controller holds anyway; what they ask for is asked of the apiserver with their
 * own token, so that it decides, and its audit log has their name.
 */
export function callerStore({ store, reviews, caller, client }: CallerStoreOptions): ApiStore {
  const may = (verb: Access['verb'], kind: string, namespace: string, name?: string): Promise<boolean> =>
    reviews.may(caller, { verb, ...groupResource(kind), namespace, ...(name === undefined ? {} : { name }) });

  const listed = async (kind: string, namespace: string | undefined): Promise<readonly StoredObject[]> => {
    const objects = await store.list(kind, namespace);
    if (await may('list', kind, '')) return objects;
    if (namespace !== undefined && !(await may('list', kind, namespace))) {
      throw new NotAllowedError(`${caller.username} may not list ${groupResource(kind).resource} in namespace ${namespace}`);
    }
    const namespaces = [...new Set(objects.map(({ ref }) => ref.namespace))];
    const answers = await Promise.all(namespaces.map((each) => may('list', kind, each)));
    const visible = new Set(namespaces.filter((_, index) => answers[index]));
    return objects.filter(({ ref }) => visible.has(ref.namespace));
  };
  const list = async (path: string, query: Readonly<Record<string, string>>) => (await listObjects(client, path, {}, query)).objects;
  const isKnown = (kind: string): boolean => KUBE_KINDS.includes(kind);

  return {
    revision: () => store.revision(),
    // What is served stands in the status: steps begin, and rollbacks end, once the controller that leads has their routes confirmed.
    servedRevision: () => store.revision(),
    onServed: (listener) => store.onServed(() => listener(store.revision())),
    // Only that something changed; what it is, they have to read.
    watch: (listener) => store.watch(listener),
    async get(ref) {
      if (!isKnown(ref.kind)) return undefined;
      if (!(await may('get', ref.kind, ref.namespace, ref.name))) {
        throw new NotAllowedError(`${caller.username} may not get ${groupResource(ref.kind).resource} in namespace ${ref.namespace}`);
      }
      return await store.get(ref);
    },
    async list(kind, namespace) {
      if (kind !== undefined) return isKnown(kind) ? await listed(kind, namespace) : [];
      if (namespace === undefined) return await everything(store, may, caller);
      const lists = await Promise.all(KUBE_KINDS.map((each) => listed(each, namespace)));
      return lists.flat();
    },
    async apply() {
      return {
        ok: false,
        diagnostics: [
          {
            code: 'PERCH4082',
            severity: 'error',
            message: 'in a cluster, objects are applied to the cluster itself',
            hint: 'kubectl apply -f FILE, or perch apply --kubeconfig FILE -f FILE',
          },
        ],
      };
    },
    async requestDeletion(ref, options = {}) {
      if (ref.kind === RELEASE) {
        const isThere = await deleteRelease(client, ref, { restoreBase: options.restoreBase === true, fieldManager: FIELD_MANAGER });
        return { kind: isThere ? 'accepted' : 'absent' };
      }
      return {
        kind: 'refused',
        diagnostics: [
          {
            code: 'PERCH4082',
            severity: 'error',
            message: `in a cluster, ${ref.kind} ${ref.namespace}/${ref.name} is deleted in the cluster itself`,
            hint: 'kubectl delete, or perch delete --kubeconfig FILE',
          },
        ],
      };
    },
    async postRequest(ref, request) {
      const posted = await postRequest(client, ref, request, { fieldManager: FIELD_MANAGER });
      if (posted.kind === 'posted') await awaitRequestSeen(store, ref, request.id);
      return posted.kind === 'posted';
    },
    async history(ref, { limit, before = Number.POSITIVE_INFINITY }) {
      return (await releaseEvents(list, ref.namespace, ref.name)).filter(({ id }) => id < before).slice(0, limit);
    },
  };
}

/** All objects of all kinds: what weaving judges routes by. Of a part of them it would say what is not so. */
async function everything(
  store: KubeStore,
  may: (verb: 'list', kind: string, namespace: string) => Promise<boolean>,
  { username }: Caller,
): Promise<readonly StoredObject[]> {
  const answers = await Promise.all(KUBE_KINDS.map((kind) => may('list', kind, '')));
  const hidden = KUBE_KINDS.filter((_, index) => answers[index] !== true).map((kind) => groupResource(kind).resource);
  if (hidden.length > 0) throw new NotAllowedError(`${username} may not list ${hidden.join(', ')} in all namespaces`);
  return await store.list();
}
