import { type Diagnostic, hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { Admission } from '../admission.ts';
import { manifestOf, refOf, refText, sameJson } from '../manifest.ts';
import { readRelease } from '../read-release.ts';
import type { ObjectRef, StoredObject } from '../store.ts';
import { type ApiObject, FINALIZER } from './kube-object.ts';

/** A release as it stands in the API, and why it is not gone by. */
export interface Refused {
  readonly object: ApiObject;
  readonly diagnostics: readonly Diagnostic[];
  /** No earlier form of it is gone by. */
  readonly isNew: boolean;
}

/** What releases are admitted to, and who hears of those that are not. */
interface AdmittedReleasesOptions {
  readonly admission: Admission;
  /** What was admitted so far, and all other objects; the same array until something changes. */
  readonly known: () => readonly StoredObject[];
  readonly get: (ref: ObjectRef) => StoredObject | undefined;
  /** Takes a release in, as it is to be gone by. */
  readonly admit: (object: ApiObject) => void;
  /** Told once for each reason; `refused` has it as it is when asked. */
  readonly onRefused: (ref: ObjectRef) => void;
}

/**
 * Stands between the API, which takes in what its schema allows, and the controller, which was promised more: valid releases that do not get in each
 * other's way, and do not change under way what must not change. A release whose new spec is refused goes on by the last one that was admitted; one that
 * never had such a one is not there, but for its deletion. All that are refused are looked at again whenever anything changes.
 */
export class AdmittedReleases {
  readonly #options: AdmittedReleasesOptions;
  readonly #refused = new Map<string, Refused>();

  constructor(options: AdmittedReleasesOptions) {
    this.#options = options;
  }

  /** A release came, or changed. */
  applied(object: ApiObject): void {
    const { admission, known, get, admit, onRefused } = this.#options;
    const ref = refOf(object);
    const key = refText(ref);
    const former = get(ref);
    const diagnostics = this.#isUpForAdmission(object)
      ? admission.admit([plain(object)], known()).filter(({ severity }) => severity === 'error')
      : [];
    if (!hasErrors(diagnostics)) {
      this.#refused.delete(key);
      admit(object);
      return;
    }
    const told = this.#refused.get(key)?.diagnostics;
    this.#refused.set(key, { object, diagnostics, isNew: former === undefined });
    if (former !== undefined) admit({ ...object, spec: former.base.spec, metadata: { ...object.metadata, generation: former.generation } });
    if (told === undefined || !sameJson(told, diagnostics)) onRefused(ref);
  }

  /**
   * All that there are, in one namespace where it is given. Those that are woven in already go before those that are not, the older before the younger. They are judged together first: whoever
   * has nothing against it among all of them has nothing against it among fewer, and thousands would take long one by one.
   */
  replaced(objects: readonly ApiObject[], namespace?: string): void {
    const { admission, known, admit } = this.#options;
    for (const [key, { object }] of this.#refused) {
      if (namespace === undefined || refOf(object).namespace === namespace) this.#refused.delete(key);
    }
    const inOrder = objects.toSorted(byStanding);
    const candidates = inOrder.filter((object) => this.#isUpForAdmission(object));
    const errors = admission.admit(candidates.map(plain), known()).filter(({ severity }) => severity === 'error');
    const doubtful = new Set(errors.map((error) => error.object));
    const isClear = (object: ApiObject): boolean => !doubtful.has(undefined) && !doubtful.has(refText(refOf(object)));
    const clear = new Set(candidates.filter(isClear));
    for (const object of clear) admit(object);
    for (const object of inOrder) if (!clear.has(object)) this.applied(object);
  }

  /** Only its spec is up for admission; a release that leaves is let go whatever it says. */
  #isUpForAdmission(object: ApiObject): boolean {
    const former = this.#options.get(refOf(object));
    if (former !== undefined && sameJson(manifestOf(former.base).spec, manifestOf(object).spec)) return false;
    return object.metadata.deletionTimestamp === undefined || readRelease(object).release === undefined;
  }

  deleted(object: KubeObject): void {
    this.#refused.delete(refText(refOf(object)));
  }

  /** What stood in the way of some may be gone. */
  lookAgain(): void {
    for (const { object } of [...this.#refused.values()]) this.applied(object);
  }

  /** Tells of all that are refused once more. */
  tellAgain(): void {
    for (const ref of this.allRefused()) this.#options.onRefused(ref);
  }

  allRefused(): readonly ObjectRef[] {
    return [...this.#refused.values()].map(({ object }) => refOf(object));
  }

  /** How many are refused. */
  get count(): number {
    return this.#refused.size;
  }

  /** Why the release of this name is not gone by as it is; undefined where it is, or is not there. */
  refused(ref: ObjectRef): Refused | undefined {
    return this.#refused.get(refText(ref));
  }
}

function byStanding(left: ApiObject, right: ApiObject): number {
  const isHeld = ({ metadata }: ApiObject) => metadata.finalizers?.includes(FINALIZER) === true;
  if (isHeld(left) !== isHeld(right)) return isHeld(left) ? -1 : 1;
  const age = ({ metadata }: ApiObject) => metadata.creationTimestamp ?? '';
  return age(left) < age(right) ? -1 : Number(age(left) > age(right));
}

/** As its owner wrote it: admission compares whole objects. */
function plain(object: ApiObject): KubeObject {
  return manifestOf(object);
}
