import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import type { Store } from '../cluster/store.ts';
import type { Diagnostic } from '../core/diagnostics/diagnostic.ts';
import type { RequestEvent } from '../core/evidence/request-event.ts';
import { SYNTHETIC_USER_AGENT } from '../core/evidence/synthetic-visitor.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import type { TimelineSample } from '../core/view/timeline-view.ts';
import { wovenRuleName } from '../core/weave/rule-name.ts';
import { type ExposureObserver, startExposureObserver } from './exposure-observer.ts';

const REF = { kind: 'CanaryRelease', namespace: 'default', name: 'reviews' };
const RELEASE = {
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews', namespace: 'default' },
  spec: {
    service: { host: 'reviews', port: 9080 },
    stable: { subset: 'v1' },
    canary: { subset: 'v2' },
    route: { adopt: { virtualService: 'reviews' } },
    steps: [
      { weight: 10, hold: '10m' },
      { weight: 100, hold: '10m' },
    ],
  },
};
const STATUS: ReleaseStatus = {
  ...PROGRESSING,
  startedAt: '2026-11-22T19:00:00.000Z',
  stepStartedAt: '2026-11-22T19:00:01.000Z',
};
const ANNA = '3e4666bf-d5e5-4aa7-b8ce-0b3e41c7568a';
const BEN = '7c1d2a90-0f3b-4c55-9f0e-fe1241c7568a';

let store: Store;
let observer: ExposureObserver;
let findings: Diagnostic[];
let samples: TimelineSample[];
let time = Date.parse('2026-11-22T19:30:00.000Z');

beforeEach(async () => {
  store = openSqliteStore({
    dataDir: ':memory:',
    now: () => time,
    admission: { baseOf: (object) => object, admit: () => [], admitDeletion: () => [], releasedRoutes: () => new Set() },
    onListenerError: (error) => {
      throw error;
    },
  });
  await store.apply('files', [RELEASE]);
  await setStatus(STATUS);
  findings = [];
  samples = [];
  observer = startExposureObserver({
    store,
    hashKey: new Uint8Array(16).fill(7),
    now: () => time,
    onFinding: (finding) => findings.push(finding),
    onSamples: (_namespace, _name, added) => samples.push(...added),
  });
  await observer.ready;
});

afterEach(async () => {
  observer.close();
  await store.close();
});

async function setStatus(status: ReleaseStatus): Promise<void> {
  expect(await store.commit(REF, { status }, store.revision())).toBe(true);
  // The observer rereads the release, which takes it some turns of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
}

type Where = 'edge' | 'reviews v1' | 'reviews v2';

/** A request as the gateway reports it: at the edge to productpage, or inside the mesh to reviews. */
function event(where: Where, role: 'known' | 'new' | 'told' | 'rest', more: Partial<RequestEvent> = {}): RequestEvent {
  const version = where === 'edge' ? undefined : where.slice(-2);
  const cohort = version === 'v2' ? 'canary' : 'stable';
  return {
    at: time,
    listener: where === 'edge' ? 'ingress' : 'mesh',
    method: 'GET',
    path: '/productpage',
    scheme: 'http',
    version: '1.1',
    endpoint: undefined,
    trace: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    authority: 'localhost:8080',
    requestId: crypto.randomUUID(),
    cookies: [],
    lines: () => [],
    userAgent: 'Mozilla/5.0',
    accept: undefined,
    fetchMode: undefined,
    fetchSite: undefined,
    rule: wovenRuleName({
      namespace: 'default',
      release: 'reviews',
      role,
      cohort,
      base: where === 'edge' ? { kind: 'kept', stamped: true } : { kind: 'moved', subset: 'v1', address: undefined },
      baseName: 'x',
    }),
    destination:
      where === 'edge'
        ? { host: 'productpage.default.svc.cluster.local', subset: undefined, port: 9080 }
        : { host: 'reviews.default.svc.cluster.local', subset: version, port: 9080 },
    status: 200,
    flag: '-',
    durationMs: 3,
    ...more,
  };
}

const cookieOf = (id: string): Partial<RequestEvent> => ({ cookies: [`theme=dark; perch=${id}`] });
const summary = () => observer.summary('default', 'reviews');

describe('an internal service', () => {
  test('a first page: reviews sees no cookie, the edge issues its request id, and both are one visitor', () => {
    const { requestId } = event('edge', 'new');
    observer.observe(event('reviews v2', 'told', { requestId }));
    observer.observe(event('edge', 'new', { requestId }));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, assigned: { total: 0 }, weight: 10 });
    observer.observe(event('reviews v2', 'known', cookieOf(requestId)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, requests: { stable: 0, canary: 2 } });
  });

  test('a return: the answer of reviews decides, not what the edge stamped', () => {
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    observer.observe(event('edge', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, requests: { stable: 0, canary: 1 } });
  });

  test('a hop that passes nothing on: its visitors are shown as assigned only', () => {
    observer.observe(event('reviews v1', 'rest'));
    observer.observe(event('edge', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 0 }, assigned: { total: 1, canary: 0 }, requests: { stable: 1, canary: 0 } });
  });

  test('clients that the edge gave no id are no visitors', () => {
    observer.observe(event('edge', 'rest'));
    observer.observe(event('edge', 'new', { requestId: 'not-an-id' }));
    expect(summary()).toMatchObject({ visitors: { total: 0 }, assigned: { total: 0 } });
  });
});

describe('a service at the edge', () => {
  const atEdge = { listener: 'ingress' } as const;

  test('a first visit counts under the id that it is given', () => {
    const { requestId } = event('edge', 'new');
    observer.observe(event('reviews v2', 'new', { ...atEdge, requestId }));
    observer.observe(event('reviews v2', 'known', { ...atEdge, ...cookieOf(requestId) }));
    observer.observe(event('reviews v1', 'rest', atEdge));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, requests: { stable: 1, canary: 2 } });
  });
});

describe('at the edge', () => {
  const PAGE = { accept: 'text/html', fetchMode: 'navigate', fetchSite: 'none' };
  const SCRIPT = { accept: '*/*', fetchMode: 'cors', fetchSite: 'cross-site' };
  const many = (count: number, role: 'new' | 'rest', more: Partial<RequestEvent>) => {
    for (let index = 0; index < count; index++) observer.observe(event('edge', role, more));
  };

  test('preflights are nobody: browsers send them without cookies, and keep none', () => {
    const { requestId } = event('edge', 'new');
    observer.observe(event('edge', 'new', { method: 'OPTIONS', ...SCRIPT, requestId }));
    observer.observe(event('edge', 'known', { method: 'OPTIONS', ...cookieOf(ANNA) }));
    observer.observe(event('reviews v2', 'told', { method: 'OPTIONS', requestId }));
    expect(summary()).toMatchObject({ visitors: { total: 0 }, assigned: { total: 0 }, requests: { canary: 1 } });
    expect(summary()).not.toHaveProperty('edge');
  });

  test('request ids of another form are told of once in a release, and shown in every step', async () => {
    const hex = { ...PAGE, requestId: '3e4666bfd5e54aa7b8ce0b3e41c7568a' };
    many(9, 'rest', hex);
    expect(findings).toEqual([]);
    many(30, 'rest', hex);
    expect(findings).toMatchObject([{ code: 'PERCH3080', object: 'CanaryRelease default/reviews' }]);
    expect(summary()).toMatchObject({ edge: { requests: 39, issued: 0, oddRequestIds: 39, oddRequestId: hex.requestId } });
    await setStatus({ ...STATUS, step: 1, weight: 100, cutoff: 4096, stepStartedAt: '2026-11-22T19:31:00.000Z' });
    expect(summary()).not.toHaveProperty('edge');
    many(30, 'rest', hex);
    expect(summary()).toMatchObject({ edge: { oddRequestIds: 30 } });
    expect(findings).toHaveLength(1);
    await setStatus({ ...STATUS, started: 2, startedAt: '2026-11-22T20:00:00.000Z' });
    many(30, 'rest', hex);
    expect(findings).toHaveLength(2);
  });

  test('what scripts of other sites fetch without credentials; synthetic visitors are left out', () => {
    many(80, 'new', PAGE);
    many(20, 'rest', SCRIPT);
    many(20, 'rest', { ...SCRIPT, userAgent: SYNTHETIC_USER_AGENT });
    observer.observe(event('edge', 'known', { ...SCRIPT, ...cookieOf(ANNA) }));
    expect(summary()).toMatchObject({ edge: { requests: 101, issued: 80, oddRequestIds: 0, crossSite: 20 } });
    expect(findings.map(({ code }) => code)).toEqual(['PERCH3081']);
  });

  test('inside the mesh no id is issued, so none is missed', () => {
    for (let index = 0; index < 30; index++) observer.observe(event('reviews v1', 'rest', { ...PAGE, requestId: 'odd' }));
    expect(findings).toEqual([]);
  });
});

describe('what counts as what', () => {
  test('what a delegate serves counts too: its rules bear the name of the root’s rule before their own', () => {
    const served = (root: string, each: RequestEvent) => ({ ...each, rule: `${root}-${each.rule ?? ''}` });
    observer.observe(served('shop', event('reviews v2', 'known', cookieOf(ANNA))));
    observer.observe(served('to-perch:it', event('reviews v1', 'known', cookieOf(BEN))));
    expect(summary()).toMatchObject({ visitors: { total: 2, canary: 1 }, requests: { stable: 1, canary: 1 } });
  });

  test('synthetic visitors stand apart', () => {
    observer.observe(event('reviews v1', 'known', { ...cookieOf(ANNA), userAgent: SYNTHETIC_USER_AGENT }));
    observer.observe(event('reviews v2', 'known', cookieOf(BEN)));
    expect(summary()).toMatchObject({
      visitors: { total: 2, canary: 1 },
      synthetic: { visitors: { total: 1, canary: 0 } },
      real: { visitors: { total: 1, canary: 1 } },
    });
  });

  test.each([
    [503, 'UH', 1],
    [0, 'UC', 1],
    [0, 'DC', 0],
    [404, '-', 0],
  ])('status %i %s counts %i errors', (status, flag, errors) => {
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), status, flag }));
    expect(summary()?.errors).toEqual({ stable: 0, canary: errors });
  });

  test('rules that no release wove, and releases that are not known, change nothing', () => {
    const before = summary();
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), rule: 'jason' }));
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), rule: undefined }));
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), destination: undefined }));
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), rule: 'perch:default/web:known:canary:v1:x' }));
    expect(summary()).toEqual(before);
    expect(observer.summary('default', 'web')).toBeUndefined();
  });

  test('another cookie name of the release is the one that is read', async () => {
    await store.apply('files', [{ ...RELEASE, spec: { ...RELEASE.spec, visitorId: { cookie: { name: '__Host-perch' } } } }]);
    await setStatus(STATUS);
    observer.observe(event('reviews v2', 'known', { cookies: [`perch=${BEN}; __Host-perch=${ANNA}`] }));
    observer.observe(event('reviews v2', 'known', { cookies: [`__Host-perch=${ANNA}`] }));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 } });
  });
});

describe('in mode canaryOnly', () => {
  const drawn = wovenRuleName({
    namespace: 'default',
    release: 'reviews',
    role: 'new',
    cohort: 'drawn',
    base: { kind: 'moved', subset: 'v1', address: undefined },
    baseName: undefined,
  });

  beforeEach(async () => {
    const { cutoff: _, offset: __, ...status } = STATUS;
    await setStatus({ ...status, canaryCookie: { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: 21_600 } });
  });

  test('requests are counted by the version that answered, and nobody as a visitor', () => {
    observer.observe(event('reviews v2', 'known', { listener: 'ingress' }));
    observer.observe(event('reviews v2', 'rest', { listener: 'ingress', rule: drawn }));
    // An id of another release's, and synthetic.
    observer.observe(event('reviews v1', 'rest', { listener: 'ingress', rule: drawn, ...cookieOf(ANNA) }));
    observer.observe(event('reviews v1', 'rest', { listener: 'ingress', rule: drawn, userAgent: SYNTHETIC_USER_AGENT, status: 503 }));
    const none = { stable: 0, canary: 0 };
    expect(summary()).toEqual({
      counts: 'requests',
      since: expect.any(String),
      latency: {
        stable: expect.objectContaining({ p50Ms: expect.closeTo(3, 1) }),
        canary: expect.objectContaining({ p50Ms: expect.closeTo(3, 1) }),
      },
      weight: 10,
      requests: { stable: 2, canary: 2 },
      errors: { stable: 1, canary: 0 },
      real: { requests: { stable: 1, canary: 2 }, errors: none },
      synthetic: { requests: { stable: 1, canary: 0 }, errors: { stable: 1, canary: 0 } },
    });
  });

  test('what the edge drew for an internal service is no answer of that service', () => {
    observer.observe(event('edge', 'new', { ...cookieOf(ANNA), requestId: BEN }));
    expect(summary()).toMatchObject({ requests: { stable: 0, canary: 0 } });
    observer.observe(event('reviews v1', 'told', { requestId: BEN }));
    expect(summary()).toMatchObject({ requests: { stable: 1, canary: 0 } });
  });
});

describe('following the release', () => {
  test('each step counts anew, and a visitor whose turn came has moved', async () => {
    observer.observe(event('reviews v1', 'known', cookieOf(ANNA)));
    time += 60_000;
    await setStatus({ ...STATUS, step: 1, weight: 100, cutoff: 4096, stepStartedAt: '2026-11-22T19:31:00.000Z' });
    expect(summary()).toMatchObject({ visitors: { total: 0 }, weight: 100, since: '2026-11-22T19:31:00.000Z' });
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, moved: { toCanary: 1, back: 0 } });
  });

  test('a pause is no new step: visitors are routed as before', async () => {
    observer.observe(event('reviews v1', 'known', cookieOf(ANNA)));
    await setStatus({ ...STATUS, phase: 'Paused' });
    expect(summary()).toMatchObject({ visitors: { total: 1 }, weight: 10 });
  });

  test('after a success all rules lead to the canary’s version, whatever they are called: nobody moves back', async () => {
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    await setStatus({ ...STATUS, phase: 'Succeeded', step: 1, weight: 100, cutoff: 4096, liveVersion: { subset: 'v2' } });
    const rule = event('reviews v1', 'known').rule;
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), rule }));
    observer.observe(event('edge', 'known', cookieOf(BEN)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 1 }, assigned: { total: 1, canary: 1 }, moved: { back: 0 } });
    expect(summary()).not.toHaveProperty('weight');
  });

  test.each(['RollingBack', 'Superseded'] as const)('%s brings back those who were on the canary', async (phase) => {
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    await setStatus({ ...STATUS, phase, weight: 0, cutoff: 0 });
    observer.observe(event('reviews v1', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 0 }, moved: { toCanary: 0, back: 1 } });
  });

  test('another release on the object starts from nothing', async () => {
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    await setStatus({ ...STATUS, started: 2, startedAt: '2026-11-22T20:00:00.000Z' });
    observer.observe(event('reviews v1', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 1, canary: 0 }, moved: { toCanary: 0, back: 0 } });
  });

  test('a destination that stays in the routes is the version that it is to the release of the moment', async () => {
    const same = event('reviews v2', 'known', cookieOf(ANNA));
    observer.observe(same);
    expect(summary()).toMatchObject({ requests: { stable: 0, canary: 1 } });
    await setStatus({ ...STATUS, started: 2, stable: { subset: 'v2' }, canary: { subset: 'v3' } });
    observer.observe(same);
    expect(summary()).toMatchObject({ requests: { stable: 1, canary: 0 } });
  });

  test('a release that is pending, or gone, has no figures', async () => {
    await setStatus({ ...STATUS, phase: 'Pending' });
    expect(summary()).toBeUndefined();
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    await setStatus(STATUS);
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    expect(summary()).toMatchObject({ visitors: { total: 1 } });
    await store.commit(REF, { remove: true }, store.revision());
    await new Promise((resolve) => setImmediate(resolve));
    expect(summary()).toBeUndefined();
  });
});

describe('over time', () => {
  const timeline = () => observer.timeline('default', 'reviews');

  test('a step ends with its last figures, the next begins at zero, and listeners are told of both', async () => {
    observer.sample();
    time += 400;
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    time += 100;
    await setStatus({ ...STATUS, step: 1, weight: 50, cutoff: 2048, stepStartedAt: new Date(time).toISOString() });
    time += 1000;
    observer.observe(event('reviews v1', 'known', { ...cookieOf(BEN), status: 503 }));
    observer.sample();
    const figuresOf = ({ weight, visitors, share, requests, errors }: TimelineSample) => [weight, visitors, share, requests, errors];
    expect(timeline()?.items.map(figuresOf)).toEqual([
      [10, 0, undefined, { stable: 0, canary: 0 }, { stable: 0, canary: 0 }],
      [10, 1, 100, { stable: 0, canary: 1 }, { stable: 0, canary: 0 }],
      [50, 0, undefined, { stable: 0, canary: 0 }, { stable: 0, canary: 0 }],
      [50, 1, 0, { stable: 1, canary: 0 }, { stable: 1, canary: 0 }],
    ]);
    expect(samples).toEqual(timeline()?.items);
  });

  test('a tunnel is no answer that somebody waited for', () => {
    observer.observe(event('reviews v2', 'known', { ...cookieOf(ANNA), status: 101, durationMs: 3_600_000 }));
    expect(summary()).toMatchObject({ requests: { canary: 1 }, latency: { stable: null, canary: null } });
  });

  test('another release on the object has a timeline of its own', async () => {
    observer.observe(event('reviews v2', 'known', cookieOf(ANNA)));
    observer.sample();
    time += 5000;
    await setStatus({ ...STATUS, started: 2, startedAt: '2026-11-22T20:00:00.000Z' });
    expect(timeline()).toMatchObject({ since: new Date(time).toISOString(), items: [{ at: new Date(time).toISOString(), visitors: 0 }] });
  });
});
