import type { ExposureSummary } from '../../core/evidence/exposure.ts';
import type { TimelineSample } from '../../core/view/timeline-view.ts';
import { isAnew } from './rates.ts';

/** A place of the measured line. */
export interface MeasuredPoint {
  /** Ms since the epoch. */
  readonly at: number;
  /** Percent on the canary; undefined where nobody came. */
  readonly value: number | undefined;
  /** Where chance alone puts it. */
  readonly range: readonly [number, number] | undefined;
  /** Counts began anew: not joined to the point before. */
  readonly isFirst: boolean;
}

/** The measured share over time, up to `until`: what the release says by itself is newer than the last sample, as long as it is of the same step. */
export function measuredLine(
  samples: readonly TimelineSample[],
  exposure: ExposureSummary | undefined,
  until: number,
): readonly MeasuredPoint[] {
  const line = samples.map((sample, index): MeasuredPoint => {
    const before = samples[index - 1];
    return {
      at: Date.parse(sample.at),
      value: sample.share,
      range: sample.chance,
      isFirst: before !== undefined && isAnew(before, sample),
    };
  });
  const last = line.at(-1);
  if (exposure === undefined || last === undefined || samples.at(-1)?.weight !== exposure.weight) return line;
  const at = Math.max(last.at, until);
  return [...line, { at, isFirst: false, ...newest(exposure) }];
}

function newest(exposure: ExposureSummary): Pick<MeasuredPoint, 'value' | 'range'> {
  if (exposure.counts === 'visitors') return { value: exposure.share, range: exposure.chance };
  const { stable, canary } = exposure.requests;
  return { value: stable + canary === 0 ? undefined : (100 * canary) / (stable + canary), range: undefined };
}
