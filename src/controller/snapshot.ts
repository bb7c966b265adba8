import { compareCreation } from '../cluster/creation-order.ts';
import { refText } from '../cluster/manifest.ts';
import { namedRoutes } from '../cluster/ownership.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { ObjectRef, StoredObject } from '../cluster/store.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import type { RouteView } from './route-view.ts';

/** What every pass over one state of the store goes by. */
export interface Snapshot {
  /** By `refText`. */
  readonly objects: ReadonlyMap<string, StoredObject>;
  /** In the order in which a gateway merges them; none of them is owned. */
  readonly virtualServices: readonly RouteView[];
  readonly gateways: readonly StoredObject[];
  readonly releases: readonly StoredObject[];
  /** The releases that name a VirtualService. */
  readonly releasesNaming: (ref: ObjectRef) => readonly StoredObject[];
}

const snapshots = new WeakMap<readonly StoredObject[], Snapshot>();

/** The snapshot of all objects of a store, made once for each list: stores give the same one until something changes. */
export function snapshotOf(objects: readonly StoredObject[]): Snapshot {
  const known = snapshots.get(objects) ?? makeSnapshot(objects);
  snapshots.set(objects, known);
  return known;
}

function makeSnapshot(all: readonly StoredObject[]): Snapshot {
  const releases = all.filter(({ ref }) => ref.kind === RELEASE);
  let naming: ReadonlyMap<string, readonly StoredObject[]> | undefined;
  return {
    objects: new Map(all.map((object) => [refText(object.ref), object])),
    virtualServices: all
      .filter(({ ref }) => ref.kind === 'VirtualService')
      .toSorted(compareCreation)
      .map((stored) => ({ ref: stored.ref, base: stored.base, served: stored.served, stored, isOwned: false })),
    gateways: all.filter(({ ref }) => ref.kind === 'Gateway'),
    releases,
    releasesNaming: (ref) => {
      naming ??= byNamedRoute(releases);
      return naming.get(refText(ref)) ?? [];
    },
  };
}

function byNamedRoute(releases: readonly StoredObject[]): ReadonlyMap<string, readonly StoredObject[]> {
  const named = new Map<string, StoredObject[]>();
  for (const stored of releases) {
    const { release } = readRelease(stored.base);
    for (const text of new Set((release === undefined ? [] : namedRoutes(release)).map(refText))) {
      const found = named.get(text);
      if (found === undefined) named.set(text, [stored]);
      else found.push(stored);
    }
  }
  return named;
}
