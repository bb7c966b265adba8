import { describe, expect, test } from 'vitest';
import { seededStreams } from '../../src/core/simulation/random.ts';
import { requestId } from '../../src/core/simulation/request-id.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { type Moment, momentsOf, seededRamp, servedUnder } from './released-web.ts';

const RELEASES = 200;
const VISITORS = 2_000;
/** Of each release, so many also visit the routes that it makes. */
const ROUTED = VISITORS / 40;
const STEPS = 6;
/** One of 20 seeds in a row, whose 4,000 releases of 2,000 visitors have an RMS of 1.004, and 5 beyond 3.3 sd where 3.9 are to be expected. */
const SEED = 20261130;

/** What visitors who come for the first time in one step of a release see. */
interface Exposure {
  readonly moment: Moment;
  /** How many standard deviations of a binomial count the canary's visitors are above the weight's share. */
  readonly z: number;
  /** Visitors whom the served routes put elsewhere than the arithmetic of buckets does. */
  readonly wrong: number;
}

/** One of the releases: another ramp, another revision, and so another draw, other visitors; one of its steps, but not the last. */
function exposureOf(revision: number): Exposure {
  const random = seededStreams(SEED)(`release ${revision}`);
  // A normal distribution is near the binomial one where both versions have visitors enough: 100 of 2,000 at 5 %.
  const ramp = seededRamp(STEPS, random, { lowest: 5, highest: 95 });
  const moments = [...momentsOf({ ...ramp, revision }, random)];
  const moment = moments[Math.floor(random() * (STEPS - 1))] ?? expect.fail('no step');
  const served = servedUnder(moment.plan);
  let onCanary = 0;
  let wrong = 0;
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    const id = requestId(random);
    const isOnCanary = (bucketOf(id, moment.offset) ?? Number.NaN) < moment.cutoff;
    if (isOnCanary) onCanary++;
    if (visitor < ROUTED && served({ 'x-request-id': id }) !== (isOnCanary ? 'v2' : 'v1')) wrong++;
  }
  const share = moment.weight / 100;
  return { moment, z: (onCanary - VISITORS * share) / Math.sqrt(VISITORS * share * (1 - share)), wrong };
}

describe(`exposure in ${RELEASES} releases, each with ${VISITORS} visitors of its own who come in one of its steps`, () => {
  const exposures = Array.from({ length: RELEASES }, (_, revision) => exposureOf(revision));
  const zs = exposures.map(({ z }) => z);

  test('is binomial about the weight: the RMS of its deviation is at most 1.1 sd', () => {
    // The RMS of 200 independent standard normals is 1 +- 0.05; much below 1 it would be no chance at all that decides.
    const rms = Math.sqrt(zs.reduce((sum, z) => sum + z ** 2, 0) / RELEASES);
    expect(rms).toBeLessThanOrEqual(1.1);
    expect(rms).toBeGreaterThan(0.85);
  });

  test('is nowhere more than 3.3 sd from the weight: of 200 normals 0.2 are', () => {
    expect(Math.max(...zs.map(Math.abs))).toBeLessThanOrEqual(3.3);
  });

  test('leans to neither side: the mean of 200 normals is 0 with an sd of 0.071; bound: 3.3 of them', () => {
    expect(Math.abs(zs.reduce((sum, z) => sum + z, 0) / RELEASES)).toBeLessThan(3.3 / Math.sqrt(RELEASES));
  });

  test(`is what the woven routes serve, compiled: ${RELEASES * ROUTED} first pages, none elsewhere than arithmetic says`, () => {
    expect(exposures.reduce((sum, { wrong }) => sum + wrong, 0)).toBe(0);
  });

  test('was measured in all four draws, at low weights and at high ones', () => {
    expect(new Set(exposures.map(({ moment }) => moment.offset))).toEqual(new Set([0, 3, 6, 9]));
    const weights = exposures.map(({ moment }) => moment.weight);
    expect([Math.min(...weights), Math.max(...weights)]).toEqual([expect.closeTo(5, -1), expect.closeTo(95, -1)]);
  });
});
