import { InvalidArgumentError } from 'commander';
import type { Until } from '../../server/rehearsal/rehearsal.ts';
import { CommandError } from '../command-error.ts';
import type { FoundRelease } from './releases-named.ts';

/** A step as people write it: a number from 1, `base` or `end`. For Commander's option parsers. */
export function parseStep(text: string): Until {
  if (text === 'base') return { kind: 'before' };
  if (text === 'end') return { kind: 'after' };
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('It is not a step: a number from 1, base or end.');
  return { kind: 'step', step: Number(text) - 1 };
}

/** Throws CommandError where one of the releases has no such step. */
export function refuseMissingStep(found: readonly FoundRelease[], until: Until): void {
  if (until.kind !== 'step') return;
  for (const { ref, release } of found) {
    const { length } = release.spec.steps;
    if (until.step < length) continue;
    throw new CommandError(
      `${ref.name} has ${length} ${length === 1 ? 'step' : 'steps'}: there is no step ${until.step + 1}; after the last comes end`,
    );
  }
}
