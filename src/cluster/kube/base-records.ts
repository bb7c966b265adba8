import { hash } from 'node:crypto';
import type { KubeObject } from '../../core/istio/resources.ts';
import { canonicalJson, manifestOf, refText, sameJson } from '../manifest.ts';
import type { ObjectRef, StoredObject } from '../store.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { ApiObject } from './kube-object.ts';
import { collectionPath } from './kube-resources.ts';
import { FIELD_MANAGER } from './managed-fields.ts';

/** Where records are written, and who hears where one could not be. */
interface BaseRecordsOptions {
  readonly client: Pick<KubeClient, 'request'>;
  /** Asked before each write: whether this process may. */
  readonly mayWrite: () => boolean;
  readonly onError: (message: string, error: unknown) => void;
}

/** What is recorded of one object. */
interface Recorded {
  readonly uid: string;
  /** Names of its records, the oldest first. */
  readonly names: readonly string[];
  /** The last one, where this process wrote or saw it. */
  readonly base?: KubeObject;
}

/** Whose record it is (meta/v1 OwnerReference). */
interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller: true;
}

/** As much of a ControllerRevision as a list of metadata gives. */
interface ListedRevision {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly ownerReferences?: readonly Pick<Owner, 'kind' | 'name' | 'uid'>[];
  };
}

/** So many are kept of an object: what it was, and what it was before. */
const KEPT = 3;
const PAGE = 500;
const LABELS = { 'app.kubernetes.io/managed-by': 'perch' };
/** Of a digest, in a name; and of the object's name before it (a name has at most 253 characters). */
const DIGEST = 10;
const NAME = 240;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/**
 * Keeps the bases of woven VirtualServices as ControllerRevisions (apps/v1) beside them, for people: Perch itself reads the base from what is woven. They
 * belong to the VirtualService, not to the release, so that they are there as long as it is, whatever becomes of releases and of Perch. Nothing waits for
 * them: they are written one after the other, behind everything else.
 */
export class BaseRecords {
  readonly #options: BaseRecordsOptions;
  /** By namespace, and by the names of objects; read when the first one of a namespace is written. */
  readonly #known = new Map<string, Map<string, Recorded>>();
  #working = Promise.resolve();

  constructor(options: BaseRecordsOptions) {
    this.#options = options;
  }

  /** Another process may have written meanwhile: what there is will be read again. */
  reset(): void {
    this.#known.clear();
  }

  forget(ref: ObjectRef): void {
    this.#known.get(ref.namespace)?.delete(refText(ref));
  }

  /** Records the base of an object, unless it is the last one recorded; `raw` is the object as the API has it. */
  keep({ ref, base }: StoredObject, { metadata: { uid = '', generation = 1 }, apiVersion }: ApiObject): void {
    this.#working = this.#working.then(async () => {
      if (!this.#options.mayWrite()) return;
      try {
        await this.#keep(ref, base, { apiVersion, kind: ref.kind, name: ref.name, uid, controller: true }, generation);
      } catch (error) {
        this.#options.onError(`the base of ${refText(ref)} could not be recorded`, error);
      }
    });
  }

  async #keep(ref: ObjectRef, base: KubeObject, owner: Owner, revision: number): Promise<void> {
    const key = refText(ref);
    const inNamespace = this.#known.get(ref.namespace) ?? (await this.#read(ref));
    this.#known.set(ref.namespace, inNamespace);
    const known = inNamespace.get(key);
    const { names, base: last }: Recorded = known?.uid === owner.uid ? known : { uid: owner.uid, names: [] };
    if (last !== undefined && sameJson(last, base)) {
      // The same again is all that is needed: what it was before need not be kept in memory.
      inNamespace.set(key, { uid: owner.uid, names, base });
      return;
    }
    const data = manifestOf(base);
    const name = nameOf(ref.name, owner.uid, data);
    if (names.at(-1) !== name) {
      // One that comes back is the last one again.
      if (names.includes(name)) await this.#delete(ref, name);
      const metadata = { name, namespace: ref.namespace, labels: LABELS, ownerReferences: [owner] };
      await this.#create(ref, { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata, data, revision });
    }
    const all = [...names.filter((each) => each !== name), name];
    inNamespace.set(key, { uid: owner.uid, names: all.slice(-KEPT), base });
    for (const each of all.slice(0, -KEPT)) await this.#delete(ref, each);
  }

  async #create(ref: ObjectRef, body: object): Promise<void> {
    try {
      await this.#options.client.request(`${pathOf(ref)}?fieldManager=${FIELD_MANAGER}`, { method: 'POST', body });
    } catch (error) {
      // The same base, so it is the same.
      if (!(error instanceof KubeError) || error.reason !== 'AlreadyExists') throw error;
    }
  }

  async #delete(ref: ObjectRef, name: string): Promise<void> {
    try {
      await this.#options.client.request(`${pathOf(ref)}/${name}`, { method: 'DELETE' });
    } catch (error) {
      if (!(error instanceof KubeError) || error.status !== 404) throw error;
    }
  }

  /** What is recorded of all objects of a namespace, without the bases. */
  async #read(ref: ObjectRef): Promise<Map<string, Recorded>> {
    const found: ListedRevision[] = [];
    let next = '';
    do {
      const query = new URLSearchParams({
        labelSelector: Object.entries(LABELS)
          .map((pair) => pair.join('='))
          .join(','),
        limit: String(PAGE),
        ...(next === '' ? {} : { continue: next }),
      });
      const page = (await this.#options.client.request(`${pathOf(ref)}?${query}`, { accept: METADATA_ONLY })) as {
        readonly metadata?: { readonly continue?: string };
        readonly items?: readonly ListedRevision[];
      };
      found.push(...(page.items ?? []));
      next = page.metadata?.continue ?? '';
    } while (next !== '');
    const known = new Map<string, Recorded>();
    for (const { metadata } of found.toSorted(byAge)) {
      for (const { kind, name, uid } of metadata.ownerReferences ?? []) {
        const key = refText({ kind, namespace: metadata.namespace, name });
        const former = known.get(key);
        known.set(key, { uid, names: [...(former?.uid === uid ? former.names : []), metadata.name] });
      }
    }
    return known;
  }
}

function pathOf({ namespace }: ObjectRef): string {
  return collectionPath('/apis/apps/v1', 'controllerrevisions', namespace);
}

/** The same for the same base of an object. One that was created anew is another one: the records of the former go with that. */
function nameOf(object: string, uid: string, base: KubeObject): string {
  return `${object.slice(0, NAME).replace(/[.-]+$/, '')}-${hash('sha256', canonicalJson([uid, base])).slice(0, DIGEST)}`;
}

/** By their versions, which are numbers that grow (KEP-5504), and which nobody changes: several may have been made in one second. */
function byAge({ metadata: left }: ListedRevision, { metadata: right }: ListedRevision): number {
  return Number(left.resourceVersion ?? 0) - Number(right.resourceVersion ?? 0);
}
