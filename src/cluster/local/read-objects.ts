import { refText } from '../manifest.ts';
import type { ObjectRef, StoredObject } from '../store.ts';

interface Entry {
  readonly ref: ObjectRef;
  /** Undefined: written since it was read. */
  object: StoredObject | undefined;
}

/**
 * Objects as they were last read, in order of creation. One process alone writes them, so each is read once after every change of it: until
 * then the same object is given for it, and the same list for all of them. Readers may keep what they made of an object by its identity.
 */
export class ReadObjects {
  readonly #readAll: () => readonly StoredObject[];
  readonly #readOne: (ref: ObjectRef) => StoredObject | undefined;
  /** Undefined until something is asked for. */
  #entries: Map<string, Entry> | undefined;
  #list: readonly StoredObject[] | undefined;

  /** `readAll` gives all objects in order of creation. */
  constructor(readAll: () => readonly StoredObject[], readOne: (ref: ObjectRef) => StoredObject | undefined) {
    this.#readAll = readAll;
    this.#readOne = readOne;
  }

  get(ref: ObjectRef): StoredObject | undefined {
    const entry = this.#known().get(refText(ref));
    return entry && this.#objectOf(entry);
  }

  list(): readonly StoredObject[] {
    this.#list ??= [...this.#known().values()].flatMap((entry) => this.#objectOf(entry) ?? []);
    return this.#list;
  }

  /** To be called after each write of the object, also of one that is new: those come last. */
  written(ref: ObjectRef): void {
    const text = refText(ref);
    const entry = this.#known().get(text);
    if (entry === undefined) this.#known().set(text, { ref, object: undefined });
    else entry.object = undefined;
    this.#list = undefined;
  }

  removed(ref: ObjectRef): void {
    this.#known().delete(refText(ref));
    this.#list = undefined;
  }

  /** To be called where writes were undone: everything is read again. */
  forget(): void {
    this.#entries = undefined;
    this.#list = undefined;
  }

  #known(): Map<string, Entry> {
    this.#entries ??= new Map(this.#readAll().map((object) => [refText(object.ref), { ref: object.ref, object }]));
    return this.#entries;
  }

  #objectOf(entry: Entry): StoredObject | undefined {
    entry.object ??= this.#readOne(entry.ref);
    return entry.object;
  }
}
