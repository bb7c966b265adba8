import { manifestOf, refText } from '../../cluster/manifest.ts';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { type Circumstances, openRehearsal, type Performance, type Until } from '../../server/rehearsal/rehearsal.ts';
import { touchedRoutes } from './object-plan.ts';
import type { FoundRelease } from './releases-named.ts';

/** The routes of one step, or why there are none: the objects would be refused, or a release would not get there. */
export type RenderedRoutes =
  | { readonly kind: 'rendered'; readonly routes: readonly KubeObject[]; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'waiting'; readonly reasons: readonly string[]; readonly diagnostics: readonly Diagnostic[] };

/** The VirtualServices and HTTPRoutes that these releases are woven into, as they are served once each release has come to `until`, in order of their names. */
export async function renderRoutes(
  objects: readonly KubeObject[],
  releases: readonly FoundRelease[],
  until: Until,
  circumstances: Circumstances,
): Promise<RenderedRoutes> {
  const opened = await openRehearsal(objects);
  if (!opened.ok) return { kind: 'refused', diagnostics: opened.diagnostics };
  const { rehearsal } = opened;
  const performances: Performance[] = [];
  for (const { ref } of releases) performances.push(await rehearsal.perform(ref, until, circumstances));
  const now = await rehearsal.objects();
  await rehearsal.close();

  const diagnostics = performances.flatMap(({ findings }) => findings);
  const reasons = releases.flatMap(({ ref }, index) => reasonMissing(ref.name, performances[index], until));
  if (reasons.length > 0) return { kind: 'waiting', reasons, diagnostics };
  const touched = new Set(releases.flatMap(({ release }) => touchedRoutes(release, [{ objects: now }])).map(refText));
  const routes = now
    .filter(({ ref }) => touched.has(refText(ref)))
    .sort((left, right) => (refText(left.ref) < refText(right.ref) ? -1 : 1))
    .map(({ served }) => manifestOf(served));
  return { kind: 'rendered', routes, diagnostics };
}

function reasonMissing(name: string, performance: Performance | undefined, until: Until): readonly string[] {
  const { stages = [], waiting } = performance ?? {};
  const last = stages.at(-1);
  if (last?.kind === until.kind && (until.kind !== 'step' || last.step === until.step)) return [];
  if (last?.kind === 'after') return [`${name} has nothing to release: its canary is what everyone has already (--step end renders that)`];
  return [`${name} would not start: ${waiting ?? 'see the findings'}`];
}
