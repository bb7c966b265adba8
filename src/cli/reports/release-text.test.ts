import { expect, test } from 'vitest';
import { PROGRESSING } from '../../core/release/status.cases.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { pairOf, stepText } from './release-text.ts';

const v1 = { subset: 'v1' };
const v2 = { subset: 'v2' };
const v3 = { subset: 'v3' };

const spec: ReleaseView['spec'] = {
  service: { host: 'reviews', port: 9080 },
  canary: v3,
  route: { adopt: { virtualService: 'reviews' } },
  steps: [
    { weight: 10, hold: 'manual' },
    { weight: 100, hold: '1m' },
  ],
};
const status: ReleaseStatus = { ...PROGRESSING, step: 0, weight: 10, liveVersion: v1, stable: v1, canary: v2 };

test('the pair is that of the release under way or the last one; while the next one waits, its own', () => {
  expect(pairOf({ spec, status })).toEqual({ stable: v1, canary: v2 });
  expect(pairOf({ spec, status: { ...status, phase: 'Succeeded', liveVersion: v2 } })).toEqual({ stable: v1, canary: v2 });
  expect(pairOf({ spec, status: { ...status, phase: 'Pending', liveVersion: v2 } })).toEqual({ stable: v2, canary: v3 });
  expect(pairOf({ spec: { ...spec, stable: v1 } })).toEqual({ stable: v1, canary: v3 });
  expect(pairOf({ spec })).toEqual({ stable: undefined, canary: v3 });
});

test('a weight is one of visitors, or, where requests are drawn, of draws', () => {
  expect(stepText({ spec, status })).toBe('step 1 of 2, v2 for 10 % of visitors');
  const drawn = { ...status, canaryCookie: { name: 'perch-reviews', value: 'v2-1', maxAge: 21_600 } };
  expect(stepText({ spec, status: drawn })).toBe('step 1 of 2, v2 for 10 % of draws');
});
