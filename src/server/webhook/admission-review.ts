import { z } from 'zod';
import type { ApiObject } from '../../cluster/kube/kube-object.ts';

/** One change of a JSON document (RFC 6902, section 4). */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

/** What an apiserver asks about one write, as far as it matters here (k8s.io/api, admission/v1 AdmissionRequest). */
export interface AdmissionRequest {
  /** Names the question; the answer repeats it. */
  readonly uid: string;
  /** The object as it is to be; undefined where that cannot be read. */
  readonly object: ApiObject | undefined;
  /** As it is; undefined where it is created. */
  readonly oldObject: ApiObject | undefined;
  /** Who writes, as the request's `fieldManager` says; undefined where it says nothing. */
  readonly fieldManager: string | undefined;
}

/** What is said about a write: it is allowed, always. */
export interface AdmissionAnswer {
  readonly patch: readonly PatchOperation[];
  /** For who writes; kubectl shows them. */
  readonly warnings: readonly string[];
}

/** Longest uid; a UUID has 36. */
const LONGEST_UID = 128;

const metadata = z.looseObject({
  name: z.string().min(1),
  namespace: z.string().min(1),
  annotations: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  creationTimestamp: z.string().optional(),
});
const anyObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata, spec: z.record(z.string(), z.unknown()).optional() });

const review = z.object({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.object({ uid: z.string().min(1).max(LONGEST_UID) }),
});
const options = z.object({ request: z.object({ options: z.object({ fieldManager: z.string() }) }) });
const objects = z.object({ request: z.object({ object: anyObject, oldObject: anyObject.nullish() }) });

/**
 * The request in an AdmissionReview of admission.k8s.io/v1; undefined where the text is none, so that there is no question to answer. An
 * object that cannot be read is none.
 */
export function readReview(text: string): AdmissionRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const asked = review.safeParse(value);
  if (!asked.success) return undefined;
  const found = objects.safeParse(value).data?.request;
  return {
    uid: asked.data.request.uid,
    object: found?.object as ApiObject | undefined,
    oldObject: (found?.oldObject ?? undefined) as ApiObject | undefined,
    fieldManager: options.safeParse(value).data?.request.options.fieldManager,
  };
}

/** The answer as an AdmissionReview, in JSON. */
export function reviewText(uid: string, { patch, warnings }: AdmissionAnswer): string {
  const patched = patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...patched, ...(warnings.length === 0 ? {} : { warnings }) },
  });
}
