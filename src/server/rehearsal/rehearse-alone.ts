import type { ObjectRef } from '../../cluster/store.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { type Circumstances, openRehearsal, type Performance } from './rehearsal.ts';

/** How each release went, in the order in which they were named, or why none could: admission refuses those that cannot be there together. */
export type Rehearsed =
  | { readonly ok: true; readonly performances: readonly Performance[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Runs each release to its end while the others are there and have not begun, so that what it changes is its own. */
export async function rehearseAlone(
  objects: readonly KubeObject[],
  releases: readonly ObjectRef[],
  circumstances: Circumstances,
): Promise<Rehearsed> {
  const performances: Performance[] = [];
  for (const release of releases) {
    const opened = await openRehearsal(objects);
    if (!opened.ok) return opened;
    performances.push(await opened.rehearsal.perform(release, { kind: 'after' }, circumstances));
    await opened.rehearsal.close();
  }
  return { ok: true, performances };
}
