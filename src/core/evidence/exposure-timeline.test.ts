import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../property-runs.cases.ts';
import { timelineView } from '../view/timeline-view.ts';
import { Exposure, type ExposureSummary } from './exposure.ts';
import { ExposureTimeline, MOST_SAMPLES } from './exposure-timeline.ts';
import { sipKey } from './sip-hash.ts';

const START = Date.parse('2026-11-30T12:00:00.000Z');
const second = (count: number): number => START + 1000 * count;
const isoOf = (count: number): string => new Date(second(count)).toISOString();

/** Figures after so many answers of the canary. */
function figures(answers: number, weight: number | null = 10): ExposureSummary {
  const exposure = new Exposure(sipKey(new Uint8Array(16)));
  return {
    ...exposure.summary('', weight ?? undefined, 410),
    share: 100,
    chance: [0, 50],
    visitors: { total: answers, canary: answers },
    requests: { stable: 0, canary: answers },
  };
}

describe('a timeline of exposure', () => {
  test('has a sample a second while something changes, and says so', () => {
    const timeline = new ExposureTimeline('visitors', START);
    const told = [1, 2, 3].flatMap((count) => timeline.add(second(count), 'a', count, () => figures(count)));
    expect(timelineView.parse(timeline.view())).toEqual({
      counts: 'visitors',
      since: isoOf(0),
      intervalMs: 1000,
      items: [1, 2, 3].map((count) => ({
        ...{ at: isoOf(count), weight: 10, share: 100, chance: [0, 50], visitors: count },
        requests: { stable: 0, canary: count },
        errors: { stable: 0, canary: 0 },
        latency: { stable: null, canary: null },
      })),
    });
    expect(told).toEqual(timeline.view().items);
  });

  test('has two samples of a time in which nothing changes, and tells of its end with the next change', () => {
    const timeline = new ExposureTimeline('visitors', START);
    const add = (at: number, answers: number) => timeline.add(second(at), 'a', answers, () => figures(answers)).map((sample) => sample.at);
    expect(add(0, 5)).toEqual([isoOf(0)]);
    for (let at = 1; at <= 100; at++) {
      expect(timeline.add(second(at), 'a', 5, () => expect.fail('figures that did not change'))).toEqual([]);
    }
    expect(timeline.view().items.map(({ at }) => at)).toEqual([isoOf(0), isoOf(100)]);
    expect(add(101, 6)).toEqual([isoOf(100), isoOf(101)]);
    expect(add(102, 7)).toEqual([isoOf(102)]);
  });

  test('ends with the first sample that has no weight', () => {
    const timeline = new ExposureTimeline('visitors', START);
    timeline.add(second(0), 'a', 5, () => figures(5));
    for (let at = 1; at < 10; at++) timeline.add(second(at), 'over', 5 + at, () => figures(5 + at, null));
    expect(timeline.view().items.map(({ weight }) => weight)).toEqual([10, undefined]);
  });

  test('of requests has their share, and no visitors', () => {
    const timeline = new ExposureTimeline('requests', START);
    const exposure = new Exposure(sipKey(new Uint8Array(16)));
    const figuresNow = () => exposure.requestSummary('', 10);
    timeline.add(second(0), 'a', exposure.version, figuresNow);
    const answer = { failed: false, visitorId: undefined, requestId: undefined, synthetic: false };
    for (const cohort of ['canary', 'stable', 'stable', 'stable'] as const) exposure.answered({ ...answer, cohort });
    timeline.add(second(1), 'a', exposure.version, figuresNow);
    const view = timelineView.parse(timeline.view());
    expect(view.counts).toBe('requests');
    expect(view.items.map(({ share, visitors }) => [share, visitors])).toEqual([
      [undefined, undefined],
      [25, undefined],
    ]);
  });

  test('is bounded, in order, ends with the newest, and keeps the first and last sample of every step', () => {
    const moment = fc.record({ ms: fc.integer({ min: 1, max: 90_000 }), changes: fc.boolean(), steps: fc.integer({ min: 0, max: 400 }) });
    fc.assert(
      fc.property(fc.array(moment, { minLength: 1, maxLength: 4000, size: 'max' }), (moments) => {
        const timeline = new ExposureTimeline('visitors', START);
        const ends: string[] = [];
        let [at, answers, step] = [START, 0, 0];
        for (const [index, { ms, changes, steps }] of moments.entries()) {
          // A release has 50 steps at most, each confirmed some time after it was decided.
          if (index === 0 || (steps === 0 && step < 100)) {
            if (index > 0) ends.push(new Date(at).toISOString());
            step += 1;
            ends.push(new Date(at + ms).toISOString());
          }
          at += ms;
          answers += Number(changes);
          timeline.add(at, `${step}`, answers, () => figures(answers));
        }
        const times = timeline.view().items.map((item) => item.at);
        expect(times.length).toBeLessThanOrEqual(MOST_SAMPLES);
        expect(times).toEqual([...new Set(times)].sort());
        expect(times.at(-1)).toBe(new Date(at).toISOString());
        expect(times).toEqual(expect.arrayContaining(ends));
      }),
      { seed: 4, numRuns: runs(30) },
    );
  });

  test('a long busy release thins out evenly', () => {
    const timeline = new ExposureTimeline('visitors', START);
    const day = 24 * 3600;
    for (let at = 0; at <= day; at++) timeline.add(second(at), 'a', at, () => figures(at));
    const { intervalMs, items } = timeline.view();
    const times = items.map((item) => Date.parse(item.at));
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(items.length).toBeGreaterThan(300);
    expect(items.length).toBeLessThanOrEqual(MOST_SAMPLES);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(intervalMs + 1000);
    expect(intervalMs).toBeLessThanOrEqual((2 * day * 1000) / 300);
  });
});
