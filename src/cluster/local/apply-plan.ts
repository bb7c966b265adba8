import { type Diagnostic, hasErrors } from '../../core/diagnostics/diagnostic.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { Admission } from '../admission.ts';
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
}

/** All of an apply, before anything is written. With an error among the diagnostics nothing may be. */
export interface ApplyPlan {
  readonly steps: readonly ApplyStep[];
  readonly pruned: readonly ObjectRef[];
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
  const twice = duplicates(objects);
  if (hasErrors(twice)) return { steps: [], pruned: [], diagnostics: twice };
  const steps = objects.map((object) => planStep(table, source, admission.baseOf(object)));
  const named = new Set(steps.map((step) => refText(step.ref)));
  const pruned = prune ? table.appliedBy(source).filter((ref) => !named.has(refText(ref))) : [];
  const leaving = new Set(pruned.map(refText));
  const existing = table.list(undefined, undefined).filter((object) => !leaving.has(refText(object.ref)));
  const applied = steps.filter((step) => step.result !== 'unchanged').map((step) => step.object);
  return { steps, pruned, diagnostics: applied.length === 0 ? [] : admission.admit(applied, existing) };
}

function planStep(table: ObjectTable, source: string, object: KubeObject): ApplyStep {
  const manifest = manifestOf(object);
  const ref = refOf(manifest);
  const existing = table.get(ref);
  if (existing === undefined) return { ref, object, manifest, existing, repeated: false, result: 'created' };
  const repeated = table.lastApplied(source, ref) === canonicalJson(manifest);
  const equal = sameManifest(existing.base, manifest) && existing.deletionRequestedAt === undefined;
  return { ref, object, manifest, existing, repeated, result: repeated || equal ? 'unchanged' : 'configured' };
}

function duplicates(objects: readonly KubeObject[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const text of objects.map((object) => refText(refOf(object)))) (seen.has(text) ? twice : seen).add(text);
  return [...twice].map((object) => ({
    code: 'PERCH4050',
    severity: 'error',
    message: `${object} is given twice in one apply`,
    object,
    hint: 'keep one of the two',
  }));
}
