import { expect, test } from 'vitest';
import type { Diagnostic } from '../../core/diagnostics/diagnostic.ts';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import type { ReleaseEvent } from '../../core/release/release-event.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { plainStyle } from '../terminal/style.ts';
import { describeRelease } from './describe-release.ts';

const RELEASE: ReleaseView = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews', namespace: 'default', generation: 2, creationTimestamp: '2026-11-22T11:59:00.000Z' },
  spec: {
    service: { host: 'reviews', port: 9080 },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'reviews' } },
    visitorId: { issueAt: { virtualService: 'bookinfo' } },
    steps: [
      { weight: 10, hold: '30s' },
      { weight: 100, hold: '30s' },
    ],
  },
  status: {
    phase: 'Progressing',
    message: 'step 1 of 2: 10 % of visitors on v2, held until 2026-11-22T12:00:30.000Z',
    step: 0,
    weight: 10,
    cutoff: 410,
    offset: 3,
    started: 1,
    liveVersion: { subset: 'v1' },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    stepStartedAt: '2026-11-22T12:00:00.137Z',
    holdUntil: '2026-11-22T12:00:30.137Z',
    observedGeneration: 2,
    lastRequest: {
      id: '1',
      action: 'retry',
      by: 'anna@laptop',
      at: '2026-11-22T11:59:59.001Z',
      outcome: 'done',
      message: 'started once more, from its first step, after it was rolled back',
    },
    history: [
      {
        outcome: 'RolledBack',
        stable: { subset: 'v1' },
        canary: { subset: 'v2' },
        startedAt: '2026-11-22T11:59:00.000Z',
        endedAt: '2026-11-22T11:59:30.914Z',
        reason: 'requested',
        by: 'anna@laptop',
      },
    ],
    conditions: [],
  },
};

const FINDINGS: readonly Diagnostic[] = [
  {
    code: 'PERCH2003',
    severity: 'warning',
    message: 'the rule draws between weighted destinations, so it is not woven and its visitors stay as they are',
    object: 'VirtualService default/reviews',
    path: 'spec.http[1].route',
    hint: 'leave one destination',
  },
];

/** Newest first, as the API gives them. */
const EVENTS: readonly ReleaseEvent[] = [
  { at: '2026-11-22T12:00:00.137Z', type: 'Normal', reason: 'StepConfirmed', message: '10 % is served', step: 0, weight: 10 },
  { at: '2026-11-22T11:59:59.001Z', type: 'Normal', reason: 'Requested', message: 'retry asked for', by: 'anna@laptop' },
];

const report = (columns: number): readonly string[] =>
  describeRelease(RELEASE, { findings: FINDINGS, events: EVENTS }, Date.parse('2026-11-22T12:00:12Z'), plainStyle, columns);

test('a report that fits 80 columns: where it stands, its steps with their times, who asked for what, what was before', () => {
  const lines = report(80);
  for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  const text = lines.join('\n');
  expect(text).toContain('routes   VirtualService reviews (adopt), ids issued at bookinfo');
  expect(text).toContain("draw     cutoff 410 of 4096, at digit 3 of the id's last group");
  expect(text).toMatch(/^ {2}> +1 +10 % +30s +2026-11-22T12:00:00Z +2026-11-22T12:00:30Z$/m);
  expect(text).toMatch(/^ +2 +100 % +30s +- +-$/m);
  expect(text).toContain('retry by anna@laptop at 2026-11-22T11:59:59Z: done,');
  expect(text).toContain('  VirtualService default/reviews spec.http[1].route  warning PERCH2003  the rule');
  expect(text).toContain('     fix  leave one destination');
  expect(text).toMatch(/^ {2}2026-11-22T11:59:30Z +RolledBack +30s +v1 → v2, requested \(by anna@laptop\)$/m);
  expect(text).toMatch(
    /^ {2}2026-11-22T11:59:59Z +Requested +retry asked for \(by anna@laptop\)\n {2}2026-11-22T12:00:00Z +StepConfirmed /m,
  );
});

test('facts that do not fit go on below themselves', () => {
  const lines = report(60);
  const at = lines.findIndex((line) => line.includes('message'));
  expect(lines.slice(at, at + 2)).toEqual([
    '  message  step 1 of 2: 10 % of visitors on v2, held until',
    '           2026-11-22T12:00:30.000Z',
  ]);
});

test('where requests are drawn nobody has an id, and none is issued', () => {
  const { status } = RELEASE;
  if (status === undefined) expect.fail('no status');
  const drawn: ReleaseView = {
    ...RELEASE,
    spec: { ...RELEASE.spec, affinity: { mode: 'canaryOnly' } },
    status: { ...status, canaryCookie: { name: 'perch-reviews', value: 'v2-1', maxAge: 21_600 } },
  };
  const text = describeRelease(drawn, { findings: [], events: [] }, Date.parse('2026-11-22T12:00:12Z'), plainStyle, 120).join('\n');
  expect(text).toContain('VirtualService reviews (adopt), visitors drawn at bookinfo');
  expect(text).toContain('by weight, at each page without the cookie perch-reviews=v2-1 (kept 6h)');
  const atTheEdge = { ...drawn, spec: { ...drawn.spec, visitorId: {} } };
  expect(describeRelease(atTheEdge, { findings: [], events: [] }, 0, plainStyle, 120).join('\n')).toContain(
    'by weight, at each request without the cookie perch-',
  );
  expect(text).not.toMatch(/ids|cutoff/);
});
