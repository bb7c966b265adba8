import { type Diagnostic, hasErrors } from '../core/diagnostics/diagnostic.ts';
import { HTTP_ROUTE } from '../core/gateway-api/http-route.ts';
import { isHttpRouteOfGatewayApi, validateHttpRoute } from '../core/gateway-api/validate-http-route.ts';
import { isRoutingKind } from '../core/istio/kinds.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { validateRoutingObject } from '../core/istio/validate.ts';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { refuseChange } from '../core/release/change.ts';
import { routedKind } from '../core/release/route-form.ts';
import { isCanaryRelease } from '../core/release/validate.ts';
import { isWoven, unweave } from '../core/weave/unweave.ts';
import { isHttpRoute, unweaveHttpRoute } from '../core/weave-http-route/unweave-http-route.ts';
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

/** Valid releases that do not get in each other's way. */
export const releaseAdmission: Admission = {
  baseOf: (object) => (isHttpRoute(object) ? unweaveHttpRoute(object) : isWoven(object) ? unweave(object) : object),
  admit: (applied, existing) => {
    const { states, releases: known } = knownOf(existing);
    const findings = applied.map((object) => admitOne(object, states.get(refText(refOf(object)))));
    const releases = findings.flatMap(({ release }) => (release === undefined ? [] : [release]));
    const changed = new Map(applied.map((object) => [refText(refOf(object)), object]));
    const isReplaced = (other: CanaryRelease): boolean => changed.has(refText(refOf(other)));
    const routes = applied.filter(({ kind }) => kind === 'VirtualService');
    // What is applied beside its release is that finding, not a name that is taken.
    const stored = (ref: ObjectRef): KubeObject | undefined => (changed.has(refText(ref)) ? undefined : states.get(refText(ref))?.base);
    return [
      ...findings.flatMap(({ diagnostics }) => diagnostics),
      ...releaseConflicts(
        releases.map(({ next }) => next),
        known,
        isReplaced,
      ),
      ...(routes.length === 0
        ? []
        : foreignWrites(routes, [...known.filter((other) => !isReplaced(other)), ...releases.map(({ next }) => next)])),
      ...takenObjects(releases, stored, () => [
        ...existing.filter(({ ref }) => !changed.has(refText(ref))).map(({ base }) => base),
        ...applied,
      ]),
    ];
  },
  admitDeletion: (ref, objects) => {
    const refused = refuseDeletion(ref, releasesAmong(objects));
    return refused === undefined ? [] : [refused];
  },
  releasedRoutes: (objects) => new Set(releasedBy(releasesAmong(objects), objects).map(refText)),
};

/** What is made of all that a store holds, once for each list: most applies are of one object. */
interface Known {
  readonly states: ReadonlyMap<string, StoredObject>;
  readonly releases: readonly CanaryRelease[];
}

const known = new WeakMap<readonly StoredObject[], Known>();

function knownOf(existing: readonly StoredObject[]): Known {
  const found = known.get(existing) ?? {
    states: new Map(existing.map((object) => [refText(object.ref), object])),
    releases: releasesAmong(existing.map(({ base }) => base)),
  };
  known.set(existing, found);
  return found;
}

/** What a rehearsal takes in, which serves nobody: what the embedded runtime does, and HTTPRoutes with releases in them. */
export const rehearsalAdmission: Admission = {
  ...releaseAdmission,
  admit: (applied, existing) => [...releaseAdmission.admit(applied, existing), ...applied.flatMap(unscaled)],
};

/** What the embedded runtime takes in: the same releases, but for those in HTTPRoutes, and routing objects that its gateway serves. */
export const runtimeAdmission: Admission = {
  ...rehearsalAdmission,
  admit: (applied, existing) => [...rehearsalAdmission.admit(applied, existing), ...applied.flatMap(unserved)],
};

/** What the embedded gateway does not know. */
function unserved(object: KubeObject): readonly Diagnostic[] {
  if (isHttpRouteOfGatewayApi(object)) return [refuseKind(object)];
  const release = isCanaryRelease(object) ? readRelease(object).release : undefined;
  if (release === undefined || routedKind(release) !== HTTP_ROUTE) return [];
  const inHttpRoute: Diagnostic = {
    code: 'PERCH1302',
    severity: 'error',
    message: 'spec.route.adopt.httpRoute is for clusters: the embedded gateway serves Istio’s objects only',
    object: refText(refOf(object)),
    path: 'spec.route.adopt.httpRoute',
    hint: 'run perch controller in the cluster (docs/guides/gateway-api.md), or adopt a VirtualService',
  };
  return [inHttpRoute];
}

/** Scaling is for clusters. */
function unscaled(object: KubeObject): readonly Diagnostic[] {
  const release = isCanaryRelease(object) ? readRelease(object).release : undefined;
  if (release?.spec.scaling === undefined) return [];
  const nothingScaled: Diagnostic = {
    code: 'PERCH1303',
    severity: 'warning',
    message: 'spec.scaling is for clusters: there are no Deployments here, and nothing is scaled',
    object: refText(refOf(object)),
    path: 'spec.scaling',
    hint: 'run perch controller in the cluster (docs/guides/cluster-readiness.md), or start and stop the versions yourself',
  };
  return [nothingScaled];
}

interface Admitted {
  readonly release?: AppliedRelease;
  readonly diagnostics: readonly Diagnostic[];
}

function releasesAmong(objects: readonly KubeObject[]): readonly CanaryRelease[] {
  return objects.filter(isCanaryRelease).flatMap((object) => readRelease(object).release ?? []);
}

function admitOne(object: KubeObject, former: StoredObject | undefined): Admitted {
  if (isHttpRouteOfGatewayApi(object)) return { diagnostics: validateHttpRoute(object) };
  if (isRoutingKind(object.kind)) return { diagnostics: validateRoutingObject(object) };
  if (!isCanaryRelease(object)) return { diagnostics: [refuseKind(object)] };
  const validated = readRelease(object);
  const { release, diagnostics } = validated;
  if (release === undefined || hasErrors(diagnostics)) return { diagnostics };
  const current = former === undefined ? undefined : readRelease(former.base).release;
  const refused = refuseChange(former?.status, release, current).map((diagnostic) => ({
    ...diagnostic,
    object: refText(refOf(object)),
  }));
  return { release: { next: release, former: current }, diagnostics: [...diagnostics, ...refused] };
}
