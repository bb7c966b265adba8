import { changedPlaces } from '../cluster/changed-places.ts';
import { compareCreation } from '../cluster/creation-order.ts';
import { refText } from '../cluster/manifest.ts';
import { namedRoutes } from '../cluster/ownership.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { ObjectLists, ObjectRef, StoredObject } from '../cluster/store.ts';
import { HTTP_ROUTE } from '../core/gateway-api/http-route.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND as RELEASE } from '../core/release/canary-release.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { groupByEach } from '../core/routing/group-by-each.ts';
import { delegatesOfRoot } from '../core/weave/route-object.ts';
import { wovenReleases } from '../core/weave/unweave.ts';
import { releasesInHttpRoute } from '../core/weave-http-route/unweave-http-route.ts';
import type { RouteView } from './route-view.ts';

/**
 * What every pass over one state of the store goes by. Arrays are the same as in the snapshot before as long as nothing in them changed, so
 * that what is made of all of them is made once.
 */
export interface Snapshot {
  readonly get: (ref: ObjectRef) => StoredObject | undefined;
  /** In the order in which a gateway merges them; none of them is owned. */
  readonly virtualServices: readonly StoredView[];
  /** The HTTPRoutes of a cluster with Gateway API, in the order of their age. */
  readonly httpRoutes: readonly StoredView[];
  /** The VirtualService or HTTPRoute of that name. */
  readonly viewAt: (ref: ObjectRef) => StoredView | undefined;
  /** Of the virtual services, in their order. */
  readonly bases: readonly KubeObject[];
  /** The bases of all Gateways. */
  readonly gateways: readonly KubeObject[];
  /** Whether objects of a namespace are known at all. */
  readonly isRead: (namespace: string) => boolean;
  readonly releases: readonly StoredObject[];
  /** The releases that name a route. */
  readonly releasesNaming: (ref: ObjectRef) => readonly StoredObject[];
  /** The VirtualServices that a release (`namespace/name`) owns or is woven into. */
  readonly heldBy: (release: string) => readonly StoredView[];
  /** The HTTPRoutes that a release is woven into. */
  readonly httpRoutesHeldBy: (release: string) => readonly StoredView[];
  /** The VirtualServices with a rule that delegates to this one. */
  readonly rootsOf: (ref: ObjectRef) => readonly StoredView[];
}

/** A route of the store. */
export type StoredView = RouteView & { readonly stored: StoredObject };

/** Where in the list of all objects each one is; the same until one comes or goes. */
interface Layout {
  readonly positions: ReadonlyMap<string, number>;
  readonly virtualServices: readonly number[];
  readonly httpRoutes: readonly number[];
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

const NONE: ReadonlySet<string> = new Set();

const latest = new WeakMap<ObjectLists, Made>();

/** The snapshot of all objects of a store, made once for each list: stores give the same one until something changes. */
export async function snapshotOf(store: ObjectLists): Promise<Snapshot> {
  return await latestOf(store);
}

/**
 * The store as it would be with this object in place of the one of that name, or beside all others where there is none; and without some
 * releases, named by `refText`.
 */
export async function snapshotWith(store: ObjectLists, object: StoredObject, without: ReadonlySet<string> = NONE): Promise<Snapshot> {
  const former = await latestOf(store);
  const index = former.layout.positions.get(refText(object.ref));
  const all = index === undefined ? [...former.all, object].toSorted(compareCreation) : former.all.with(index, object);
  return makeSnapshot(without.size === 0 ? all : all.filter(({ ref }) => !without.has(refText(ref))), former, former.isRead);
}

async function latestOf(store: ObjectLists): Promise<Made> {
  const all = await store.list();
  const former = latest.get(store);
  if (former?.all === all) return former;
  const made = makeSnapshot(all, former, (namespace) => store.isRead?.(namespace) ?? true);
  latest.set(store, made);
  return made;
}

function makeSnapshot(all: readonly StoredObject[], former: Made | undefined, isRead: Made['isRead']): Made {
  const places = former === undefined ? undefined : changedPlaces(former.all, all);
  if (former === undefined || places === undefined) return snapshotBy(layOut(all), all, isRead);
  const { layout } = former;
  const changed = itemsAt(all, places).map((object, index): Changed => ({ object, place: layout.places[places[index] ?? -1] ?? -1 }));
  const [routes, httpRoutes, gateways, releases] = ['VirtualService', HTTP_ROUTE, 'Gateway', RELEASE].map((kind) =>
    changed.filter(({ object }) => object.ref.kind === kind),
  );
  const virtualServices = withChanges(former.virtualServices, routes, viewOf);
  // Every commit changes one of them, and hardly ever who holds it.
  byHolder.carry(
    former.virtualServices,
    virtualServices,
    (routes ?? []).map(({ place }) => place),
  );
  return snapshotOfParts(layout, all, {
    isRead,
    virtualServices,
    bases: withChanges(former.bases, routes, baseOf),
    httpRoutes: withChanges(former.httpRoutes, httpRoutes, viewOf),
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

type Parts = Pick<Made, 'isRead' | 'virtualServices' | 'bases' | 'httpRoutes' | 'gateways' | 'releases' | 'releaseBases'>;

function snapshotBy(layout: Layout, all: readonly StoredObject[], isRead: Made['isRead']): Made {
  const at = (positions: readonly number[]): readonly StoredObject[] => itemsAt(all, positions);
  return snapshotOfParts(layout, all, {
    isRead,
    virtualServices: at(layout.virtualServices).map(viewOf),
    bases: at(layout.virtualServices).map(baseOf),
    httpRoutes: at(layout.httpRoutes).map(viewOf),
    gateways: at(layout.gateways).map(baseOf),
    releases: at(layout.releases),
    releaseBases: at(layout.releases).map(baseOf),
  });
}

function snapshotOfParts(layout: Layout, all: readonly StoredObject[], parts: Parts): Made {
  const { virtualServices, bases, httpRoutes, releases, releaseBases } = parts;
  return {
    ...parts,
    all,
    layout,
    get: (ref) => all[layout.positions.get(refText(ref)) ?? -1],
    viewAt: (ref) => ROUTES_BY_KIND[ref.kind]?.(parts)[placeOf(layout, ref)],
    releasesNaming: (ref) => itemsAt(releases, byRoute.of(releaseBases).get(refText(ref))),
    heldBy: (release) => itemsAt(virtualServices, byHolder.of(virtualServices).get(release)),
    httpRoutesHeldBy: (release) => itemsAt(httpRoutes, byHttpHolder.of(httpRoutes).get(release)),
    rootsOf: (ref) => itemsAt(virtualServices, byDelegate.of(bases).get(refText(ref))),
  };
}

/** Where the routes of a kind are. */
const ROUTES_BY_KIND: Readonly<Record<string, (parts: Parts) => readonly StoredView[]>> = {
  VirtualService: ({ virtualServices }) => virtualServices,
  [HTTP_ROUTE]: ({ httpRoutes }) => httpRoutes,
};

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
  const [virtualServices = [], httpRoutes = []] = ['VirtualService', HTTP_ROUTE].map((kind) => ofKind(kind).toSorted(byCreation));
  const [gateways, releases] = [ofKind('Gateway'), ofKind(RELEASE)];
  const places = all.map(() => -1);
  for (const positions of [virtualServices, httpRoutes, gateways, releases])
    for (const [place, position] of positions.entries()) places[position] = place;
  return {
    positions: new Map(all.map(({ ref }, index) => [refText(ref), index])),
    virtualServices,
    httpRoutes,
    gateways,
    releases,
    places,
  };
}

function baseOf({ base }: StoredObject): KubeObject {
  return base;
}

function viewOf(stored: StoredObject): StoredView {
  return { ref: stored.ref, base: stored.base, served: stored.served, stored, isOwned: false };
}

/** Of each key the places in an array whose items have it. */
interface Index<Item> {
  /** Made once for each array, which nobody changes. */
  of(items: readonly Item[]): ReadonlyMap<string, readonly number[]>;
  /** Where that of `before` was made, makes that of `after` of it: they differ at `places` only. */
  carry(before: readonly Item[], after: readonly Item[], places: readonly number[]): void;
}

function indexBy<Item extends object>(keysOf: (item: Item) => ReadonlySet<string>): Index<Item> {
  const made = new WeakMap<readonly Item[], ReadonlyMap<string, readonly number[]>>();
  return {
    of(items) {
      const known = made.get(items) ?? groupByEach([...items.keys()], (place) => keysOf(items[place] as Item));
      made.set(items, known);
      return known;
    },
    carry(before, after, places) {
      const known = made.get(before);
      if (known === undefined || before === after) return;
      const moves = places.flatMap((place) => {
        const [former, now] = [keysOf(before[place] as Item), keysOf(after[place] as Item)];
        const left = [...former].filter((key) => !now.has(key));
        const joined = [...now].filter((key) => !former.has(key));
        return left.length + joined.length === 0 ? [] : [{ place, left, joined }];
      });
      if (moves.length === 0) {
        made.set(after, known);
        return;
      }
      const next = new Map(known);
      for (const { place, left, joined } of moves) {
        for (const key of left) {
          const rest = (next.get(key) ?? []).filter((each) => each !== place);
          if (rest.length === 0) next.delete(key);
          else next.set(key, rest);
        }
        for (const key of joined) {
          next.set(
            key,
            [...(next.get(key) ?? []), place].toSorted((one, other) => one - other),
          );
        }
      }
      made.set(after, next);
    },
  };
}

/** Releases by the routes that they name. */
const byRoute = indexBy((base: KubeObject) => {
  const { release } = readRelease(base);
  return new Set((release === undefined ? [] : namedRoutes(release)).map(refText));
});

/**
 * A release has to do with objects of its own namespace only: what others write into theirs must not make it see to them, nor wait for them.
 */
const byHolder = indexBy(({ ref, base, served }: StoredView) => ofNamespace(ref, [ownerOf(base) ?? [], wovenReleases(served)].flat()));

/** The same for HTTPRoutes, which nobody owns. */
const byHttpHolder = indexBy(({ ref, served }: StoredView) => ofNamespace(ref, releasesInHttpRoute(served)));

function ofNamespace({ namespace }: ObjectRef, holders: readonly string[]): ReadonlySet<string> {
  return new Set(holders.filter((holder) => holder.startsWith(`${namespace}/`)));
}

/** Roots by what they delegate to. */
const byDelegate = indexBy(
  (base: KubeObject) => new Set(delegatesOfRoot(base).map((delegate) => refText({ kind: 'VirtualService', ...delegate }))),
);
