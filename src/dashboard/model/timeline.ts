import type { TimelineSample } from '../../core/view/timeline-view.ts';

/** The samples that were loaded, and those that came since; what is not newer than what is there is dropped. */
export function joinSamples(loaded: readonly TimelineSample[], added: readonly TimelineSample[]): readonly TimelineSample[] {
  let last = loaded.at(-1)?.at ?? '';
  const newer = added.filter(({ at }) => {
    if (at <= last) return false;
    last = at;
    return true;
  });
  return newer.length === 0 ? loaded : [...loaded, ...newer];
}
