import type { ObjectRef } from '../../cluster/store.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { type Circumstances, openRehearsal, type Performance } from './rehearsal.ts';

/** How each release went, in the order in which they were named, or why none could. */
export type Rehearsed =
  | { readonly ok: true; readonly performances: readonly Performance[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Runs each release to its end while the others have not begun, so that what it changes is its own. Whether they could all begin at once is
 * tried too: one that could not says what it waits for.
 */
export async function rehearseAlone(
  objects: readonly KubeObject[],
  releases: readonly ObjectRef[],
  circumstances: Circumstances,
): Promise<Rehearsed> {
  const performances: Performance[] = [];
  for (const release of releases) {
    const alone = await performed(objects, [release], 'after', circumstances);
    if (!alone.ok) return alone;
    performances.push(...alone.performances);
  }
  if (releases.length === 1) return { ok: true, performances };
  const together = await performed(objects, releases, 'first step', circumstances);
  if (!together.ok) return together;
  return { ok: true, performances: performances.map((alone, index) => beside(alone, together.performances[index])) };
}

async function performed(
  objects: readonly KubeObject[],
  releases: readonly ObjectRef[],
  until: 'after' | 'first step',
  circumstances: Circumstances,
): Promise<Rehearsed> {
  const opened = await openRehearsal(objects);
  if (!opened.ok) return opened;
  const { rehearsal } = opened;
  const performances: Performance[] = [];
  for (const release of releases) {
    performances.push(await rehearsal.perform(release, until === 'after' ? { kind: 'after' } : { kind: 'step', step: 0 }, circumstances));
  }
  await rehearsal.close();
  return { ok: true, performances };
}

function beside(alone: Performance, together: Performance | undefined): Performance {
  if (together?.waiting === undefined || alone.waiting !== undefined) return alone;
  return { ...alone, waiting: together.waiting, findings: together.findings };
}
