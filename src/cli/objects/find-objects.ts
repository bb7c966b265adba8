import type { ObjectView } from '../../server/release-resource.ts';
import type { ApiClient } from '../api-client.ts';
import type { Kind } from './kinds.ts';
import { missingText } from './missing-object.ts';
import type { ObjectArguments } from './object-arguments.ts';
import { refOfView } from './object-name.ts';

/** Objects of one kind, releases with their figures. */
export interface FoundKind {
  readonly kind: Kind;
  readonly objects: readonly ObjectView[];
}

/** What the words of a command line came to. */
export interface FoundObjects {
  /** By kind, in the order asked for. */
  readonly kinds: readonly FoundKind[];
  /** A sentence for each object that was named and does not exist. */
  readonly missing: readonly string[];
}

/** Looks up what was named; where nothing was, all objects of `namespace`, or of every one where that is undefined. */
export async function findObjects(
  client: ApiClient,
  { kinds, named }: ObjectArguments,
  namespace: string | undefined,
  view: 'served' | 'base',
): Promise<FoundObjects> {
  const missing: string[] = [];
  const found: FoundKind[] = [];
  for (const kind of kinds) {
    const all = kind === 'CanaryRelease' ? await client.releases() : await client.objects(kind, undefined, view);
    const wanted = named.filter((each) => each.kind === kind);
    if (wanted.length === 0) {
      found.push({ kind, objects: all.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace) });
      continue;
    }
    const objects = wanted.flatMap((ref) => {
      const object = all.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name);
      if (object === undefined) missing.push(missingText(ref, all.map(refOfView)));
      return object ?? [];
    });
    found.push({ kind, objects: [...new Set(objects)] });
  }
  return { kinds: found, missing };
}
