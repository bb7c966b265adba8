import fc from 'fast-check';
import { expect, test } from 'vitest';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import type { ExposureFigures, ExposureSummary, RequestExposure, VisitorExposure } from '../../core/evidence/exposure.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import type { ReleaseView } from '../../server/release-resource.ts';
import { colourStyle, plainStyle } from '../terminal/style.ts';
import { renderChange, renderRelease } from './release-view.ts';

const NOW = Date.parse('2026-11-22T12:00:12.000Z');

const STATUS: ReleaseStatus = {
  phase: 'Progressing',
  message: 'step 2 of 4: 25 % of visitors on v2, held until 2026-11-22T12:00:30.000Z',
  step: 1,
  weight: 25,
  cutoff: 1024,
  offset: 3,
  started: 1,
  liveVersion: { subset: 'v1' },
  stable: { subset: 'v1' },
  canary: { subset: 'v2' },
  startedAt: '2026-11-22T11:59:30.000Z',
  stepStartedAt: '2026-11-22T12:00:00.000Z',
  holdUntil: '2026-11-22T12:00:30.000Z',
  observedGeneration: 1,
  history: [],
  conditions: [],
};

const NOBODY: ExposureFigures = {
  visitors: { total: 0, canary: 0 },
  assigned: { total: 0, canary: 0 },
  moved: { toCanary: 0, back: 0 },
  requests: { stable: 0, canary: 0 },
  errors: { stable: 0, canary: 0 },
};

const SEEN: ExposureFigures = {
  visitors: { total: 413, canary: 102 },
  assigned: { total: 0, canary: 0 },
  share: 24.6,
  chance: [20.8, 29.2],
  moved: { toCanary: 62, back: 0 },
  requests: { stable: 3120, canary: 1021 },
  errors: { stable: 0, canary: 0 },
};

const EXPOSURE: VisitorExposure = {
  counts: 'visitors',
  ...SEEN,
  since: '2026-11-22T12:00:00.000Z',
  weight: 25,
  sampled: false,
  sampleRate: 1,
  real: SEEN,
  synthetic: NOBODY,
};

function release(status: Partial<ReleaseStatus> | undefined = {}, exposure?: ExposureSummary): ReleaseView {
  return {
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name: 'reviews', namespace: 'default', generation: 1, creationTimestamp: '2026-11-22T11:59:00.000Z' },
    spec: {
      service: { host: 'reviews', port: 9080 },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: 'reviews' } },
      steps: [
        { weight: 10, hold: '30s' },
        { weight: 25, hold: '30s' },
        { weight: 50, hold: 'manual' },
        { weight: 100, hold: '30s' },
      ],
    },
    ...(status === undefined ? {} : { status: { ...STATUS, ...status } }),
    ...(exposure === undefined ? {} : { exposure }),
  };
}

const show = (view: ReleaseView): readonly string[] => renderRelease(view, NOW, plainStyle, 80);

test('a release on its way: where it stands, its steps, and exposure in visitors against the weight', () => {
  expect(show(release({}, EXPOSURE))).toEqual([
    '  reviews  v1 → v2   Progressing   step 2 of 4, 25 %, next in 0:18',
    '  10 ━━━━━━━━━━━━ 25 ━━━━━╌╌╌╌╌╌╌ 50 ╌╌╌╌╌╌╌╌╌╌╌╌ 100 ╌╌╌╌╌╌╌╌╌╌╌╌',
    '  on v2    24.6 % of 413 visitors (asked 25 %, by chance 20.8 … 29.2)',
    '  moved    62 to v2   0 back',
    '  errors   v1 0 of 3,120 requests   v2 0 of 1,021',
  ]);
});

test('a step that cannot widen says why, also before its hold is over, and tells nobody to promote', () => {
  const message = 'step 2 of 4: 25 % of visitors on v2, manual hold; not widened: no rule of VirtualService default/reviews can be woven';
  const time = '2026-11-22T12:00:00.000Z';
  const condition = { type: 'Reconciling', status: 'True', reason: 'NotWidened', message, lastTransitionTime: time } as const;
  for (const status of [{}, { phase: 'Paused', pausedBy: 'hold' }] as const) {
    expect(show(release({ ...status, message, conditions: [condition] })).slice(0, 3)).toEqual([
      `  reviews  v1 → v2   ${'phase' in status ? 'Paused' : 'Progressing'}`,
      '  step 2 of 4: 25 % of visitors on v2, manual hold; not widened: no rule of',
      '  VirtualService default/reviews can be woven',
    ]);
  }
});

test('synthetic visitors are told apart from real ones', () => {
  const real: ExposureFigures = { ...NOBODY, visitors: { total: 2, canary: 1 } };
  const synthetic: ExposureFigures = { ...NOBODY, visitors: { total: 411, canary: 101 } };
  expect(show(release({}, { ...EXPOSURE, real, synthetic }))[3]).toBe('           2 real (1 on v2), 411 synthetic');
  expect(show(release({}, { ...EXPOSURE, real: NOBODY, synthetic }))[3]).toBe('           no real visitor, 411 synthetic');
});

test('visitors whom no answer could be joined to are shown, not counted', () => {
  const lines = show(release({}, { ...EXPOSURE, assigned: { total: 12, canary: 3 } }));
  expect(lines[3]).toBe('           12 more whom the service was not seen to answer');
});

test('an estimate says so, and a share outside of what chance explains stands out', () => {
  const line = (exposure: VisitorExposure): string | undefined => renderRelease(release({}, exposure), NOW, colourStyle, 80)[2];
  expect(line({ ...EXPOSURE, sampled: true, sampleRate: 0.5 })).toContain('of about 413 visitors');
  expect(line({ ...EXPOSURE, share: 33 })).toContain(colourStyle.attention('33.0 %'));
  expect(line(EXPOSURE)).toContain(colourStyle.bold('24.6 %'));
});

test('where visitors cannot be counted, requests are shown, and that they are no visitors', () => {
  const { requests, errors } = SEEN;
  const none = { stable: 0, canary: 0 };
  const counted: RequestExposure = {
    counts: 'requests',
    since: EXPOSURE.since,
    weight: 25,
    requests,
    errors,
    real: { requests: { stable: 41, canary: 1 }, errors: none },
    synthetic: { requests: { stable: 3079, canary: 1020 }, errors: none },
  };
  expect(show(release({}, counted)).slice(2)).toEqual([
    '  on v2      24.7 % of 4,141 requests (each draw 25 %)',
    '             42 by real visitors, 4,099 by synthetic ones',
    '  visitors   not counted: those on stable carry nothing that tells them apart',
    '  errors     v1 0 of 3,120 requests   v2 0 of 1,021',
  ]);
  const silent = show(
    release({}, { ...counted, requests: none, real: { requests: none, errors: none }, synthetic: { requests: none, errors: none } }),
  );
  expect(silent[2]).toBe('  on v2      no request was seen yet in this step');
  const widened = renderChange(release({}, counted), release({ phase: 'Paused', pausedBy: 'hold', step: 2, weight: 50 }), NOW, plainStyle);
  expect(widened.lines[0]).toBe('reviews: 24.7 % of 4,141 requests (each draw 25 %) were on v2');
});

test('errors are coloured as harm only where there are some', () => {
  const line = renderRelease(release({}, { ...EXPOSURE, errors: { stable: 0, canary: 7 } }), NOW, colourStyle, 80)[4];
  expect(line).toContain(`v2 ${colourStyle.bad('7')} of 1,021`);
  expect(line).toContain('v1 0 of 3,120');
});

test('nobody seen yet', () => {
  expect(show(release({}, { ...EXPOSURE, ...NOBODY, share: undefined, chance: undefined } as unknown as ExposureSummary))[2]).toBe(
    '  on v2    no visitor was seen yet in this step',
  );
});

test.each<[string, Partial<ReleaseStatus>, string]>([
  [
    'routes not confirmed yet',
    { stepStartedAt: undefined, holdUntil: undefined } as unknown as Partial<ReleaseStatus>,
    'Progressing   step 2 of 4, 25 %, routes are being changed',
  ],
  ['hold just over', { holdUntil: '2026-11-22T12:00:12.000Z' }, 'Progressing   step 2 of 4, 25 %, next now'],
  [
    'hold long over: the reason why it does not widen',
    { holdUntil: '2026-11-22T12:00:00.000Z', message: 'not widened: no endpoint of v2 is ready' },
    'Progressing   not widened: no endpoint of v2 is ready',
  ],
  [
    'paused by request',
    { phase: 'Paused', pausedBy: 'request', holdRemainingMs: 15_000 },
    'Paused   step 2 of 4, 25 %, until perch resume reviews',
  ],
  ['manual hold', { phase: 'Paused', pausedBy: 'hold', step: 2, weight: 50 }, 'Paused   step 3 of 4, 50 %, until perch promote reviews'],
  [
    'suspended: the sentence that says so, however long its hold is',
    {
      suspended: true,
      holdRemainingMs: 15_000,
      message: '15s of its hold left; suspended',
      conditions: [
        { type: 'Reconciling', status: 'True', reason: 'Suspended', message: '', lastTransitionTime: '2026-11-22T12:00:00.000Z' },
      ],
    },
    'Progressing   15s of its hold left; suspended',
  ],
  [
    'another release takes its place',
    { phase: 'Superseded', weight: 0, message: 'superseded by v3: everyone goes back to v1' },
    'Superseded   superseded by v3: everyone goes back to v1',
  ],
  ['over', { phase: 'Succeeded', message: 'v2 is the live version' }, 'Succeeded   v2 is the live version'],
])('%s', (_, status, text) => {
  expect(show(release(status))[0]).toBe(`  reviews  v1 → v2   ${text}`);
});

test('a paused step shows how much of its hold was over', () => {
  const paused = release({
    phase: 'Paused',
    pausedBy: 'request',
    holdUntil: undefined,
    holdRemainingMs: 15_000,
  } as unknown as Partial<ReleaseStatus>);
  expect(show(paused)[1]).toContain('25 ━━━━━━╌╌╌╌╌╌ 50');
});

test('after the end every step is done; after a rollback none is', () => {
  expect(show(release({ phase: 'Succeeded' }))[1]).not.toContain('╌');
  expect(show(release({ phase: 'RolledBack', weight: 0 }))[1]).not.toContain('━');
});

test('after a rollback it says how to go on', () => {
  const over = release({ phase: 'RolledBack', weight: 0, message: 'v1 is the live version; v2 was rolled back: requested' });
  expect(show(over).slice(0, 3)).toEqual([
    '  reviews  v1 → v2   RolledBack',
    '  v1 is the live version; v2 was rolled back: requested',
    '  perch retry reviews starts it once more',
  ]);
  const deleted = { ...over, metadata: { ...over.metadata, deletionTimestamp: '2026-11-22T12:00:00.000Z' } };
  expect(show(deleted).join('\n')).not.toContain('retry');
});

test('a release that the controller has not seen yet, in a namespace of its own', () => {
  const { status: _, ...unseen } = release();
  const lines = show({ ...unseen, metadata: { ...unseen.metadata, namespace: 'shop' } });
  expect(lines[0]).toBe('  shop/reviews  v1 → v2   Pending   not looked at yet');
  expect(lines).toHaveLength(2);
});

test('what does not fit beside the phase gets lines of its own: it says what is missing', () => {
  const message = 'waiting: v2 is not ready: no endpoint of subset v2 of reviews.default.svc.cluster.local:9080 accepts connections';
  expect(show(release({ phase: 'Pending', step: -1, weight: 0, message })).slice(0, 3)).toEqual([
    '  reviews  v1 → v2   Pending',
    '  waiting: v2 is not ready: no endpoint of subset v2 of',
    '  reviews.default.svc.cluster.local:9080 accepts connections',
  ]);
});

test('shows how many endpoints are ready, as far as known, and not any more once the release is over', () => {
  const endpoints = [
    { version: { subset: 'v2' }, ready: 2, total: 3 },
    { version: { subset: 'v1' }, ready: 2, total: 2 },
  ];
  expect(show(release({ endpoints })).at(-1)).toBe('  endpoints   v2 2 of 3 ready, v1 2 of 2 ready');
  expect(show(release({ endpoints: endpoints.slice(1) }, EXPOSURE)).at(-1)).toBe('  endpoints   v1 2 of 2 ready');
  expect(show(release({ endpoints, phase: 'RolledBack' })).join('\n')).not.toContain('endpoints');
  const coloured = renderRelease(release({ endpoints }), NOW, colourStyle, 100).at(-1);
  expect(coloured).toContain(colourStyle.attention('v2 2 of 3 ready'));
});

test.each(['CanaryLost', 'StableLost', 'NotWidened'])('where its conditions say %s, the message is what counts', (reason) => {
  const message = 'step 2 of 4: 25 % of visitors on v2; v1 has no ready endpoints';
  const condition = { type: 'Reconciling', status: 'True', reason, message, lastTransitionTime: '2026-11-22T12:00:00.000Z' } as const;
  expect(show(release({ message, conditions: [condition] }))).toContain(`  ${message}`);
});

test('no line is ever wider than the terminal', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 120 }), fc.nat(5_000_000), fc.string({ maxLength: 300 }), (columns, total, message) => {
      const exposure = {
        ...EXPOSURE,
        visitors: { total, canary: total },
        assigned: { total, canary: 0 },
        synthetic: { ...NOBODY, visitors: { total, canary: 0 } },
      };
      for (const phase of ['Progressing', 'Pending'] as const) {
        const text = phase === 'Pending' ? message : STATUS.message;
        for (const line of renderRelease(release({ phase, message: text }, exposure), NOW, colourStyle, columns)) {
          expect(widthOf(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toContain('\n');
        }
      }
    }),
    { seed: 11, numRuns: 200 },
  );
});

test('without a terminal: a line for each change, none for ticks, and what the finished step came to', () => {
  const first = renderChange(undefined, release({}, EXPOSURE), NOW, plainStyle);
  expect(first.lines).toEqual(['reviews v1 → v2: Progressing, step 2 of 4, 25 %, next in 0:18']);
  const ticked = renderChange(first.said, release({}, { ...EXPOSURE, visitors: { total: 500, canary: 123 } }), NOW + 1000, plainStyle);
  expect(ticked.lines).toEqual([]);
  const unconfirmed = release({ step: 2, weight: 50, stepStartedAt: undefined, holdUntil: undefined } as unknown as Partial<ReleaseStatus>);
  const changing = renderChange(ticked.said, unconfirmed, NOW, plainStyle);
  expect(changing.lines).toEqual([]);
  const widened = renderChange(changing.said, release({ phase: 'Paused', pausedBy: 'hold', step: 2, weight: 50 }), NOW, plainStyle);
  expect(widened.lines).toEqual([
    'reviews at 25 %: 24.6 % of 500 visitors on v2 (chance 20.8 … 29.2)',
    'reviews v1 → v2: Paused, step 3 of 4, 50 %, until perch promote reviews',
  ]);
});

test('without a terminal: the lines of the demo have 80 columns at most, with the time before them', () => {
  const crowd: VisitorExposure = { ...EXPOSURE, visitors: { total: 98_765, canary: 24_321 } };
  const paused = (pausedBy: 'hold' | 'request') => release({ phase: 'Paused', pausedBy, step: 2, weight: 50 });
  for (const after of [paused('hold'), paused('request'), release({ step: 2, weight: 50, holdUntil: '2026-11-30T23:00:00.000Z' })]) {
    const { lines } = renderChange(release({}, crowd), after, NOW, plainStyle);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(widthOf(`12:00:00 ${line}`), line).toBeLessThanOrEqual(80);
  }
});

test('without a terminal: the last step is told too when the release ends, and figures after the end are not', () => {
  const last = release({ step: 3, weight: 100 }, { ...EXPOSURE, weight: 100, share: 100, chance: [100, 100] });
  const over = release({ phase: 'Succeeded', step: 3, message: 'v2 is the live version' }, {
    ...EXPOSURE,
    weight: undefined,
  } as unknown as ExposureSummary);
  const end = renderChange(last, over, NOW, plainStyle);
  expect(end.lines).toEqual(['reviews at 100 %: 100.0 % of 413 visitors on v2', 'reviews v1 → v2: Succeeded, v2 is the live version']);
  expect(
    renderChange(end.said, release({ phase: 'Succeeded', step: 3, message: 'v2 is the live version; more' }), NOW, plainStyle).lines,
  ).toHaveLength(1);
});

test('what keeps visitors without an id stands beside the figures, and nothing where nothing does', () => {
  const edge = { requests: 1_600, issued: 0, oddRequestIds: 1_200, oddOnCanary: 0, crossSite: 400 };
  const lines = (figures: VisitorExposure) =>
    renderRelease(release({}, figures), NOW, plainStyle, 120).filter((line) => line.startsWith('  ids'));
  expect(lines({ ...EXPOSURE, edge })).toEqual([
    '  ids      1,200 first visits got no valid id: their request ids are no UUIDs (PERCH3080)',
    '  ids      400 of 1,600 requests are of other sites’ scripts, without id (PERCH3081)',
  ]);
  expect(lines({ ...EXPOSURE, edge: { ...edge, issued: 1_600, oddRequestIds: 0, crossSite: 3 } })).toEqual([]);
});
