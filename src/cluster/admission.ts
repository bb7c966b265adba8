import { type Diagnostic, hasErrors } from '../core/diagnostics/diagnostic.ts';
import { isRoutingKind } from '../core/istio/kinds.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { validateRoutingObject } from '../core/istio/validate.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { refuseChange } from '../core/release/change.ts';
import { isCanaryRelease, validateCanaryRelease } from '../core/release/validate.ts';
import { isWoven, unweave } from '../core/weave/unweave.ts';
import { refOf, refText } from './manifest.ts';
import { type AppliedRelease, foreignWrites, refuseDeletion, releasedBy, takenObjects } from './ownership.ts';
import { readRelease } from './read-release.ts';
import { refuseKind } from './refuse-kind.ts';
import { releaseConflicts } from './release-conflicts.ts';
import type { ObjectRef, StoredObject } from './store.ts';

/** What a store asks before it takes objects in. Pure: the same objects get the same answer. */
export interface Admission {
  /** The form that the owner means: a copy of a woven object without its woven rules; any other object as it is. */
  baseOf(object: KubeObject): KubeObject;
  /**
   * All findings about `applied`, the objects that the apply would create or change. `existing` is what the store holds and would
   * go on to hold: the former state of `applied` included, what the apply prunes left out. An error refuses the whole apply.
   */
  admit(applied: readonly KubeObject[], existing: readonly StoredObject[]): readonly Diagnostic[];
  /** What speaks against deleting the object while `objects` are there, or are to be there: a release owns it. */
  admitDeletion(ref: ObjectRef, objects: readonly KubeObject[]): readonly Diagnostic[];
  /**
   * Those of `objects` into which a release among them weaves, and those that lead to what a release owns, as `refText`: a new base of one
   * is served once the release has seen to its routes, not before.
   */
  releasedRoutes(objects: readonly KubeObject[]): ReadonlySet<string>;
}

/** What the embedded runtime takes in: valid releases that do not get in each other's way, and routing objects that its gateway serves. */
export const runtimeAdmission: Admission = {
  baseOf: (object) => (isWoven(object) ? unweave(object) : object),
  admit: (applied, existing) => {
    const states = new Map(existing.map((object) => [refText(object.ref), object]));
    const findings = applied.map((object) => admitOne(object, states.get(refText(refOf(object)))));
    const releases = findings.flatMap(({ release }) => (release === undefined ? [] : [release]));
    const changed = new Map(applied.map((object) => [refText(refOf(object)), object]));
    const unchanged = existing.filter(({ ref }) => !changed.has(refText(ref))).map(({ base }) => base);
    const others = releasesAmong(unchanged);
    const all = [...others, ...releases.map(({ next }) => next)];
    const routes = applied.filter(({ kind }) => kind === 'VirtualService');
    // What is applied beside its release is that finding, not a name that is taken.
    const stored = (ref: ObjectRef): KubeObject | undefined => (changed.has(refText(ref)) ? undefined : states.get(refText(ref))?.base);
    return [
      ...findings.flatMap(({ diagnostics }) => diagnostics),
      ...releaseConflicts(
        releases.map(({ next }) => next),
        others,
      ),
      ...foreignWrites(routes, all),
      ...takenObjects(releases, stored, [...unchanged, ...applied]),
    ];
  },
  admitDeletion: (ref, objects) => {
    const refused = refuseDeletion(ref, releasesAmong(objects));
    return refused === undefined ? [] : [refused];
  },
  releasedRoutes: (objects) => new Set(releasedBy(releasesAmong(objects), objects).map(refText)),
};

interface Admitted {
  readonly release?: AppliedRelease;
  readonly diagnostics: readonly Diagnostic[];
}

function releasesAmong(objects: readonly KubeObject[]): readonly CanaryRelease[] {
  return objects.filter(isCanaryRelease).flatMap((object) => readRelease(object).release ?? []);
}

function admitOne(object: KubeObject, former: StoredObject | undefined): Admitted {
  if (isRoutingKind(object.kind)) return { diagnostics: validateRoutingObject(object) };
  if (!isCanaryRelease(object)) return { diagnostics: [refuseKind(object)] };
  const validated = validateCanaryRelease(object);
  const { release, diagnostics } = validated;
  if (release === undefined || hasErrors(diagnostics)) return { diagnostics };
  const current = former === undefined ? undefined : readRelease(former.base).release;
  const refused = refuseChange(former?.status, release, current).map((diagnostic) => ({
    ...diagnostic,
    object: refText(refOf(object)),
  }));
  return { release: { next: release, former: current }, diagnostics: [...diagnostics, ...refused] };
}
