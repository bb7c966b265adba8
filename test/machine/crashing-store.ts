import type { ReleaseCommit, Store, StoredObject } from '../../src/cluster/store.ts';

/** When the process dies at a write: the disk has nothing of it, or all of it but nobody was told. */
export type Moment = 'before' | 'after';

/** Thrown into whoever was at the store when it died. */
export class Crashed extends Error {
  override readonly message = 'the process died here';
}

/** A store as one life of a process sees it, which may end at any write. */
export interface CrashingStore {
  readonly store: Store;
  /** Ends this life at the write after so many others. */
  arm(writes: number, moment: Moment): void;
  disarm(): void;
  readonly isDead: boolean;
  /** Grows with all that is asked of the store: while it does, someone is at work. */
  readonly activity: number;
}

/** A commit that took effect, whoever heard of that. */
export interface Commit {
  /** The release as the commit found it. */
  readonly before: StoredObject;
  readonly change: ReleaseCommit;
  readonly revision: number;
  readonly servedRevision: number;
}

/** A store in which every write may be the last of its process; once it was, nothing gets through any more, in either direction. */
export function crashingStore(real: Store, onCommit: (commit: Commit) => void): CrashingStore {
  let left: number | undefined;
  let moment: Moment = 'before';
  let isDead = false;
  let activity = 0;

  const ask = <T>(work: () => T): T => {
    activity++;
    if (isDead) throw new Crashed();
    return work();
  };
  const die = (): never => {
    isDead = true;
    throw new Crashed();
  };
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    activity++;
    if (isDead) throw new Crashed();
    const isLast = left === 0;
    if (left !== undefined) left--;
    if (isLast && moment === 'before') die();
    const result = await work();
    if (isLast) die();
    return result;
  };
  const listener =
    <Args extends readonly unknown[]>(told: (...args: Args) => void) =>
    (...args: Args): void => {
      activity++;
      if (!isDead) told(...args);
    };

  return {
    store: {
      revision: () => ask(() => real.revision()),
      get: async (ref) => ask(() => real.get(ref)),
      history: async (ref, page) => ask(() => real.history(ref, page)),
      list: async (kind, namespace) => ask(() => real.list(kind, namespace)),
      watch: (told) => real.watch(listener(told)),
      apply: (source, objects, options) => write(() => real.apply(source, objects, options)),
      requestDeletion: (ref, options) => write(() => real.requestDeletion(ref, options)),
      postRequest: (ref, request) => write(() => real.postRequest(ref, request)),
      commit: (ref, change, ifRevision) =>
        write(async () => {
          const before = await real.get(ref);
          const isDone = await real.commit(ref, change, ifRevision);
          if (isDone && before !== undefined) {
            onCommit({ before, change, revision: real.revision(), servedRevision: real.servedRevision() });
          }
          return isDone;
        }),
      markServed: (revision) => ask(() => real.markServed(revision)),
      servedRevision: () => ask(() => real.servedRevision()),
      serving: (refs, revision) => ask(() => real.serving(refs, revision)),
      onServed: (told) => real.onServed(listener(told)),
      close: () => real.close(),
    },
    arm: (writes, at) => {
      left = writes;
      moment = at;
    },
    disarm: () => {
      left = undefined;
    },
    get isDead() {
      return isDead;
    },
    get activity() {
      return activity;
    },
  };
}
