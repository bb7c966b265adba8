import { refText } from '../../cluster/manifest.ts';
import type { ObjectView } from '../../server/release-resource.ts';
import type { ReleaseClient } from '../release-client.ts';
import type { Kind } from './kinds.ts';
import { missingObject } from './missing-object.ts';
import type { ObjectArguments } from './object-arguments.ts';

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
  client: ReleaseClient,
  { kinds, named }: ObjectArguments,
  namespace: string | undefined,
  view: 'served' | 'base',
): Promise<FoundObjects> {
  const missing: string[] = [];
  const found: FoundKind[] = [];
  for (const kind of kinds) {
    const wanted = named.filter((each) => each.kind === kind);
    if (wanted.length === 0) {
      found.push({
        kind,
        objects: kind === 'CanaryRelease' ? await client.releases(namespace) : await client.objects(kind, namespace, view),
      });
      continue;
    }
    const objects = new Map<string, ObjectView>();
    for (const ref of wanted) {
      const object = kind === 'CanaryRelease' ? await client.release(ref.namespace, ref.name) : await client.object(ref, view);
      if (object === undefined) missing.push((await missingObject(client, ref)).message);
      else objects.set(refText(ref), object);
    }
    found.push({ kind, objects: [...objects.values()] });
  }
  return { kinds: found, missing };
}
