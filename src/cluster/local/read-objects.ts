import { refText } from '../manifest.ts';
import type { ObjectRef, StoredObject } from '../store.ts';

/** What of an object a write left as it was. */
export interface Kept {
  readonly base: boolean;
  readonly served: boolean;
}

interface Entry {
  readonly ref: ObjectRef;
  /** Its place in the list. */
  readonly place: number;
  /** As it was last read; undefined: never. */
  object: StoredObject | undefined;
  /** What is still true of `object`, where it was written since. */
  kept: Kept | undefined;
}

/** An object as it was before it was written, and what that left of it. */
export interface Former {
  readonly object: StoredObject;
  readonly kept: Kept;
}

/**
 * Objects as they were last read, in order of creation. One process alone writes them, so each is read once after every change of it: until
 * then the same object is given for it, and the same list for all of them, and its reference and what a write left of it stay the same for
 * good. Readers may keep what they made of any of these by its identity.
 */
export class ReadObjects {
  readonly #readAll: () => readonly StoredObject[];
  readonly #readOne: (ref: ObjectRef, former: Former | undefined) => StoredObject | undefined;
  /** Undefined until something is asked for, and again once places have changed. */
  #entries: Map<string, Entry> | undefined;
  #list: readonly StoredObject[] = [];
  /** Entries whose object in the list is not theirs any more. */
  readonly #unlisted = new Set<Entry>();

  /** `readAll` gives all objects in order of creation; `readOne` one of them with that reference, and with what was left of the former one. */
  constructor(readAll: () => readonly StoredObject[], readOne: (ref: ObjectRef, former: Former | undefined) => StoredObject | undefined) {
    this.#readAll = readAll;
    this.#readOne = readOne;
  }

  get(ref: ObjectRef): StoredObject | undefined {
    const entry = this.#known().get(refText(ref));
    return entry && this.#objectOf(entry);
  }

  list(): readonly StoredObject[] {
    this.#known();
    if (this.#unlisted.size === 0) return this.#list;
    const list = this.#list.slice();
    for (const entry of this.#unlisted) {
      const object = this.#objectOf(entry);
      if (object === undefined) throw new Error(`${refText(entry.ref)} was written, and is not there`);
      list[entry.place] = object;
    }
    this.#unlisted.clear();
    this.#list = list;
    return list;
  }

  /** To be called after each write of the object, also of one that is new: those come last. */
  written(ref: ObjectRef, kept: Kept): void {
    const entries = this.#known();
    const known = entries.get(refText(ref));
    const entry = known ?? { ref, place: entries.size, object: undefined, kept };
    if (known === undefined) entries.set(refText(ref), entry);
    else known.kept = both(known.kept ?? kept, kept);
    this.#unlisted.add(entry);
  }

  removed(ref: ObjectRef): void {
    const entry = this.#known().get(refText(ref));
    if (entry === undefined) return;
    this.#unlisted.delete(entry);
    this.#lay(this.list().filter((_, place) => place !== entry.place));
  }

  /** To be called where writes were undone: everything is read again. */
  forget(): void {
    this.#entries = undefined;
  }

  #known(): Map<string, Entry> {
    return this.#entries ?? this.#lay(this.#readAll());
  }

  #lay(list: readonly StoredObject[]): Map<string, Entry> {
    this.#list = list;
    this.#unlisted.clear();
    this.#entries = new Map(list.map((object, place) => [refText(object.ref), { ref: object.ref, place, object, kept: undefined }]));
    return this.#entries;
  }

  #objectOf(entry: Entry): StoredObject | undefined {
    const { ref, object, kept } = entry;
    if (object !== undefined && kept === undefined) return object;
    entry.object = this.#readOne(ref, object === undefined || kept === undefined ? undefined : { object, kept });
    entry.kept = undefined;
    return entry.object;
  }
}

function both(left: Kept, right: Kept): Kept {
  return { base: left.base && right.base, served: left.served && right.served };
}
