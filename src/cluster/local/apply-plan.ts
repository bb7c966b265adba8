import { type Diagnostic, hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { Admission } from '../admission.ts';
import { duplicateObjects } from '../duplicate-objects.ts';
import { canonicalJson, type Manifest, manifestOf, refOf, refText, sameManifest } from '../manifest.ts';
import type { ApplyOutcome, ObjectRef, StoredObject } from '../store.ts';
import type { ObjectTable } from './object-table.ts';

/** What an apply does to one object that it names. */
export interface ApplyStep {
  readonly ref: ObjectRef;
  /** As given, un-woven: with fields that no manifest has, so that admission sees mistakes there too. */
  readonly object: KubeObject;
  /** The base to be. */
  readonly manifest: Manifest;
  readonly existing: StoredObject | undefined;
  /** Whether the source applied just this the last time. */
  readonly repeated: boolean;
  readonly result: Exclude<ApplyOutcome['result'], 'pruned'>;
  /** A release weaves into it: what is served stays until that is done. */
  readonly isReleased: boolean;
}

/** All of an apply, before anything is written. With an error among the diagnostics nothing may be. */
export interface ApplyPlan {
  readonly steps: readonly ApplyStep[];
  readonly pruned: readonly ObjectRef[];
  /** What the source no longer names, but a release owns now: it stays, and the source forgets it. */
  readonly handedOver: readonly ObjectRef[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Decides what an apply of `objects` as `source` would change, and asks for admission of that. */
export function planApply(
  table: ObjectTable,
  admission: Admission,
  source: string,
  objects: readonly KubeObject[],
  prune: boolean,
): ApplyPlan {
  const twice = duplicateObjects(objects);
  if (hasErrors(twice)) return { steps: [], pruned: [], handedOver: [], diagnostics: twice };
  const drafts = objects.map((object) => planStep(table, source, admission.baseOf(object)));
  const applied = drafts.filter((step) => step.result !== 'unchanged').map((step) => step.object);
  const stored = table.list(undefined, undefined);
  const changed = new Set(applied.map((object) => refText(refOf(object))));
  const after = [...stored.filter(({ ref }) => !changed.has(refText(ref))).map(({ base }) => base), ...applied];
  const named = new Set(drafts.map((step) => refText(step.ref)));
  const unnamed = prune ? table.appliedBy(source).filter((ref) => !named.has(refText(ref))) : [];
  const handedOver = unnamed.filter((ref) => hasErrors(admission.admitDeletion(ref, after)));
  const pruned = unnamed.filter((ref) => !handedOver.includes(ref));
  const leaving = new Set(pruned.map(refText));
  const existing = stored.filter((object) => !leaving.has(refText(object.ref)));
  const diagnostics = applied.length === 0 ? [] : admission.admit(applied, existing);
  const released = admission.releasedRoutes(after);
  const steps = drafts.map((step) => ({ ...step, isReleased: released.has(refText(step.ref)) }));
  return { steps, pruned, handedOver, diagnostics };
}

function planStep(table: ObjectTable, source: string, object: KubeObject): Omit<ApplyStep, 'isReleased'> {
  const manifest = manifestOf(object);
  const ref = refOf(manifest);
  const existing = table.get(ref);
  if (existing === undefined) return { ref, object, manifest, existing, repeated: false, result: 'created' };
  const repeated = table.lastApplied(source, ref) === canonicalJson(manifest);
  const equal = sameManifest(existing.base, manifest) && existing.deletionRequestedAt === undefined;
  return { ref, object, manifest, existing, repeated, result: repeated || equal ? 'unchanged' : 'configured' };
}
