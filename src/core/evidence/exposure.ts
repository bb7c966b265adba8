import { detached } from '../text/detached.ts';
import type { LatencyView } from '../view/latency-view.ts';
import { BUCKETS } from '../visitor/bucket.ts';
import type { Cohort } from '../visitor/cohort.ts';
import { binomialBand } from './binomial-band.ts';
import type { EdgeFigures } from './edge-tally.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { Recent } from './recent.ts';
import { type SipKey, sipHash24 } from './sip-hash.ts';
import { VisitorTable } from './visitor-table.ts';

/** Something for each cohort. */
export interface PerCohort {
  readonly stable: number;
  readonly canary: number;
}

/** Distinct visitors, and those of them whose last answer came from the canary. */
export interface VisitorCount {
  readonly total: number;
  readonly canary: number;
}

/** What the released service answered. */
export interface RequestFigures {
  /** Answers since the step began, also those to clients without an id. */
  readonly requests: PerCohort;
  /** Those that failed. */
  readonly errors: PerCohort;
}

/** Who saw what, of all visitors or of one kind. */
export interface ExposureFigures extends RequestFigures {
  /** Visitors whom the released service answered since the step began, by their last answer. */
  readonly visitors: VisitorCount;
  /**
   * Further visitors, known only by what the edge decided for them: no answer of the service could be joined to them since the
   * release began. The hop carries neither their cookie nor the request id, or their pages never asked the service.
   */
  readonly assigned: VisitorCount;
  /** `visitors.canary` of `visitors.total`, in percent; absent without visitors. */
  readonly share?: number;
  /** Where chance alone puts `share` in at least 95 of 100 cases, in percent (binomial); absent without visitors or weight. */
  readonly chance?: readonly [low: number, high: number];
  /** Visitors who changed cohort since the release began; one who moves there and back counts in both. */
  readonly moved: { readonly toCanary: number; readonly back: number };
}

interface Summary<Figures> {
  /** How long the answers since the step began took, those of synthetic visitors included, to within 3.2 %; null of a version that gave none. Absent where times are not known. */
  readonly latency?: LatencyView;
  /** Since when is counted, ISO 8601: the step's beginning, or the observer's where that was later. */
  readonly since: string;
  /** Percent asked for; absent where the release is over. */
  readonly weight?: number;
  readonly real: Figures;
  readonly synthetic: Figures;
}

/** Exposure measured in visitors, to hold against the weight. */
export interface VisitorExposure extends Summary<ExposureFigures>, ExposureFigures {
  readonly counts: 'visitors';
  /** Whether visitors are estimated from a sample of their hashes: above `limit` visitors since the release began. */
  readonly sampled: boolean;
  /** Share of visitors in the sample, 0 to 1; 1 when exact. */
  readonly sampleRate: number;
  /** What came in where ids are issued; absent where none of it was seen. */
  readonly edge?: EdgeFigures;
}

/**
 * What can be counted where visitors on stable carry nothing that tells them apart (`affinity.mode: canaryOnly`): requests. How many
 * visitors have seen the canary cannot be known there.
 */
export interface RequestExposure extends Summary<RequestFigures>, RequestFigures {
  readonly counts: 'requests';
}

/** Exposure of one release. */
export type ExposureSummary = VisitorExposure | RequestExposure;

/** An answer of the released service. */
export interface Answer {
  readonly cohort: Cohort;
  readonly failed: boolean;
  /** Undefined where the request carried none: then `requestId` may tell whose it was. */
  readonly visitorId: string | undefined;
  /** Undefined: not to be joined to a request at the edge. */
  readonly requestId: string | undefined;
  /** Undefined where the hop does not say. */
  readonly synthetic: boolean | undefined;
  /** How long it took, in ms; absent: it is no time that a visitor waits, as that of a tunnel. */
  readonly durationMs?: number | undefined;
}

/** A visitor's request at the edge that went to another service, which may have asked the released one. */
export interface Passage {
  readonly visitorId: string;
  readonly requestId: string;
  /** The cohort that the edge decided on. */
  readonly cohort: Cohort;
  readonly synthetic: boolean;
}

/** Every visitor is remembered up to here; beyond, a sample of them. */
const EXACT_VISITORS = 200_000;
/** Requests in flight, or just ended, between whose two ends a join is looked for. */
const RECENT_REQUESTS = 16_384;

// A visitor's value in the table: cohort seen (2 bits), cohort assigned (2 bits), synthetic (1 bit), window last counted in (26 bits).
const UNKNOWN = 0;
const CODE: Readonly<Record<Cohort, number>> = { stable: 1, canary: 2 };
const COHORT_BITS = 0b11;
const ASSIGNED_SHIFT = 2;
const SYNTHETIC_BIT = 0b1_0000;
const WINDOW_SHIFT = 5;

/** Counts of one kind of visitor; arrays are indexed by a cohort's code. */
interface Tally {
  readonly seen: [number, number, number];
  readonly assigned: [number, number, number];
  readonly requests: [number, number, number];
  readonly errors: [number, number, number];
  toCanary: number;
  back: number;
}

/**
 * Accumulates the exposure of one release. Pure: time, keys and events come in, figures go out.
 * Memory: 12 to 48 bytes a visitor, at most `limit` visitors; above that the sample is halved, and visitors who stay in it are
 * counted on.
 */
export class Exposure {
  private readonly key: SipKey;
  private readonly limit: number;
  private visitors = new VisitorTable();
  private readonly real = emptyTally();
  private readonly synthetic = emptyTally();
  /** Answers without an id, by request id: the inner request ends before the one at the edge that caused it. */
  private readonly answers = new Recent<Cohort>(RECENT_REQUESTS);
  /** Visitors at the edge, by request id: for answers that end after it all the same. */
  private readonly passages = new Recent<string>(RECENT_REQUESTS);
  private readonly hash = new Uint32Array(2);
  private window = 1;
  /** A visitor is in the sample when these bits of the hash's low word are 0: one in 2^n. */
  private sampleMask = 0;
  private readonly latency = { stable: new LatencyHistogram(), canary: new LatencyHistogram() };
  private changes = 0;

  /** `key` is secret and drawn anew at each start. */
  constructor(key: SipKey, limit: number = EXACT_VISITORS) {
    this.key = key;
    this.limit = limit;
  }

  /** Another number after each change of the figures. */
  get version(): number {
    return this.changes;
  }

  /** A new release begins: forget everyone. */
  startRelease(): void {
    this.visitors = new VisitorTable();
    this.sampleMask = 0;
    this.answers.clear();
    this.passages.clear();
    for (const tally of [this.real, this.synthetic]) {
      tally.toCanary = 0;
      tally.back = 0;
    }
    this.startStep();
  }

  /** A new step begins: count active visitors, requests and errors from zero; who was seen on what stays known. */
  startStep(): void {
    this.window += 1;
    this.changes += 1;
    this.latency.stable.clear();
    this.latency.canary.clear();
    for (const { seen, assigned, requests, errors } of [this.real, this.synthetic]) {
      for (const counts of [seen, assigned, requests, errors]) counts.fill(0);
    }
  }

  /** The released service answered. */
  answered(answer: Answer): void {
    this.changes += 1;
    const { visitorId, requestId, cohort } = answer;
    const owner = visitorId ?? (requestId === undefined ? undefined : this.passages.get(requestId));
    let synthetic = answer.synthetic;
    if (owner !== undefined) synthetic = this.note(owner, cohort, 'seen', synthetic);
    else if (requestId !== undefined) this.answers.set(detached(requestId), cohort);
    const tally = synthetic === true ? this.synthetic : this.real;
    tally.requests[CODE[cohort] as 1 | 2] += 1;
    if (answer.durationMs !== undefined) this.latency[cohort].add(answer.durationMs);
    if (answer.failed) tally.errors[CODE[cohort] as 1 | 2] += 1;
  }

  /** A visitor passed the edge on the way to another service. */
  passed(passage: Passage): void {
    this.changes += 1;
    const { visitorId, requestId, synthetic } = passage;
    this.passages.set(detached(requestId), detached(visitorId));
    const answered = this.answers.get(requestId);
    if (answered === undefined) this.note(visitorId, passage.cohort, 'assigned', synthetic);
    else this.note(visitorId, answered, 'seen', synthetic);
  }

  /** The figures of this moment. `cutoff` 0..4096 is what the weight comes to; undefined: no weight to hold them against. */
  summary(since: string, weight: number | undefined, cutoff: number | undefined): VisitorExposure {
    const scale = this.sampleMask + 1;
    return {
      counts: 'visitors',
      since,
      ...(weight !== undefined && { weight }),
      latency: this.latencies(),
      sampled: scale > 1,
      sampleRate: 1 / scale,
      ...figures([this.real, this.synthetic], scale, cutoff),
      real: figures([this.real], scale, cutoff),
      synthetic: figures([this.synthetic], scale, cutoff),
    };
  }

  /** The figures of this moment in requests alone. */
  requestSummary(since: string, weight: number | undefined): RequestExposure {
    return {
      counts: 'requests',
      since,
      ...(weight !== undefined && { weight }),
      latency: this.latencies(),
      ...requestFigures([this.real, this.synthetic]),
      real: requestFigures([this.real]),
      synthetic: requestFigures([this.synthetic]),
    };
  }

  private latencies(): LatencyView {
    return { stable: this.latency.stable.quantiles(), canary: this.latency.canary.quantiles() };
  }

  /** Records what one visitor saw or was assigned; gives back whether they are synthetic, as far as known. */
  private note(visitorId: string, cohort: Cohort, how: 'seen' | 'assigned', synthetic: boolean | undefined): boolean | undefined {
    sipHash24(this.key, visitorId, this.hash);
    const low = this.hash[0] ?? 0;
    const high = this.hash[1] ?? 0;
    if ((low & this.sampleMask) !== 0) return synthetic;
    const before = this.visitors.get(low, high) ?? 0;
    const isSynthetic = synthetic ?? (before & SYNTHETIC_BIT) !== 0;
    const seenBefore = before & COHORT_BITS;
    const assignedBefore = (before >> ASSIGNED_SHIFT) & COHORT_BITS;
    const seen = how === 'seen' ? CODE[cohort] : seenBefore;
    const assigned = how === 'assigned' ? CODE[cohort] : assignedBefore;
    // Someone already seen is active only when answered: an image of the old step must not bring an old answer into the new one.
    const wasActive = before >> WINDOW_SHIFT === this.window;
    const isActive = wasActive || how === 'seen' || seenBefore === UNKNOWN;
    if (wasActive) this.count((before & SYNTHETIC_BIT) !== 0, seenBefore, assignedBefore, -1);
    if (isActive) this.count(isSynthetic, seen, assigned, 1);
    this.countMove(isSynthetic, seenBefore || assignedBefore, seen || assigned, seenBefore === UNKNOWN && seen !== UNKNOWN);
    const window = isActive ? this.window : before >> WINDOW_SHIFT;
    this.visitors.set(low, high, seen | (assigned << ASSIGNED_SHIFT) | (isSynthetic ? SYNTHETIC_BIT : 0) | (window << WINDOW_SHIFT));
    if (this.visitors.size > this.limit) this.halveSample();
    return isSynthetic;
  }

  private count(isSynthetic: boolean, seen: number, assigned: number, by: 1 | -1): void {
    const tally = isSynthetic ? this.synthetic : this.real;
    if (seen !== UNKNOWN) tally.seen[seen as 1 | 2] += by;
    else tally.assigned[assigned as 1 | 2] += by;
  }

  private countMove(isSynthetic: boolean, from: number, to: number, learnt: boolean): void {
    // The first answer corrects what was only assumed: learning is not moving.
    if (from === to || from === UNKNOWN || learnt) return;
    const tally = isSynthetic ? this.synthetic : this.real;
    const visitors = this.sampleMask + 1;
    if (to === CODE.canary) tally.toCanary += visitors;
    else tally.back += visitors;
  }

  private halveSample(): void {
    const mask = this.sampleMask * 2 + 1;
    this.sampleMask = mask;
    this.visitors.keep((low) => (low & mask) === 0);
    for (const { seen, assigned } of [this.real, this.synthetic]) {
      seen.fill(0);
      assigned.fill(0);
    }
    this.visitors.forEach((value) => {
      if (value >> WINDOW_SHIFT !== this.window) return;
      this.count((value & SYNTHETIC_BIT) !== 0, value & COHORT_BITS, (value >> ASSIGNED_SHIFT) & COHORT_BITS, 1);
    });
  }
}

function emptyTally(): Tally {
  return { seen: [0, 0, 0], assigned: [0, 0, 0], requests: [0, 0, 0], errors: [0, 0, 0], toCanary: 0, back: 0 };
}

function sum(tallies: readonly Tally[], pick: (tally: Tally) => number): number {
  return tallies.reduce((total, tally) => total + pick(tally), 0);
}

function perCohort(tallies: readonly Tally[], name: 'seen' | 'assigned' | 'requests' | 'errors'): PerCohort {
  return { stable: sum(tallies, (tally) => tally[name][1]), canary: sum(tallies, (tally) => tally[name][2]) };
}

function requestFigures(tallies: readonly Tally[]): RequestFigures {
  return { requests: perCohort(tallies, 'requests'), errors: perCohort(tallies, 'errors') };
}

function figures(tallies: readonly Tally[], scale: number, cutoff: number | undefined): ExposureFigures {
  const seen = perCohort(tallies, 'seen');
  const assigned = perCohort(tallies, 'assigned');
  const inSample = seen.stable + seen.canary;
  return {
    visitors: { total: inSample * scale, canary: seen.canary * scale },
    assigned: { total: (assigned.stable + assigned.canary) * scale, canary: assigned.canary * scale },
    ...(inSample > 0 && { share: (100 * seen.canary) / inSample }),
    ...(inSample > 0 && cutoff !== undefined && { chance: chanceBand(cutoff, inSample) }),
    moved: { toCanary: sum(tallies, (tally) => tally.toCanary), back: sum(tallies, (tally) => tally.back) },
    ...requestFigures(tallies),
  };
}

/** Where chance alone puts the share of `count` visitors at cutoff/4096, in percent. */
function chanceBand(cutoff: number, count: number): readonly [number, number] {
  const [low, high] = binomialBand(count, cutoff / BUCKETS);
  return [(100 * low) / count, (100 * high) / count];
}
