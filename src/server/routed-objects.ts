import { changedPlaces } from '../cluster/changed-places.ts';
import { compareCreation } from '../cluster/creation-order.ts';
import { readRelease } from '../cluster/read-release.ts';
import type { StoredObject } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { KIND } from '../core/release/canary-release.ts';
import { routedName, routeForm } from '../core/release/route-form.ts';
import { type VisitorIdNames, visitorIdNames } from './visitor-id-names.ts';

/** What the gateway's table is compiled from. */
export interface RoutedObjects {
  /** Everything stored but releases, as it is served, in order of creation. */
  readonly objects: readonly KubeObject[];
  /** Delegates that stored releases own, as `namespace/name`: where one is not there yet, its release creates it with its first pass. */
  readonly delegates: ReadonlySet<string>;
  /** Where requests carry the ids of the releases' visitors. */
  readonly idNames: VisitorIdNames;
}

interface Made extends RoutedObjects {
  readonly stored: readonly StoredObject[];
  /** For each of `stored` its place in `objects`; -1 for releases. */
  readonly places: readonly number[];
}

/**
 * Reads states of one store, one after the other. Where nothing but served objects changed since the one before, as when a release moves on,
 * only those are looked at.
 */
export function routedObjects(): (stored: readonly StoredObject[]) => RoutedObjects {
  let last: Made | undefined;
  return (stored) => {
    last = (last && updated(last, stored)) ?? make(stored);
    return last;
  };
}

function make(stored: readonly StoredObject[]): Made {
  const routing = stored
    .map((object, index) => ({ object, index }))
    .filter(({ object }) => object.ref.kind !== KIND)
    .sort((left, right) => compareCreation(left.object, right.object));
  const places = stored.map(() => -1);
  for (const [place, { index }] of routing.entries()) places[index] = place;
  return {
    stored,
    places,
    objects: routing.map(({ object }) => object.served),
    delegates: ownedDelegates(stored),
    idNames: visitorIdNames(stored),
  };
}

/** Undefined where objects came or went, and where a release is another one. */
function updated(last: Made, stored: readonly StoredObject[]): Made | undefined {
  const changed = changedPlaces(last.stored, stored);
  if (changed === undefined) return undefined;
  const objects = [...last.objects];
  for (const index of changed) {
    const [before, after] = [last.stored[index] as StoredObject, stored[index] as StoredObject];
    const place = last.places[index] ?? -1;
    if (place >= 0) objects[place] = after.served;
    else if (before.base !== after.base || before.deletionRequestedAt !== after.deletionRequestedAt) return undefined;
  }
  return { ...last, stored, objects };
}

function ownedDelegates(stored: readonly StoredObject[]): ReadonlySet<string> {
  const releases = stored.filter(({ ref, deletionRequestedAt }) => ref.kind === KIND && deletionRequestedAt === undefined);
  const names = releases.flatMap(({ base }) => {
    const { release } = readRelease(base);
    return release === undefined || routeForm(release) !== 'delegate' ? [] : [`${release.metadata.namespace}/${routedName(release)}`];
  });
  return new Set(names);
}
