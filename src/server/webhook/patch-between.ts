import { sameJson } from '../../cluster/manifest.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { PatchOperation } from './admission-review.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What is to be changed in `object` where `before` is to become `after`: in labels, annotations and the spec, each of its fields as a whole. `before` is the
 * object as stores know it: what tools keep on an object besides stays.
 */
export function patchBetween(object: KubeObject, before: KubeObject, after: KubeObject): readonly PatchOperation[] {
  const { labels, annotations } = object.metadata;
  return [
    ...operations('/metadata/labels', labels, before.metadata.labels, after.metadata.labels),
    ...operations('/metadata/annotations', annotations, before.metadata.annotations, after.metadata.annotations),
    ...operations('/spec', object.spec as Fields | undefined, before.spec as Fields | undefined, after.spec as Fields | undefined),
  ];
}

/** To `add` a field that is there replaces it (RFC 6902, section 4.1). */
function operations(path: string, place: Fields | undefined, before: Fields = {}, after: Fields = {}): readonly PatchOperation[] {
  if (place === undefined) return Object.keys(after).length === 0 ? [] : [{ op: 'add', path, value: after }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !sameJson(before[key], after[key]));
  return keys.map((key) => {
    const at = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return after[key] === undefined ? { op: 'remove', path: at } : { op: 'add', path: at, value: after[key] };
  });
}
