import { storedObject } from '../../cluster/kube/kube-object.ts';
import { FIELD_MANAGER } from '../../cluster/kube/managed-fields.ts';
import { isRouteKind } from '../../cluster/kube/route-writes.ts';
import { refOf } from '../../cluster/manifest.ts';
import type { ObjectLists, ReleaseStore } from '../../cluster/store.ts';
import { servedForm } from '../../controller/served-form.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { logText } from '../../core/diagnostics/log-text.ts';
import { hidesMistakes } from '../../core/weave-http-route/hidden-mistakes.ts';
import type { AdmissionAnswer, AdmissionRequest } from './admission-review.ts';
import { patchBetween } from './patch-between.ts';

/** Of all that speaks against weaving so much is said to who writes. */
const MOST_WARNINGS = 5;

const UNCHANGED: AdmissionAnswer = { patch: [], warnings: [] };

/**
 * What is to be changed in a write, so that the releases in the object stay in it: `store` says what they are. What Perch writes itself stays
 * as it is: a step that this process has not heard of yet, or a release that is being taken out. So does what is not known here as all
 * others are: an HTTPRoute that no watch tells of, be it that its definition knows no names of rules; and what the apiserver has yet to refuse.
 */
export async function weaveAtAdmission(
  store: ObjectLists & Pick<ReleaseStore, 'get'>,
  { object, oldObject, fieldManager }: AdmissionRequest,
  now: () => Date,
): Promise<AdmissionAnswer> {
  if (object === undefined || !isRouteKind(object.kind) || fieldManager === FIELD_MANAGER) return UNCHANGED;
  const { kind, namespace } = refOf(object);
  if (store.isRead?.(namespace, kind) === false || hidesMistakes(object)) return UNCHANGED;
  const creationTimestamp = object.metadata.creationTimestamp ?? now().toISOString();
  const dated = { ...object, metadata: { ...object.metadata, creationTimestamp } };
  const stored = storedObject(dated, await store.get(refOf(object)), store.revision() + 1);
  const form = await servedForm(store, { stored, former: oldObject });
  return {
    patch: patchBetween(object, stored.served, form.object),
    warnings: form.errors.slice(0, MOST_WARNINGS).map(warningOf),
  };
}

function warningOf({ object, path, message, code }: Diagnostic): string {
  return logText(`perch: ${[object, path].filter(Boolean).join(' ')}: ${message} (${code})`);
}
