import type { CanaryReleaseSpec, Version } from '../core/release/canary-release.ts';
import { describeVersion } from '../core/release/version.ts';
import { canonicalJson } from './manifest.ts';

/** A spec as it was applied: before defaults, and valid. */
type AppliedSpec = Partial<Pick<CanaryReleaseSpec, 'canary' | 'stable' | 'revision' | 'steps'>> & Readonly<Record<string, unknown>>;

/** Fields that are told with their values, each as short as can be. */
const TOLD: readonly { readonly field: string; readonly tell: (spec: AppliedSpec) => string | undefined }[] = [
  { field: 'canary', tell: ({ canary }) => versionText(canary) },
  { field: 'stable', tell: ({ stable }) => versionText(stable) },
  { field: 'revision', tell: ({ revision }) => (revision === undefined ? undefined : String(revision)) },
  { field: 'steps', tell: ({ steps }) => steps?.map(({ weight, match }) => (match === undefined ? weight : 'picked')).join('/') },
];

/** What a release is to do, in a few words: `canary v2, stable v1, steps 10/50/100`. */
export function describeSpec(spec: AppliedSpec): string {
  return TOLD.flatMap(({ field, tell }) => {
    const value = tell(spec);
    return value === undefined ? [] : `${field} ${value}`;
  }).join(', ');
}

/** What is different in a spec, in a few words: `canary v2 → v3, steps 10/50/100 → 20/100, affinity changed`. Empty where nothing is. */
export function describeSpecChange(before: AppliedSpec, after: AppliedSpec): string {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = fields.filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]));
  const told = TOLD.map(({ field }) => field);
  const inOrder = [...told.filter((field) => changed.includes(field)), ...changed.filter((field) => !told.includes(field))];
  return inOrder.map((field) => changeText(field, before, after)).join(', ');
}

function changeText(field: string, before: AppliedSpec, after: AppliedSpec): string {
  const tell = TOLD.find((each) => each.field === field)?.tell;
  const [from, to] = [tell?.(before), tell?.(after)];
  if (from !== to) return `${field} ${from ?? 'not set'} → ${to ?? 'not set'}`;
  return field === 'steps' ? 'holds of the steps changed' : `${field} ${verb(before[field], after[field])}`;
}

function verb(before: unknown, after: unknown): string {
  if (before === undefined) return 'added';
  return after === undefined ? 'taken out' : 'changed';
}

function versionText(version: Version | undefined): string | undefined {
  return version === undefined ? undefined : describeVersion(version);
}
