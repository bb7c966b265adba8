import type { Phase } from './status.ts';

/** All phases, in the order in which a release goes through them. */
export const PHASES = [
  'Pending',
  'Progressing',
  'Paused',
  'Completing',
  'Succeeded',
  'RollingBack',
  'RolledBack',
  'Superseded',
] as const satisfies Phase[];

/** Whether a release has begun and not ended: its pair, its draw and its routes must not change under it. */
export function isUnderWay(phase: Phase): boolean {
  return phase === 'Progressing' || phase === 'Paused' || phase === 'Completing' || phase === 'RollingBack' || phase === 'Superseded';
}

/** Whether visitors may be on the canary because of this release. */
export function isExposed(phase: Phase): boolean {
  return phase === 'Progressing' || phase === 'Paused' || phase === 'Completing';
}

/** Whether a release has ended, with everyone at one version. */
export function isSettled(phase: Phase): boolean {
  return phase === 'Succeeded' || phase === 'RolledBack';
}
