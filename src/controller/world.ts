import { compareCreation } from '../cluster/creation-order.ts';
import { refOf, refText, sameManifest, sameRef } from '../cluster/manifest.ts';
import { readRelease } from '../cluster/read-release.ts';
import { releaseConflicts } from '../cluster/release-conflicts.ts';
import type { ObjectLists, ObjectRef, StoredObject } from '../cluster/store.ts';
import { HTTP_ROUTE } from '../core/gateway-api/http-route.ts';
import { resolveHost } from '../core/istio/names.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { CanaryRelease, Version } from '../core/release/canary-release.ts';
import { ownerOf } from '../core/release/ownership.ts';
import { issuingRoute, ownedVirtualService, routedKind, routedName } from '../core/release/route-form.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import { sameVersion } from '../core/release/version.ts';
import { delegatesTo } from '../core/weave/route-object.ts';
import { unweave, wovenReleases } from '../core/weave/unweave.ts';
import type { RouteView } from './route-view.ts';
import { type Snapshot, type StoredView, snapshotOf } from './snapshot.ts';

/** What all worlds that are read in one go have in common. */
export interface WorldBasis {
  /** The store's revision before reading: what a commit rests on. */
  readonly revision: number;
  /** Bytes that a routing object may have as JSON; undefined where any is taken. */
  readonly mostRouteBytes: number | undefined;
}

/** All that one pass over a release goes by, read from the store in one go. */
export interface World extends WorldBasis {
  readonly stored: StoredObject;
  readonly release: CanaryRelease;
  /** The VirtualService that the release is woven into; undefined where it adopts one that is not there, or an HTTPRoute. */
  readonly routed: RouteView | undefined;
  /** What it has to do with HTTPRoutes. */
  readonly http: HttpRouteWorld;
  /** The one where ids are issued, as far as the release names it and it exists. */
  readonly issuing: RouteView | undefined;
  /** The VirtualService or HTTPRoute of that name. */
  readonly viewAt: (ref: ObjectRef) => RouteView | undefined;
  /** The bases of all VirtualServices, in the order in which a gateway merges them, and of the one that the release has yet to create. */
  readonly siblings: readonly KubeObject[];
  /** All VirtualServices that are stored. */
  readonly virtualServices: readonly StoredView[];
  /** Those VirtualServices that are stored and that the release names, owns or is woven into, or that delegate to one that it names. */
  readonly concerning: () => readonly StoredView[];
  /** Whether another release names the VirtualService. */
  readonly isNamedByOther: (ref: ObjectRef) => boolean;
  /** The bases of all Gateways. */
  readonly gateways: readonly KubeObject[];
  /** Whether objects of a namespace are known at all. */
  readonly isRead: (namespace: string) => boolean;
  /** The other releases of the store; read when first asked for, since most passes do not ask. */
  readonly others: () => readonly OtherRelease[];
  /** Those of them that name a VirtualService and can share it: not one that is being deleted and had what this release has now. */
  readonly sharing: (ref: ObjectRef) => readonly OtherRelease[];
}

/** The HTTPRoutes of a cluster with Gateway API, as a release sees them. */
export interface HttpRouteWorld {
  /** Whether the release adopts one. */
  readonly isAdopted: boolean;
  /** That one, where it is there. */
  readonly adopted: StoredView | undefined;
  /** Another one where ids are issued, as far as the release names it and it exists. */
  readonly issuing: StoredView | undefined;
  /** Those that the release is woven into, whether it names them or not. */
  readonly held: readonly StoredView[];
  readonly all: readonly StoredView[];
}

/** Another release: the objects that it names are its business, and behind a root that both have it may not be led astray. */
export interface OtherRelease {
  readonly release: CanaryRelease;
  /** The same objects, as that release sees them. */
  readonly world: () => World;
}

/**
 * Reads the world of a release; undefined where there is no such release. Throws where the stored release is not valid: admission lets
 * none in, so it was stored by another version of Perch.
 */
export async function readWorld(store: ObjectLists, ref: ObjectRef): Promise<World | undefined> {
  const basis = worldBasis(store);
  return worldIn(await snapshotOf(store), ref, basis);
}

/** What worlds of the store go by, as of now. */
export function worldBasis(store: ObjectLists): WorldBasis {
  return { revision: store.revision(), mostRouteBytes: store.mostRouteBytes };
}

/** The same in a snapshot; `basis`: that of the store before the snapshot was read. */
export function worldIn(snapshot: Snapshot, ref: ObjectRef, basis: WorldBasis): World | undefined {
  const stored = snapshot.get(ref);
  if (stored === undefined) return undefined;
  const { release, diagnostics } = readRelease(stored.base);
  if (release === undefined) {
    throw new Error(`the stored release is not valid: ${diagnostics.map((diagnostic) => diagnostic.message).join('; ')}`);
  }
  return worldOf(stored, release, snapshot, basis);
}

function worldOf(stored: StoredObject, release: CanaryRelease, snapshot: Snapshot, basis: WorldBasis): World {
  const declared = ownedVirtualService(release);
  // Rules copied from what is served are taken for what they were made of, as in a VirtualService that is applied.
  const { viewAt, siblings } = routeViews(snapshot, declared === undefined ? undefined : unweave(declared));
  const { namespace } = stored.ref;
  const named = (name: string | undefined) => (name === undefined ? undefined : viewAt({ kind: 'VirtualService', namespace, name }));
  const isHttp = routedKind(release) === HTTP_ROUTE;
  const routed = isHttp ? undefined : named(routedName(release));
  const issueAt = issuingRoute(release)?.name;
  const issuing = isHttp ? undefined : named(issueAt);
  const httpRoute = (name: string | undefined) =>
    isHttp && name !== undefined ? snapshot.viewAt({ kind: HTTP_ROUTE, namespace, name }) : undefined;
  let others: readonly OtherRelease[] | undefined;
  const sharing = new Map<string, readonly OtherRelease[]>();
  const sharingAt = (ref: ObjectRef): readonly OtherRelease[] => {
    const naming = snapshot.releasesNaming(ref);
    return otherReleases(stored.ref, naming, snapshot, basis).filter(
      ({ release: other }) => releaseConflicts([release], [other]).length === 0,
    );
  };
  return {
    ...basis,
    stored,
    release,
    routed,
    http: {
      isAdopted: isHttp,
      adopted: httpRoute(routedName(release)),
      issuing: issueAt === routedName(release) ? undefined : httpRoute(issueAt),
      held: snapshot.httpRoutesHeldBy(releaseName(release)),
      all: snapshot.httpRoutes,
    },
    issuing,
    viewAt,
    siblings,
    virtualServices: snapshot.virtualServices,
    concerning: () => {
      const roots = [routed, issuing].flatMap((view) => (view === undefined ? [] : snapshot.rootsOf(view.ref)));
      const refs = [routed, issuing, ...snapshot.heldBy(releaseName(release)), ...roots].flatMap((view) => view?.ref ?? []);
      return distinctRefs(refs).flatMap((ref) => storedView(viewAt(ref)) ?? []);
    },
    isNamedByOther: (ref) => snapshot.releasesNaming(ref).some((other) => !sameRef(other.ref, stored.ref)),
    gateways: snapshot.gateways,
    isRead: snapshot.isRead,
    others: () => (others ??= otherReleases(stored.ref, snapshot.releases, snapshot, basis)),
    sharing: (ref) => {
      const found = sharing.get(refText(ref)) ?? sharingAt(ref);
      sharing.set(refText(ref), found);
      return found;
    },
  };
}

function otherReleases(
  own: ObjectRef,
  candidates: readonly StoredObject[],
  snapshot: Snapshot,
  basis: WorldBasis,
): readonly OtherRelease[] {
  return candidates
    .filter((object) => !sameRef(object.ref, own))
    .flatMap((object): OtherRelease[] => {
      const { release } = readRelease(object.base);
      return release === undefined ? [] : [{ release, world: () => worldOf(object, release, snapshot, basis) }];
    });
}

/**
 * The stored VirtualServices that the release has to do with, whether its spec still names them or not: it is woven into them, owns them, or
 * is to be woven into them, or they are its roots. Where a release stands that names the object no more, that one has to leave first; a root
 * that another release names is that one's: two that see to one object in different ways would undo each other's work without end.
 */
export function heldViews(world: World): readonly StoredView[] {
  const own = releaseName(world.release);
  const { routed, issuing } = world;
  const held = world.concerning().filter((view) => {
    const { stored } = view;
    const isHeld =
      stored === routed?.stored ||
      stored === issuing?.stored ||
      ownerOf(stored.base) === own ||
      isWovenInto(world, stored) ||
      (isRoot(world, view) && !world.isNamedByOther(view.ref));
    return isHeld && !isTaken(world, view);
  });
  return held.sort((left, right) => compareCreation(left.stored, right.stored));
}

/** Whether a release is woven into the object that does not share it (any more). */
export function isTaken(world: World, { ref, served }: RouteView): boolean {
  const others = wovenReleases(served).filter((name) => name !== releaseName(world.release));
  return others.length > 0 && others.some((name) => !world.sharing(ref).some(({ release }) => releaseName(release) === name));
}

/** Whether the release itself is woven into the object. */
export function isWovenInto({ release }: World, { served }: Pick<RouteView, 'served'>): boolean {
  return wovenReleases(served).includes(releaseName(release));
}

/** Whether the object is what leads to the delegate that the release is woven into, or to the one that issues ids. */
export function isRoot({ routed, issuing }: World, { base }: RouteView): boolean {
  return [routed, issuing].some((target) => target !== undefined && delegatesTo(base, target.ref));
}

/** `namespace/name`, as annotations and woven rules name a release. */
export function releaseName(release: CanaryRelease): string {
  const { namespace, name } = refOf(release);
  return `${namespace}/${name}`;
}

/** The versions that all visitors had or have, as far as the status remembers: rules of the base at one of them are released too. */
export function formerVersions(status: ReleaseStatus | undefined): readonly Version[] {
  if (status === undefined) return [];
  const past = status.history.flatMap(({ stable, canary, outcome }) => (outcome === 'Succeeded' ? [stable, canary] : [stable]));
  const found: Version[] = [];
  for (const version of [status.liveVersion, status.stable, ...past]) {
    if (version !== undefined && !found.some((known) => sameVersion(known, version))) found.push(version);
  }
  return found;
}

/** The versions that are hosts of their own, each once, as Istio names them: those that the spec names, and the live one. */
export function versionHosts({ release, stored }: World): readonly string[] {
  const { canary, stable } = release.spec;
  const hosts = [canary, stable, stored.status?.liveVersion].flatMap((version) =>
    version !== undefined && 'host' in version ? [resolveHost(version.host, release.metadata.namespace)] : [],
  );
  return [...new Set(hosts)];
}

/** How the release sees the VirtualServices: the one that it owns as its spec declares it, whatever is stored. */
function routeViews({ bases, viewAt }: Snapshot, owned: KubeObject | undefined): Pick<World, 'viewAt' | 'siblings'> {
  if (owned === undefined) return { viewAt, siblings: bases };
  const ref = refOf(owned);
  const stored = viewAt(ref)?.stored;
  const view = stored === undefined ? { ref, base: owned, served: owned, stored, isOwned: true } : ownView(owned, stored);
  return { viewAt: (each) => (sameRef(each, ref) ? view : viewAt(each)), siblings: siblingsWith(bases, view) };
}

function ownView(owned: KubeObject, stored: StoredObject): RouteView {
  const base = sameManifest(stored.base, owned) ? stored.base : sinceThen(owned, stored.base);
  return { ref: stored.ref, base, served: stored.served, stored, isOwned: true };
}

/** The bases with that of the view in its place; where it is yet to be created, it is the youngest. */
function siblingsWith(bases: readonly KubeObject[], { base, stored }: RouteView): readonly KubeObject[] {
  if (stored === undefined) return [...bases, base];
  return base === stored.base ? bases : bases.map((each) => (each === stored.base ? base : each));
}

function storedView(view: RouteView | undefined): StoredView | undefined {
  return view?.stored === undefined ? undefined : { ...view, stored: view.stored };
}

function distinctRefs(refs: readonly ObjectRef[]): readonly ObjectRef[] {
  return [...new Map(refs.map((ref) => [refText(ref), ref])).values()];
}

/** What the release declares, as old as what is stored of it: that may decide which object serves. */
function sinceThen(declared: KubeObject, { metadata: { creationTimestamp } }: KubeObject): KubeObject {
  return { ...declared, metadata: { ...declared.metadata, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) } };
}
