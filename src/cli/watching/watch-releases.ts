import { setTimeout as sleep } from 'node:timers/promises';
import type { ReleaseView } from '../../server/release-resource.ts';
import type { ReleaseChange, ReleaseClient } from '../release-client.ts';
import { Refusals } from './refusals.ts';
import type { ReleaseScreen } from './release-screen.ts';

/** How soon a lost connection is tried again, in ms. */
const RETRY_MS = 1000;

/** Which releases to show. */
export interface ReleaseFilter {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  /** Those of these names; undefined: all. */
  readonly names?: readonly string[] | undefined;
}

/** What is told of releases as they change. */
export type ReleaseListener = Pick<ReleaseScreen, 'update' | 'remove' | 'setLost'>;

/**
 * Tells of releases until `signal` aborts. A lost connection is told and tried again, without end: whether anything is there at all is for the caller to
 * find out before. Throws NotAllowedError where they may not be watched.
 */
export async function watchReleases(
  client: ReleaseClient,
  listener: ReleaseListener,
  filter: ReleaseFilter,
  signal: AbortSignal,
): Promise<void> {
  const told = new ToldReleases(listener, filter);
  const refusals = new Refusals(false);
  while (!signal.aborted) {
    try {
      for await (const change of client.follow(filter.namespace, signal)) {
        refusals.allowed();
        told.take(change);
      }
    } catch (error) {
      if (!signal.aborted) refusals.take(error);
      // Whatever else broke it: the next attempt tells whether anybody is there.
    }
    if (signal.aborted) return;
    listener.setLost(true);
    await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}

/** Names one release. */
interface ReleaseName {
  readonly namespace: string;
  readonly name: string;
}

/** What a listener was told of, so that it hears of what has gone while nobody looked. */
class ToldReleases {
  readonly #listener: ReleaseListener;
  readonly #filter: ReleaseFilter;
  readonly #told = new Map<string, ReleaseName>();

  constructor(listener: ReleaseListener, filter: ReleaseFilter) {
    this.#listener = listener;
    this.#filter = filter;
  }

  take(change: ReleaseChange): void {
    if (change.kind === 'changed') this.#update(change.release);
    else if (change.kind === 'all') this.#replace(change.releases);
    else if (this.#told.has(keyOf(change))) this.#remove(change);
  }

  #replace(releases: readonly ReleaseView[]): void {
    const present = new Set(releases.map(({ metadata }) => keyOf(metadata)));
    const { namespace, names = [] } = this.#filter;
    // What was asked for and never seen may have gone before the first look.
    const asked = namespace === undefined ? [] : names.map((name) => ({ namespace, name }));
    for (const each of [...this.#told.values(), ...asked]) if (!present.has(keyOf(each))) this.#remove(each);
    this.#listener.setLost(false);
    for (const release of releases) this.#update(release);
  }

  #update(release: ReleaseView): void {
    const { metadata } = release;
    if (this.#filter.names?.includes(metadata.name) === false) return;
    this.#told.set(keyOf(metadata), metadata);
    this.#listener.update(release);
  }

  #remove(gone: ReleaseName): void {
    this.#told.delete(keyOf(gone));
    this.#listener.remove(gone.namespace, gone.name);
  }
}

function keyOf({ namespace, name }: ReleaseName): string {
  return `${namespace}/${name}`;
}
