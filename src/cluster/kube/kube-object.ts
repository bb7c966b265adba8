import { plainText } from '../../core/diagnostics/log-text.ts';
import { acceptanceOf } from '../../core/gateway-api/acceptance.ts';
import { HTTP_ROUTE } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KIND as RELEASE } from '../../core/release/canary-release.ts';
import { REQUEST_ACTIONS } from '../../core/release/requests.ts';
import { OWNER_ANNOTATION } from '../../core/release/route-form.ts';
import type { ReleaseRequest, ReleaseStatus, RequestAction } from '../../core/release/status.ts';
import { baseOfRoute } from '../../core/weave-http-route/woven-route.ts';
import { type Manifest, manifestOf, refOf, sameJson } from '../manifest.ts';
import type { StoredObject } from '../store.ts';
import type { ManagedFields } from './managed-fields.ts';

/** An object as the API gives it. */
export interface ApiObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly managedFields?: readonly ManagedFields[];
  };
}

/**
 * The object without the account of who wrote which of its fields, which is often longer than the object: an apiserver that gets none keeps its own
 * (k8s.io/apimachinery, managedfields/internal fieldmanager.go Update).
 */
export function withoutManagedFields(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata as ApiObject['metadata'] & { readonly managedFields?: unknown };
  return { ...object, metadata };
}

/** Kept on every release that Perch has seen: it goes once its routes are un-woven. */
export const FINALIZER = 'perch.dev/unweave';
/** Annotation in which something is asked of a release: JSON of {id, action, by}, and full beside promote. */
export const REQUEST_ANNOTATION = 'perch.dev/request';
/** Annotation of a release that is deleted: `restore-base` sends its destinations back to where the base has them. */
export const ON_DELETE_ANNOTATION = 'perch.dev/on-delete';
/** Its value that does so. */
export const RESTORE_BASE = 'restore-base';

/** Longest text that an id or a name in a request may have. */
const LONGEST = 253;

/**
 * An object as the controller knows objects. The base of a woven route is what un-weaving gives: in a cluster it is kept nowhere else. What
 * is as it was in `former` is the same object again.
 */
export function storedObject(object: ApiObject, former: StoredObject | undefined, revision: number): StoredObject {
  const ref = former?.ref ?? refOf(object);
  const { creationTimestamp, deletionTimestamp, generation = 1, annotations = {} } = object.metadata;
  const plain = ofOwner(manifestOf(object));
  const declared: KubeObject = {
    ...plain,
    metadata: { ...plain.metadata, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    // Of a status that others write, all that a release goes by.
    ...(ref.kind === HTTP_ROUTE ? { status: acceptanceOf(object) } : {}),
  };
  const served = former !== undefined && sameJson(former.served, declared) ? former.served : declared;
  // Weaving changes what is served and not the base, which is then the same again: all that is made of all bases stays.
  const base = baseOfRoute(served);
  const isRelease = ref.kind === RELEASE;
  const request = isRelease ? readRequest(annotations[REQUEST_ANNOTATION]) : undefined;
  const status = isRelease ? readStatus(object.status) : undefined;
  const next: StoredObject = {
    ref,
    base: former !== undefined && sameJson(former.base, base) ? former.base : base,
    served,
    generation,
    revision,
    createdAt: creationTimestamp ?? '',
    ...(status === undefined ? {} : { status }),
    ...(request === undefined ? {} : { request }),
    ...(isRelease && deletionTimestamp !== undefined ? { deletionRequestedAt: deletionTimestamp } : {}),
    ...(isRelease && deletionTimestamp !== undefined && annotations[ON_DELETE_ANNOTATION] === RESTORE_BASE
      ? { deletionRestoresBase: true }
      : {}),
  };
  return former !== undefined && sameJson({ ...former, revision }, next) ? former : next;
}

/** Of an object that a release owns only what that release declares: labels and annotations that others put there are theirs. */
function ofOwner(manifest: Manifest): KubeObject {
  const { [OWNER_ANNOTATION]: owner } = manifest.metadata.annotations ?? {};
  if (owner === undefined) return manifest;
  const { name, namespace } = manifest.metadata;
  return { ...manifest, metadata: { name, namespace, annotations: { [OWNER_ANNOTATION]: owner } } };
}

/** The request in an annotation, which anybody may have written; undefined where it is none. */
function readRequest(text: string | undefined): ReleaseRequest | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, action, by = 'unknown', full } = value as Readonly<Record<string, unknown>>;
  if (!isShortText(id) || !isShortText(by) || !isAction(action)) return undefined;
  return { id: plainText(id), action, by: plainText(by), ...(action === 'promote' && full === true ? { full } : {}) };
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST;
}

function isAction(value: unknown): value is RequestAction {
  return (REQUEST_ACTIONS as readonly unknown[]).includes(value);
}

/** A status that a controller wrote; the CRD's schema has checked it. An empty one is none. */
function readStatus(status: unknown): ReleaseStatus | undefined {
  const isWritten = typeof status === 'object' && status !== null && 'phase' in status;
  return isWritten ? (status as ReleaseStatus) : undefined;
}

/** Whether what one event tells is older than what is known (KEP-5504: versions of one kind are numbers that grow). */
export function isOlder(object: ApiObject, known: ApiObject): boolean {
  const [left, right] = [object, known].map(({ metadata }) => metadata.resourceVersion ?? '');
  if (left === undefined || right === undefined || !/^\d+$/.test(left) || !/^\d+$/.test(right)) return false;
  return BigInt(left) < BigInt(right);
}
