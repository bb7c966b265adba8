import type { TimelineSample, TimelineView } from '../view/timeline-view.ts';
import type { ExposureSummary } from './exposure.ts';

/** How many samples a timeline has at most; beyond, it thins out. */
export const MOST_SAMPLES = 600;
/** How many are left when it has thinned out, at most, as far as steps allow. */
const THINNED = 450;
/** Distance of samples at first, in ms. */
export const FIRST_INTERVAL_MS = 1000;

/** A moment and its figures. */
interface Entry {
  /** In ms since the epoch. */
  readonly at: number;
  /** Changes where visitors are routed otherwise than before: counts begin anew there. */
  readonly step: string;
  /** Changes with the figures. */
  readonly version: number;
  readonly figures: Omit<TimelineSample, 'at'>;
}

/**
 * What was measured of one release over time. Bounded: as it grows, what stands closer together than an interval that doubles is left out, but never a
 * step's first and last sample. Where nothing changes there are two samples, however long it lasts. Pure: times and figures come in.
 */
export class ExposureTimeline {
  private readonly counts: ExposureSummary['counts'];
  private readonly since: number;
  private entries: Entry[] = [];
  private intervalMs = FIRST_INTERVAL_MS;
  /** Time of the last sample that `add` gave back. */
  private toldAt = 0;

  constructor(counts: ExposureSummary['counts'], since: number) {
    this.counts = counts;
    this.since = since;
  }

  /**
   * Takes the figures of a moment no earlier than those before, which are asked for only where `version` is another one than before; gives back what
   * listeners have to be told so that they can draw what `view` has, the oldest first. A step without a weight (everyone is on one version) gets one
   * sample: what comes after the release is no part of it.
   */
  add(at: number, step: string, version: number, summarize: () => ExposureSummary): readonly TimelineSample[] {
    const last = this.entries.at(-1);
    const before = this.entries.at(-2);
    if (last?.step === step && last.figures.weight === undefined) return [];
    const isSame = last?.step === step && last.version === version;
    const entry = { at, step, version, figures: isSame ? last.figures : figuresOf(summarize()) };
    const replaces = last?.step === step && before?.step === step;
    if (replaces && (last.at - before.at < this.intervalMs || (isSame && before.version === version))) this.entries.pop();
    this.entries.push(entry);
    if (this.entries.length > MOST_SAMPLES) this.thinOut();
    if (isSame) return [];
    const unsaid = last !== undefined && last.at > this.toldAt && this.entries.includes(last) ? [last] : [];
    this.toldAt = at;
    return [...unsaid, entry].map(sampleOf);
  }

  view(): TimelineView {
    return {
      counts: this.counts,
      since: new Date(this.since).toISOString(),
      intervalMs: this.intervalMs,
      items: this.entries.map(sampleOf),
    };
  }

  private thinOut(): void {
    const [{ at: first } = { at: 0 }] = this.entries;
    const length = (this.entries.at(-1)?.at ?? 0) - first;
    while (this.entries.length > THINNED && this.intervalMs < length) {
      this.intervalMs *= 2;
      let kept: Entry | undefined;
      this.entries = this.entries.filter((entry, index, all) => {
        const next = all[index + 1];
        const isWithin = kept?.step === entry.step && next?.step === entry.step;
        const isKept = !isWithin || kept === undefined || next.at - kept.at > this.intervalMs;
        if (isKept) kept = entry;
        return isKept;
      });
    }
    // Only first and last samples of steps are left: more steps than a release can have, begun again and again.
    this.entries = this.entries.slice(-MOST_SAMPLES);
  }
}

function sampleOf({ at, figures }: Entry): TimelineSample {
  return { at: new Date(at).toISOString(), ...figures };
}

function figuresOf(summary: ExposureSummary): Entry['figures'] {
  const { weight, requests, errors, latency } = summary;
  const common = { ...(weight !== undefined && { weight }), requests, errors, ...(latency !== undefined && { latency }) };
  if (summary.counts === 'visitors') {
    const { share, chance, visitors } = summary;
    return {
      ...common,
      visitors: visitors.total,
      ...(share !== undefined && { share }),
      ...(chance !== undefined && { chance: [...chance] }),
    };
  }
  const total = requests.stable + requests.canary;
  return total === 0 ? common : { ...common, share: (100 * requests.canary) / total };
}
