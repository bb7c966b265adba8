import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cohort } from '../visitor/cohort.ts';
import { type Answer, Exposure, type Passage } from './exposure.ts';
import { sipKey } from './sip-hash.ts';

const KEY = sipKey(Uint8Array.from({ length: 16 }, (_, index) => 17 * index));
const SINCE = '2026-11-22T19:00:00.000Z';

const answer = (visitorId: string | undefined, cohort: Cohort, more: Partial<Answer> = {}): Answer => ({
  visitorId,
  cohort,
  failed: false,
  requestId: undefined,
  synthetic: false,
  ...more,
});
const passage = (visitorId: string, requestId: string, cohort: Cohort, more: Partial<Passage> = {}): Passage => ({
  visitorId,
  requestId,
  cohort,
  synthetic: false,
  ...more,
});
const summaryOf = (exposure: Exposure) => exposure.summary(SINCE, 10, 410);

describe('a service that sees the visitor id', () => {
  test('visitors are counted once, by their last answer', () => {
    const exposure = new Exposure(KEY);
    for (const cohort of ['stable', 'stable', 'canary'] as const) exposure.answered(answer('anna', cohort));
    exposure.answered(answer('ben', 'stable'));
    expect(summaryOf(exposure)).toMatchObject({
      since: SINCE,
      weight: 10,
      visitors: { total: 2, canary: 1 },
      share: 50,
      requests: { stable: 3, canary: 1 },
      moved: { toCanary: 1, back: 0 },
    });
  });

  test('a new step counts anew, but knows who was where', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'stable', { failed: true }));
    exposure.answered(answer('ben', 'stable'));
    exposure.startStep();
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 0, canary: 0 }, errors: { stable: 0, canary: 0 } });
    expect(summaryOf(exposure)).not.toHaveProperty('share');
    exposure.answered(answer('anna', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 1, canary: 1 }, moved: { toCanary: 1, back: 0 } });
  });

  test('going back is counted too, and another release starts from nothing', () => {
    const exposure = new Exposure(KEY);
    for (const cohort of ['stable', 'canary', 'stable'] as const) exposure.answered(answer('anna', cohort));
    expect(summaryOf(exposure).moved).toEqual({ toCanary: 1, back: 1 });
    exposure.startRelease();
    exposure.answered(answer('anna', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ moved: { toCanary: 0, back: 0 }, visitors: { total: 1, canary: 1 } });
  });

  test('failures count for the version that failed', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'canary', { failed: true }));
    exposure.answered(answer(undefined, 'stable'));
    expect(summaryOf(exposure)).toMatchObject({ errors: { stable: 0, canary: 1 }, requests: { stable: 1, canary: 1 } });
  });

  test('in requests alone: nobody is counted who cannot be told apart', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer(undefined, 'canary', { failed: true }));
    exposure.answered(answer(undefined, 'stable'));
    exposure.answered(answer(undefined, 'stable', { synthetic: true }));
    expect(exposure.requestSummary(SINCE, 10)).toEqual({
      counts: 'requests',
      since: SINCE,
      latency: { stable: null, canary: null },
      weight: 10,
      requests: { stable: 2, canary: 1 },
      errors: { stable: 0, canary: 1 },
      real: { requests: { stable: 1, canary: 1 }, errors: { stable: 0, canary: 1 } },
      synthetic: { requests: { stable: 1, canary: 0 }, errors: { stable: 0, canary: 0 } },
    });
    exposure.startStep();
    expect(exposure.requestSummary(SINCE, undefined)).toMatchObject({ requests: { stable: 0, canary: 0 } });
  });

  test('synthetic and real visitors are told apart, and the sum is both', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'canary'));
    exposure.answered(answer('robot 1', 'stable', { synthetic: true }));
    exposure.answered(answer('robot 2', 'canary', { synthetic: true }));
    const { real, synthetic, visitors } = summaryOf(exposure);
    expect(visitors).toEqual({ total: 3, canary: 2 });
    expect(real.visitors).toEqual({ total: 1, canary: 1 });
    expect(synthetic.visitors).toEqual({ total: 2, canary: 1 });
  });
});

describe('an internal service', () => {
  test('an answer without an id is the visitor’s whose request at the edge has the same id, which ends later', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer(undefined, 'canary', { requestId: 'r1' }));
    exposure.passed(passage('anna', 'r1', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 1, canary: 1 }, assigned: { total: 0, canary: 0 } });
  });

  test('or, where the answer ends last, earlier', () => {
    const exposure = new Exposure(KEY);
    exposure.passed(passage('anna', 'r1', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 0, canary: 0 }, assigned: { total: 1, canary: 1 } });
    exposure.answered(answer(undefined, 'stable', { requestId: 'r1' }));
    expect(summaryOf(exposure)).toMatchObject({
      visitors: { total: 1, canary: 0 },
      assigned: { total: 0, canary: 0 },
      moved: { toCanary: 0, back: 0 },
    });
  });

  test('what was seen wins over what the edge decided', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'stable'));
    exposure.passed(passage('anna', 'r1', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 1, canary: 0 }, assigned: { total: 0, canary: 0 } });
  });

  test('without anything to join by, visitors are shown as assigned, and nothing is claimed to be measured', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer(undefined, 'stable', { requestId: 'drawn by the hop' }));
    exposure.passed(passage('anna', 'r1', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 0, canary: 0 }, assigned: { total: 1, canary: 1 } });
  });

  test('an asset does not carry an answer of the last step into the new one', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'stable'));
    exposure.startStep();
    exposure.passed(passage('anna', 'r2', 'canary'));
    expect(summaryOf(exposure)).toMatchObject({ visitors: { total: 0, canary: 0 }, assigned: { total: 0, canary: 0 } });
  });

  test('a hop that drops the user agent makes nobody real: the edge knows', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('robot', 'canary', { synthetic: undefined }));
    exposure.passed(passage('robot', 'r1', 'canary', { synthetic: true }));
    exposure.answered(answer('robot', 'canary', { synthetic: undefined }));
    const { real, synthetic } = summaryOf(exposure);
    expect(real.visitors).toEqual({ total: 0, canary: 0 });
    expect(synthetic).toMatchObject({ visitors: { total: 1, canary: 1 }, requests: { stable: 0, canary: 1 } });
  });
});

describe('the band of chance', () => {
  test('is where 95 of 100 draws at the cutoff fall, not at the weight asked for', () => {
    const exposure = new Exposure(KEY);
    for (let visitor = 0; visitor < 400; visitor += 1) exposure.answered(answer(`visitor ${visitor}`, 'stable'));
    // By exact fractions: at 2000/4096 176 to 215 of 400, where 48.5 % would be 174 to 214.
    expect(exposure.summary(SINCE, 48.5, 2000).chance).toEqual([44.0, 53.75]);
  });

  test('stays within 0 and 100, and is a point where nothing is left to chance', () => {
    const exposure = new Exposure(KEY);
    exposure.answered(answer('anna', 'stable'));
    expect(exposure.summary(SINCE, 10, 410).chance?.[0]).toBe(0);
    expect(exposure.summary(SINCE, 0, 0).chance).toEqual([0, 0]);
    expect(exposure.summary(SINCE, 100, 4096).chance).toEqual([100, 100]);
    expect(exposure.summary(SINCE, undefined, undefined)).not.toHaveProperty('chance');
  });
});

describe('more visitors than are kept', () => {
  const visitorCount = 40_000;
  const limit = 2_000;
  const sampled = new Exposure(KEY, limit);
  for (let visitor = 0; visitor < visitorCount; visitor += 1) {
    sampled.answered(answer(`visitor ${visitor}`, visitor % 4 === 0 ? 'canary' : 'stable'));
  }

  test('the summary says that it is an estimate, at which rate', () => {
    const { sampled: isSampled, sampleRate } = summaryOf(sampled);
    expect(isSampled).toBe(true);
    expect(sampleRate).toBeLessThanOrEqual(limit / visitorCount);
    expect(Number.isInteger(Math.log2(sampleRate))).toBe(true);
  });

  test('count and share are close to the truth, and the band is that of the sample', () => {
    const { visitors, share, sampleRate, chance } = sampled.summary(SINCE, 25, 1024);
    const size = visitorCount * sampleRate;
    // Five standard deviations: binomial with the rate for the count, with one quarter for the share.
    expect(Math.abs(visitors.total - visitorCount)).toBeLessThan((5 * Math.sqrt(size)) / sampleRate);
    expect(Math.abs((share ?? 0) - 25)).toBeLessThan(5 * 100 * Math.sqrt((0.25 * 0.75) / size));
    // As wide as 1.96 standard deviations of the sample, to a visitor.
    const inSample = visitors.total * sampleRate;
    expect(Math.abs((chance?.[1] ?? 0) - 25 - 196 * Math.sqrt((0.25 * 0.75) / inSample))).toBeLessThan(100 / inSample);
  });

  test('requests are still counted one by one, and moves scaled up', () => {
    expect(summaryOf(sampled).requests).toEqual({ stable: 30_000, canary: 10_000 });
    for (let visitor = 1; visitor < visitorCount; visitor += 4) sampled.answered(answer(`visitor ${visitor}`, 'canary'));
    const { moved, sampleRate } = summaryOf(sampled);
    expect(Math.abs(moved.toCanary - 10_000)).toBeLessThan((5 * Math.sqrt(10_000 * sampleRate)) / sampleRate);
    expect(moved.back).toBe(0);
  });

  test('those of an earlier step are remembered, but not counted as active', () => {
    const exposure = new Exposure(KEY, limit);
    for (let visitor = 0; visitor < limit; visitor += 1) exposure.answered(answer(`early ${visitor}`, 'stable'));
    exposure.startStep();
    const late = 400;
    for (let visitor = 0; visitor < late; visitor += 1) exposure.answered(answer(`late ${visitor}`, 'canary'));
    const { visitors, sampleRate, share } = summaryOf(exposure);
    expect([sampleRate, share]).toEqual([0.5, 100]);
    expect(Math.abs(visitors.total - late)).toBeLessThan((5 * Math.sqrt(late * sampleRate)) / sampleRate);
  });

  test('below the limit every visitor is counted', () => {
    const exact = new Exposure(KEY, limit);
    for (let visitor = 0; visitor < limit; visitor += 1) exact.answered(answer(`visitor ${visitor}`, 'canary'));
    expect(exact.summary(SINCE, 10, 410)).toMatchObject({ sampled: false, sampleRate: 1, visitors: { total: limit, canary: limit } });
  });
});

/** Exposure without hashes, bits and running totals: everything is looked up again at the end. */
class Model {
  private readonly last = new Map<string, Cohort>();
  private readonly stamp = new Map<string, Cohort>();
  private readonly active = new Set<string>();
  private readonly moved = { toCanary: 0, back: 0 };
  private requests = { stable: 0, canary: 0 };

  step(): void {
    this.active.clear();
    this.requests = { stable: 0, canary: 0 };
  }

  answered(visitor: string, cohort: Cohort): void {
    this.move(this.last.get(visitor), cohort);
    this.last.set(visitor, cohort);
    this.active.add(visitor);
    this.requests[cohort] += 1;
  }

  passed(visitor: string, cohort: Cohort): void {
    if (!this.last.has(visitor)) {
      this.move(this.stamp.get(visitor), cohort);
      this.active.add(visitor);
    }
    this.stamp.set(visitor, cohort);
  }

  figures() {
    const seen = [...this.active].filter((visitor) => this.last.has(visitor));
    const assigned = [...this.active].filter((visitor) => !this.last.has(visitor));
    return {
      visitors: { total: seen.length, canary: seen.filter((visitor) => this.last.get(visitor) === 'canary').length },
      assigned: { total: assigned.length, canary: assigned.filter((visitor) => this.stamp.get(visitor) === 'canary').length },
      moved: this.moved,
      requests: this.requests,
    };
  }

  private move(before: Cohort | undefined, after: Cohort): void {
    if (before !== undefined && before !== after) this.moved[after === 'canary' ? 'toCanary' : 'back'] += 1;
  }
}

test('any run of answers, joins and steps agrees with a plain model of it', () => {
  const cohort = fc.constantFrom<Cohort>('stable', 'canary');
  const visitor = fc.constantFrom('anna', 'ben', 'cleo', 'dan');
  const kind = fc.constantFrom('answered', 'joined', 'joined late', 'asset', 'step');
  const happening = fc.record({ kind, visitor, cohort });
  type Happening = { kind: string; visitor: string; cohort: Cohort };

  function play(exposure: Exposure, model: Model, { kind: what, visitor: who, cohort: version }: Happening, requestId: string): void {
    const inner = answer(undefined, version, { requestId });
    if (what === 'step') {
      exposure.startStep();
      model.step();
      return;
    }
    if (what === 'joined') exposure.answered(inner);
    if (what !== 'answered') exposure.passed(passage(who, requestId, version));
    if (what === 'asset' || what === 'joined late') model.passed(who, version);
    if (what === 'joined late') exposure.answered(inner);
    if (what === 'answered') exposure.answered(answer(who, version));
    if (what !== 'asset') model.answered(who, version);
  }

  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      const exposure = new Exposure(KEY);
      const model = new Model();
      happenings.forEach((next, index) => {
        play(exposure, model, next, `r${index}`);
      });
      expect(exposure.summary(SINCE, 10, 410)).toMatchObject(model.figures());
    }),
    { seed: 20, numRuns: 400 },
  );
});

test('latency is that of each version since the step began, whoever asked', () => {
  const exposure = new Exposure(KEY);
  for (const durationMs of [10, 10, 10, 200]) exposure.answered(answer('anna', 'canary', { durationMs, synthetic: durationMs === 200 }));
  exposure.answered(answer(undefined, 'canary'));
  const { latency } = exposure.summary(SINCE, 10, 410);
  expect(latency?.stable).toBeNull();
  expect(Math.abs((latency?.canary?.p50Ms ?? 0) / 10 - 1)).toBeLessThanOrEqual(1 / 32);
  expect(Math.abs((latency?.canary?.p99Ms ?? 0) / 200 - 1)).toBeLessThanOrEqual(1 / 32);
  exposure.startStep();
  expect(exposure.summary(SINCE, 50, 2048).latency).toEqual({ stable: null, canary: null });
});
