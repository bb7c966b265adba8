import type { KubeObject } from '../../core/istio/resources.ts';
import { refOf, refText } from '../manifest.ts';
import type { ObjectRef } from '../store.ts';
import { KubeError } from './kube-client.ts';
import type { ApiObject } from './kube-object.ts';
import { objectPath } from './kube-resources.ts';
import { handedBack, isManaged, type ManagedFields } from './managed-fields.ts';
import { type RouteWrite, routeWrite } from './route-writes.ts';
import { APPLY, MERGE, type WriteRequest } from './write-request.ts';

/** How writes are sent, and who hears of them. */
interface RouteWriterOptions {
  /** Resolves with the object as it is then. */
  readonly send: (request: WriteRequest) => Promise<ApiObject>;
  /** Whether Perch may own fields of the object, being woven in or owning all of it. */
  readonly isHeld: (ref: ObjectRef) => boolean;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * Writes VirtualServices by server-side apply. Each write names the very object and version that it was decided by, and is refused where there is another: a
 * version alone is not enough, since an apply to an object that is gone creates it.
 */
export class RouteWriter {
  readonly #options: RouteWriterOptions;
  /** What is being written, or handed back: not to be handed back beside. */
  readonly #busy = new Set<string>();

  constructor(options: RouteWriterOptions) {
    this.#options = options;
  }

  /**
   * Makes the object what is wanted. What others wrote into an object that a release owns is taken back, and `tell` says so.
   * @throws KubeError with status 409 or 404 where somebody else was faster.
   */
  async write(object: ApiObject, wanted: KubeObject, tell: (message: string) => void): Promise<void> {
    const key = refText(refOf(object));
    this.#busy.add(key);
    try {
      await this.#write(object, routeWrite(object, wanted), tell);
    } finally {
      this.#busy.delete(key);
    }
  }

  async #write(object: ApiObject, { managedFields, applied, foreign, isOwned, isLeft }: RouteWrite, tell: (message: string) => void) {
    const { send } = this.#options;
    let current = object;
    if (managedFields !== undefined) current = await send(withManagedFields(current, managedFields));
    const place = refText(refOf(object));
    try {
      current = await send(applying(current, applied, !isOwned));
    } catch (error) {
      const conflicts = conflictsOf(error);
      if (conflicts === undefined) throw goneOrAsIs(error);
      tell(`${place} belongs to this release: ${conflicts}; that is taken back. Change the release instead`);
      current = await send(applying(current, applied, true));
    }
    if (foreign.length > 0) {
      tell(
        `${place} belongs to this release, which declares no ${foreign.join(' and no ')}: that is taken out. Change the release instead`,
      );
      const { resourceVersion } = current.metadata;
      const spec = Object.fromEntries(foreign.map((field) => [field, null]));
      current = await send({ ...patchOf(current), body: { metadata: { resourceVersion }, spec } });
    }
    if (isLeft) await this.#handBack(current);
  }

  /**
   * Gives up what Perch owns of an object that nothing of it is in any more, so that whoever applies it next meets no conflict. Where somebody else is
   * faster, the watch tells of that, and it is tried again.
   */
  async tidy(object: ApiObject): Promise<void> {
    const ref = refOf(object);
    const key = refText(ref);
    if (this.#busy.has(key) || !isManaged(object) || this.#options.isHeld(ref)) return;
    this.#busy.add(key);
    try {
      await this.#handBack(object);
    } catch (error) {
      this.#options.onError(`${key} is not Perch’s any more, which could not be written`, error);
    } finally {
      this.#busy.delete(key);
    }
  }

  async #handBack(object: ApiObject): Promise<void> {
    if (!isManaged(object)) return;
    try {
      await this.#options.send(withManagedFields(object, handedBack(object)));
    } catch (error) {
      if (!(error instanceof KubeError) || (error.status !== 409 && error.status !== 404)) throw error;
    }
  }
}

function patchOf(object: ApiObject): WriteRequest {
  return { path: objectPath(refOf(object)), method: 'PATCH', contentType: MERGE };
}

function withManagedFields(object: ApiObject, managedFields: readonly ManagedFields[]): WriteRequest {
  const { resourceVersion } = object.metadata;
  return { ...patchOf(object), body: { metadata: { resourceVersion, managedFields } } };
}

function applying(object: ApiObject, applied: KubeObject, force: boolean): WriteRequest {
  const { resourceVersion, uid } = object.metadata;
  const body = { ...applied, metadata: { ...applied.metadata, resourceVersion, uid } };
  return { ...patchOf(object), contentType: APPLY, body, force };
}

/** Whose fields are in the way of a server-side apply, in words; undefined where it failed otherwise. */
function conflictsOf(error: unknown): string | undefined {
  if (!(error instanceof KubeError)) return undefined;
  const conflicts = error.causes.filter(({ reason }) => reason === 'FieldManagerConflict');
  if (conflicts.length === 0) return undefined;
  return conflicts.map(({ message = 'a conflict', field = 'a field' }) => `${message} at ${field}`).join(', ');
}

/** The object is gone, or another one of its name came: an apply that names it would create one, and that may not have its uid. */
function goneOrAsIs(error: unknown): unknown {
  if (!(error instanceof KubeError) || error.status !== 422 || !error.causes.some(({ field }) => field === 'metadata.uid')) return error;
  return new KubeError(error.message, { status: 404, reason: 'NotFound' });
}
