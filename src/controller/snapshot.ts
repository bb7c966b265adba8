import { changedPlaces } from '../cluster/changed-places.ts';
import { compareCreation } from '../cluster/creation-order.ts';
import { refText } from '../cluster/manifest.ts';
import { namedRoutes } from '../cluster/ownership.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { ObjectRef, Store, StoredObject } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { groupByEach } from '../core/routing/group-by-each.ts';
import { delegatesOfRoot } from '../core/weave/route-object.ts';
import { wovenReleases } from '../core/weave/unweave.ts';
import type { RouteView } from './route-view.ts';

/**
 * What every pass over one state of the store goes by. Arrays are the same as in the snapshot before as long as nothing in them changed, so
 * that what is made of all of them is made once.
 */
export interface Snapshot {
  readonly get: (ref: ObjectRef) => StoredObject | undefined;
  /** In the order in which a gateway merges them; none of them is owned. */
  readonly virtualServices: readonly StoredView[];
  /** The one of that name. */
  readonly viewAt: (ref: ObjectRef) => StoredView | undefined;
  /** Of the virtual services, in their order. */
  readonly bases: readonly KubeObject[];
  /** The bases of all Gateways. */
  readonly gateways: readonly KubeObject[];
  readonly releases: readonly StoredObject[];
  /** The releases that name a VirtualService. */
  readonly releasesNaming: (ref: ObjectRef) => readonly StoredObject[];
  /** The VirtualServices that a release (`namespace/name`) owns or is woven into. */
  readonly heldBy: (release: string) => readonly StoredView[];
  /** The VirtualServices with a rule that delegates to this one. */
  readonly rootsOf: (ref: ObjectRef) => readonly StoredView[];
}

/** A VirtualService of the store. */
export type StoredView = RouteView & { readonly stored: StoredObject };

/** Where in the list of all objects each one is; the same until one comes or goes. */
interface Layout {
  readonly positions: ReadonlyMap<string, number>;
  readonly virtualServices: readonly number[];
  readonly gateways: readonly number[];
  readonly releases: readonly number[];
  /** Of each object the place of its position in the array of its kind. */
  readonly places: readonly number[];
}

/** A snapshot, and what the next one may be made of. */
interface Made extends Snapshot {
  readonly all: readonly StoredObject[];
  readonly layout: Layout;
  readonly releaseBases: readonly KubeObject[];
}

const latest = new WeakMap<Store, Made>();

/** The snapshot of all objects of a store, made once for each list: stores give the same one until something changes. */
export async function snapshotOf(store: Store): Promise<Snapshot> {
  const all = await store.list();
  const former = latest.get(store);
  if (former?.all === all) return former;
  const made = makeSnapshot(all, former);
  latest.set(store, made);
  return made;
}

function makeSnapshot(all: readonly StoredObject[], former: Made | undefined): Made {
  const places = former === undefined ? undefined : changedPlaces(former.all, all);
  if (former === undefined || places === undefined) return snapshotBy(layOut(all), all);
  const { layout } = former;
  const changed = itemsAt(all, places).map((object, index): Changed => ({ object, place: layout.places[places[index] ?? -1] ?? -1 }));
  const [routes, gateways, releases] = ['VirtualService', 'Gateway', RELEASE].map((kind) =>
    changed.filter(({ object }) => object.ref.kind === kind),
  );
  return snapshotOfParts(layout, all, {
    virtualServices: withChanges(former.virtualServices, routes, viewOf),
    bases: withChanges(former.bases, routes, baseOf),
    gateways: withChanges(former.gateways, gateways, baseOf),
    releases: withChanges(former.releases, releases, (object) => object),
    releaseBases: withChanges(former.releaseBases, releases, baseOf),
  });
}

/** An object that changed, and its place among those of its kind. */
interface Changed {
  readonly object: StoredObject;
  readonly place: number;
}

/** The same array where nothing of it changed. */
function withChanges<Item>(
  items: readonly Item[],
  changed: readonly Changed[] = [],
  itemOf: (object: StoredObject) => Item,
): readonly Item[] {
  const news = changed.map(({ object, place }) => ({ item: itemOf(object), place })).filter(({ item, place }) => items[place] !== item);
  return news.reduce((array, { item, place }) => array.with(place, item), items);
}

type Parts = Pick<Made, 'virtualServices' | 'bases' | 'gateways' | 'releases' | 'releaseBases'>;

function snapshotBy(layout: Layout, all: readonly StoredObject[]): Made {
  const at = (positions: readonly number[]): readonly StoredObject[] => itemsAt(all, positions);
  return snapshotOfParts(layout, all, {
    virtualServices: at(layout.virtualServices).map(viewOf),
    bases: at(layout.virtualServices).map(baseOf),
    gateways: at(layout.gateways).map(baseOf),
    releases: at(layout.releases),
    releaseBases: at(layout.releases).map(baseOf),
  });
}

function snapshotOfParts(layout: Layout, all: readonly StoredObject[], parts: Parts): Made {
  const { virtualServices, bases, releases, releaseBases } = parts;
  return {
    ...parts,
    all,
    layout,
    get: (ref) => all[layout.positions.get(refText(ref)) ?? -1],
    viewAt: (ref) => (ref.kind === 'VirtualService' ? virtualServices[placeOf(layout, ref)] : undefined),
    releasesNaming: (ref) => itemsAt(releases, byRoute(releaseBases).get(refText(ref))),
    heldBy: (release) => itemsAt(virtualServices, byHolder(virtualServices).get(release)),
    rootsOf: (ref) => itemsAt(virtualServices, byDelegate(bases).get(refText(ref))),
  };
}

function placeOf({ positions, places }: Layout, ref: ObjectRef): number {
  return places[positions.get(refText(ref)) ?? -1] ?? -1;
}

function itemsAt<Item>(items: readonly Item[], positions: readonly number[] = []): readonly Item[] {
  return positions.flatMap((position) => items[position] ?? []);
}

function layOut(all: readonly StoredObject[]): Layout {
  const ofKind = (kind: string): readonly number[] => all.flatMap(({ ref }, index) => (ref.kind === kind ? [index] : []));
  const byCreation = (left: number, right: number): number => {
    const [one, other] = [all[left], all[right]];
    return one === undefined || other === undefined ? 0 : compareCreation(one, other);
  };
  const virtualServices = ofKind('VirtualService').toSorted(byCreation);
  const [gateways, releases] = [ofKind('Gateway'), ofKind(RELEASE)];
  const places = all.map(() => -1);
  for (const positions of [virtualServices, gateways, releases])
    for (const [place, position] of positions.entries()) places[position] = place;
  return { positions: new Map(all.map(({ ref }, index) => [refText(ref), index])), virtualServices, gateways, releases, places };
}

function baseOf({ base }: StoredObject): KubeObject {
  return base;
}

function viewOf(stored: StoredObject): StoredView {
  return { ref: stored.ref, base: stored.base, served: stored.served, stored, isOwned: false };
}

/** Of each key the places in the array whose items have it: made once for each array, which nobody changes. */
function indexBy<Item extends object>(
  keysOf: (item: Item) => Iterable<string>,
): (items: readonly Item[]) => ReadonlyMap<string, readonly number[]> {
  const made = new WeakMap<readonly Item[], ReadonlyMap<string, readonly number[]>>();
  return (items) => {
    const known = made.get(items) ?? groupByEach([...items.keys()], (place) => keysOf(items[place] as Item));
    made.set(items, known);
    return known;
  };
}

/** Releases by the routes that they name. */
const byRoute = indexBy((base: KubeObject) => {
  const { release } = readRelease(base);
  return new Set((release === undefined ? [] : namedRoutes(release)).map(refText));
});

const byHolder = indexBy(({ base, served }: StoredView) => {
  const owner = ownerOf(base);
  return owner === undefined ? wovenReleases(served) : new Set([owner, ...wovenReleases(served)]);
});

/** Roots by what they delegate to. */
const byDelegate = indexBy(
  (base: KubeObject) => new Set(delegatesOfRoot(base).map((delegate) => refText({ kind: 'VirtualService', ...delegate }))),
);
