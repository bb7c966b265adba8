import type { KubeObject } from '../istio/resources.ts';
import { OWNER_ANNOTATION } from './route-form.ts';

/**
 * Annotation of a VirtualService that a release owned and left behind: `NAMESPACE/NAME` of the CanaryRelease, which may take it back. So
 * that a release that was deleted and is applied again finds its own object there, not somebody else's.
 */
export const FORMER_OWNER_ANNOTATION = 'perch.dev/formerly-owned-by';

/** `NAMESPACE/NAME` of the release that owns an object, as its annotation says; undefined where none does. */
export function ownerOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[OWNER_ANNOTATION];
}

/** `NAMESPACE/NAME` of the release that left the object behind; undefined where none did. */
export function formerOwnerOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[FORMER_OWNER_ANNOTATION];
}

/** An owned object as its release leaves it behind: an ordinary one, which remembers whose it was. Any other object as it is. */
export function leftBehind(object: KubeObject): KubeObject {
  const { [OWNER_ANNOTATION]: owner, ...annotations } = object.metadata.annotations ?? {};
  if (owner === undefined) return object;
  return { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [FORMER_OWNER_ANNOTATION]: owner } } };
}
