interface Entry<Result> {
  readonly inputs: readonly unknown[];
  readonly result: Result;
}

/**
 * What a run made, each under a key, for the next run: a result is made anew only where one of the objects that it is made of is another
 * one than before. Keys and inputs are compared by identity, so nobody may change them; all that a result depends on has to be among them.
 */
export class KeptResults<Key, Result> {
  #former = new Map<Key, Entry<Result>>();
  #current = new Map<Key, Entry<Result>>();

  of(key: Key, inputs: readonly unknown[], make: () => Result): Result {
    const known = this.#current.get(key) ?? this.#former.get(key);
    const entry = known !== undefined && areSame(known.inputs, inputs) ? known : { inputs, result: make() };
    this.#current.set(key, entry);
    return entry.result;
  }

  /** What was made last under a key. */
  last(key: Key): Result | undefined {
    return (this.#current.get(key) ?? this.#former.get(key))?.result;
  }

  /** What is not asked for any more may be forgotten before a run ends. */
  forget(key: Key): void {
    this.#current.delete(key);
    this.#former.delete(key);
  }

  /** Ends a run: what it did not ask for is forgotten. */
  endRun(): void {
    this.#former = this.#current;
    this.#current = new Map();
  }
}

/** Whether both lists have the very same items. */
export function areSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
