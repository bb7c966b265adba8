import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { releasesInRoute } from '../../core/weave-http-route/woven-route.ts';
import { compareCreation } from '../creation-order.ts';
import { Listeners } from '../listeners.ts';
import { refOf, refText } from '../manifest.ts';
import type { ObjectRef, StoredObject } from '../store.ts';
import { type ApiObject, isOlder, storedObject, withoutManagedFields } from './kube-object.ts';
import { isRouteKind } from './route-writes.ts';

interface Entry {
  /** As the API gave it last, with the version that a write has to name. */
  readonly raw: ApiObject;
  readonly stored: StoredObject;
}

/** What one list is of: a kind, in one namespace or, where none is given, in all. */
export interface Collection {
  readonly kind: string;
  readonly namespace?: string | undefined;
}

/** All objects in order of creation, and where in it each one is. */
interface Order {
  readonly list: readonly StoredObject[];
  readonly places: ReadonlyMap<string, number>;
}

/** Releases were woven into an object, and are not any more, since somebody wrote it. */
export interface WrittenOver {
  readonly former: StoredObject;
  readonly stored: StoredObject;
  /** As the API tells of it. */
  readonly raw: ApiObject;
  /** Those of the releases that there are. */
  readonly releases: readonly ObjectRef[];
}

/**
 * What the API holds, as far as it was told. Each change that matters to releases is a revision of its own; versions that differ in nothing but what the
 * cluster keeps on an object are none.
 */
export class ObjectCache {
  readonly changed: Listeners<[readonly ObjectRef[], number]>;
  /** Told of before the change itself is. */
  readonly writtenOver: Listeners<[WrittenOver]>;
  readonly #entries = new Map<string, Entry>();
  /** Undefined where objects came or went since. */
  #order: Order | undefined;
  /** Those that are another state of themselves than in the order. */
  readonly #outdated = new Set<string>();
  #revision = 0;

  constructor(onError: (error: unknown) => void) {
    this.changed = new Listeners(onError);
    this.writtenOver = new Listeners(onError);
  }

  get revision(): number {
    return this.#revision;
  }

  get(ref: ObjectRef): StoredObject | undefined {
    return this.#entries.get(refText(ref))?.stored;
  }

  raw(ref: ObjectRef): ApiObject | undefined {
    return this.#entries.get(refText(ref))?.raw;
  }

  /** In order of creation; the same array until something changes. Sorted only when objects came or went: there may be thousands. */
  list(): readonly StoredObject[] {
    if (this.#order === undefined) {
      const list = [...this.#entries.values()].map(({ stored }) => stored).toSorted(compareCreation);
      this.#order = { list, places: new Map(list.map(({ ref }, place) => [refText(ref), place])) };
    } else if (this.#outdated.size > 0) {
      const { list, places } = this.#order;
      const next = [...list];
      for (const key of this.#outdated) {
        const [place, stored] = [places.get(key), this.#entries.get(key)?.stored];
        if (place !== undefined && stored !== undefined) next[place] = stored;
      }
      this.#order = { list: next, places };
    }
    this.#outdated.clear();
    return this.#order.list;
  }

  /** As the API tells of it. */
  applied(object: KubeObject): void {
    const changed = this.#apply(object);
    if (changed.length > 0) this.#tell(changed);
  }

  /** As this process wrote it just now. */
  written(object: KubeObject): void {
    const [changed] = this.#apply(object, true);
    if (changed !== undefined) this.#tell([changed]);
  }

  deleted(object: KubeObject): void {
    const ref = refOf(object);
    const known = this.#entries.get(refText(ref));
    // One of that name may have come again, and been told of already.
    if (known === undefined || isOlder(object, known.raw)) return;
    this.#entries.delete(refText(ref));
    this.#order = undefined;
    this.#tell([known.stored.ref, ...this.#wovenInto(known.stored)]);
  }

  /** All objects of a collection, in place of those that are known. `version`: of the list; what is younger is no part of it. */
  replaced(collection: Collection, objects: readonly KubeObject[], version?: string): void {
    const changed = [...this.#dropOthers(collection, objects, version), ...objects.flatMap((object) => this.#apply(object))];
    if (changed.length > 0) this.#tell(changed);
  }

  /** Those of a collection are all that there are; what they are is told one by one. */
  keepOnly(collection: Collection, objects: readonly KubeObject[], version?: string): void {
    const gone = this.#dropOthers(collection, objects, version);
    if (gone.length > 0) this.#tell(gone);
  }

  #dropOthers({ kind, namespace }: Collection, objects: readonly KubeObject[], version: string | undefined): readonly ObjectRef[] {
    const there = new Set(objects.map((object) => refText(refOf(object))));
    const listed = { metadata: { resourceVersion: version } } as ApiObject;
    const isListed = ({ ref }: StoredObject): boolean => ref.kind === kind && (namespace === undefined || ref.namespace === namespace);
    const gone = [...this.#entries].filter(
      ([key, { stored, raw }]) => isListed(stored) && !there.has(key) && !(version !== undefined && isOlder(listed, raw)),
    );
    for (const [key] of gone) this.#entries.delete(key);
    if (gone.length > 0) this.#order = undefined;
    return gone.flatMap(([, { stored }]) => [stored.ref, ...this.#wovenInto(stored)]);
  }

  /**
   * The ref of an object that changed in what matters, and those of the releases that were woven into it: where it was written over by somebody else, its
   * base may be the same, and only they know that they have to be woven in again.
   */
  #apply(object: ApiObject, isOwn = false): readonly ObjectRef[] {
    const key = refText(refOf(object));
    const known = this.#entries.get(key);
    if (known !== undefined && isOlder(object, known.raw)) return [];
    // Created anew under its name it is another one.
    const former = known !== undefined && known.raw.metadata.uid === object.metadata.uid ? known.stored : undefined;
    // Who owns which field matters of routes alone; of all else it is memory.
    const raw = isRouteKind(object.kind) ? object : withoutManagedFields(object);
    const stored = storedObject(raw, former, this.#revision + 1);
    this.#entries.set(key, { raw, stored });
    if (stored === former) return [];
    if (former?.createdAt === stored.createdAt) this.#outdated.add(key);
    else this.#order = undefined;
    const woven = known === undefined ? [] : this.#wovenInto(known.stored);
    if (former !== undefined && !isOwn) this.#tellWrittenOver(former, stored, raw, woven);
    return [stored.ref, ...woven];
  }

  #tellWrittenOver(former: StoredObject, stored: StoredObject, raw: ApiObject, woven: readonly ObjectRef[]): void {
    const left = new Set(releasesInRoute(stored.served));
    const releases = woven.filter(({ namespace, name }) => !left.has(`${namespace}/${name}`));
    if (releases.length > 0) this.writtenOver.notify({ former, stored, raw, releases });
  }

  #wovenInto({ served }: StoredObject): readonly ObjectRef[] {
    return releasesInRoute(served).flatMap((name) => this.#entries.get(`${RELEASE} ${name}`)?.stored.ref ?? []);
  }

  #tell(refs: readonly ObjectRef[]): void {
    this.#revision += 1;
    this.changed.notify(refs, this.#revision);
  }
}
