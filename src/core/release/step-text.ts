import type { CanaryReleaseSpec } from './canary-release.ts';

/** What a step does, in a few words: `10 %`, `header x-team`. */
export function stepText({ weight, match }: CanaryReleaseSpec['steps'][number]): string {
  if (match === undefined) return `${weight} %`;
  const names = new Set(match.flatMap(({ headers }) => Object.keys(headers)));
  return `those picked by header ${[...names].join(', ')}`;
}
