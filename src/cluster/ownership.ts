import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { formerOwnerOf, ownerOf } from '../core/release/ownership.ts';
import {
  issuingRoute,
  OWNER_ANNOTATION,
  ownedVirtualService,
  routedKind,
  routedName,
  routedPath,
  routeForm,
} from '../core/release/route-form.ts';
import { isDelegate } from '../core/routing/delegates.ts';
import { delegatesOfRoot, delegatesTo, routeObject } from '../core/weave/route-object.ts';
import { refOf, refText, sameRef } from './manifest.ts';
import type { ObjectRef } from './store.ts';

/** A release that is applied, as it is to be and as it was before; undefined where it is new. */
export interface AppliedRelease {
  readonly next: CanaryRelease;
  readonly former: CanaryRelease | undefined;
}

/** The releases whose specs declare VirtualServices as their own, by the names of those; of several of one, the first. */
function owningReleases(releases: readonly CanaryRelease[]): ReadonlyMap<string, CanaryRelease> {
  const owners = new Map<string, CanaryRelease>();
  for (const release of releases) {
    const owned = ownedVirtualService(release);
    if (owned !== undefined && !owners.has(refText(refOf(owned)))) owners.set(refText(refOf(owned)), release);
  }
  return owners;
}

/** The routes that a release names: it is woven into them, or is to be. */
export function namedRoutes(release: CanaryRelease): readonly ObjectRef[] {
  const { namespace } = release.metadata;
  const issuing = issuingRoute(release);
  const routed = { kind: routedKind(release), namespace, name: routedName(release) };
  return issuing === undefined ? [routed] : [routed, { ...issuing, namespace }];
}

/** The VirtualServices among `objects` that releases weave into, or that delegate to one of those. */
export function releasedBy(releases: readonly CanaryRelease[], objects: readonly KubeObject[]): readonly ObjectRef[] {
  const targets = new Set(releases.flatMap(namedRoutes).map(refText));
  const isTarget = ({ namespace, name }: Omit<ObjectRef, 'kind'>) => targets.has(refText({ kind: 'VirtualService', namespace, name }));
  return objects
    .filter((object) => object.kind === 'VirtualService' && (isTarget(refOf(object)) || delegatesOfRoot(object).some(isTarget)))
    .map(refOf);
}

/**
 * PERCH3053 for each object of `routes` that a release owns, `releases` being all that there are after the apply: the release writes it,
 * nobody else. PERCH3054 for those that carry the mark of an owner without having one: only Perch sets it.
 */
export function foreignWrites(routes: readonly KubeObject[], releases: readonly CanaryRelease[]): readonly Diagnostic[] {
  const owners = owningReleases(releases);
  return routes.flatMap((object): Diagnostic[] => {
    const ref = refOf(object);
    const owner = owners.get(refText(ref));
    if (owner !== undefined) return [writtenBeside(ref, owner)];
    return ownerOf(object) === undefined ? [] : [markedByHand(ref)];
  });
}

/**
 * PERCH3052 for each release that would come to own a VirtualService that exists and is none of its own: neither owned by it now or before, nor
 * the very one that it adopts until now, which it takes over. PERCH2018 for each that would make a delegate of one that has hosts, while no rule
 * of `objects`, all that there are after the apply, delegates to it: who comes to those hosts would find no routes. `existing` gives the stored
 * base of an object.
 */
export function takenObjects(
  applied: readonly AppliedRelease[],
  existing: (ref: ObjectRef) => KubeObject | undefined,
  objects: () => readonly KubeObject[],
): readonly Diagnostic[] {
  return applied.flatMap(({ next, former }): Diagnostic[] => {
    const owned = ownedVirtualService(next);
    if (owned === undefined) return [];
    const ref = refOf(owned);
    const object = existing(ref);
    if (object === undefined) return [];
    const name = releaseName(next);
    const isOwn = ownerOf(object) === name || formerOwnerOf(object) === name;
    if (!isOwn && (former === undefined || routedName(former) !== ref.name || routedKind(former) !== ref.kind))
      return [takesForeign(next, ref)];
    const losesHosts = routeForm(next) === 'delegate' && !isDelegate(routeObject(object, ref.namespace));
    return losesHosts && !isLedTo(ref, objects()) ? [strandsHosts(next, ref)] : [];
  });
}

/** Whether a rule of another VirtualService among `objects` delegates to the one of this name. */
function isLedTo(ref: ObjectRef, objects: readonly KubeObject[]): boolean {
  return objects.some((object) => object.kind === 'VirtualService' && !sameRef(refOf(object), ref) && delegatesTo(object, ref));
}

/** Why nobody may delete this object; undefined where they may. */
export function refuseDeletion(ref: ObjectRef, releases: readonly CanaryRelease[]): Diagnostic | undefined {
  const owner = owningReleases(releases).get(refText(ref));
  if (owner === undefined) return undefined;
  const name = releaseName(owner);
  return {
    code: 'PERCH3053',
    severity: 'error',
    message: `${refText(ref)} belongs to the release ${name}, which would create it again`,
    object: refText(ref),
    hint: `delete CanaryRelease ${name}: its VirtualService then stays as an ordinary one, which can be deleted`,
  };
}

function writtenBeside(ref: ObjectRef, owner: CanaryRelease): Diagnostic {
  const name = releaseName(owner);
  return {
    code: 'PERCH3053',
    severity: 'error',
    message: `${refText(ref)} belongs to the release ${name}, which writes it`,
    object: refText(ref),
    path: 'metadata.name',
    hint: `change spec.route.${routeForm(owner)} of CanaryRelease ${name} instead, and leave this object out`,
  };
}

function markedByHand(ref: ObjectRef): Diagnostic {
  return {
    code: 'PERCH3054',
    severity: 'error',
    message: `${refText(ref)} carries ${OWNER_ANNOTATION}, but no release declares it`,
    object: refText(ref),
    path: `metadata.annotations["${OWNER_ANNOTATION}"]`,
    hint: 'leave the annotation out: Perch sets it on what it creates for a release',
  };
}

function takesForeign(release: CanaryRelease, ref: ObjectRef): Diagnostic {
  const path = routeForm(release) === 'managed' ? 'spec.route.managed.name' : routedPath(release);
  return {
    code: 'PERCH3052',
    severity: 'error',
    message: `${refText(ref)} exists already and is not this release’s`,
    object: refText(refOf(release)),
    path,
    hint: `choose another name, or let the release take it over: apply it with route: {adopt: {virtualService: ${ref.name}}} first, then with this route`,
  };
}

function strandsHosts(release: CanaryRelease, ref: ObjectRef): Diagnostic {
  return {
    code: 'PERCH2018',
    severity: 'error',
    message: `${refText(ref)} would become a delegate, and no VirtualService delegates to it: its hosts would be left without routes`,
    object: refText(refOf(release)),
    path: routedPath(release),
    hint: `choose another name, or apply a VirtualService of another name with those hosts and delegate: {name: ${ref.name}} first, or with it`,
  };
}

function releaseName({ metadata }: CanaryRelease): string {
  return `${metadata.namespace}/${metadata.name}`;
}
