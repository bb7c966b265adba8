import type { Version } from '../../core/release/canary-release.ts';
import { describeVersion } from '../../core/release/version.ts';
import type { ReleaseView } from '../../server/release-resource.ts';

/** The versions of the current or last release; of one that has not started, those that it asks for. */
export function pairOf({ spec, status }: Pick<ReleaseView, 'spec' | 'status'>): {
  readonly stable: Version | undefined;
  readonly canary: Version;
} {
  if (status === undefined || status.phase === 'Pending') return { stable: spec.stable ?? status?.liveVersion, canary: spec.canary };
  return { stable: status.stable ?? spec.stable ?? status.liveVersion, canary: status.canary ?? spec.canary };
}

/** Whether requests are drawn, and nobody has an id (`affinity.mode: canaryOnly`). */
export function isDrawn({ spec }: Pick<ReleaseView, 'spec'>): boolean {
  return spec.affinity?.mode === 'canaryOnly';
}

/** `step 2 of 3, v2 for 50 % of visitors`; of draws, where nobody's bucket decides. */
export function stepText(release: Pick<ReleaseView, 'spec' | 'status'>): string {
  const { spec, status } = release;
  const of = status?.canaryCookie === undefined ? 'visitors' : 'draws';
  const canary = describeVersion(pairOf(release).canary);
  return `step ${(status?.step ?? 0) + 1} of ${spec.steps.length}, ${canary} for ${percent(status?.weight ?? 0)} of ${of}`;
}

/** A weight in percent: `25 %`, `12.5 %`. */
export function percent(value: number): string {
  return `${Number(value.toFixed(1))} %`;
}

/** A whole number with thousands apart: `3,120`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
