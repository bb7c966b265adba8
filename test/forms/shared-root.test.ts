import { afterEach, expect, test, vi } from 'vitest';
import type { ObjectRef } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { OWNER_ANNOTATION } from '../../src/core/release/route-form.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { adopt, delegate, managed, release, routes, rules } from './place.ts';
import { expectedVersions, routesRef, Scene } from './scene.ts';

// One root for the services `web` and `api`, each with a release of its own.

let scene: Scene;

afterEach(() => scene.close());

const API: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name: 'api' };

const toApi = { route: [{ destination: { host: 'api', subset: 'v1', port: { number: 9080 } } }] };
const toWeb = (match: object = {}) => ({ match: [{ uri: { prefix: '/web' }, ...match }], delegate: { name: 'web-routes' } });
const throughDelegate = { match: [{ uri: { prefix: '/api' } }], delegate: { name: 'api-routes' } };

/** The release of `api`, which is served by the endpoints of `web`. */
function apiRelease(route: object): KubeObject {
  const { spec, ...web } = release('edge', route);
  return { ...web, metadata: { name: 'api' }, spec: { ...(spec as object), service: { host: 'api', port: 9080 } } };
}

/** `api` beside `web`: the same endpoints under another name. */
async function open(): Promise<Scene> {
  const opened = await Scene.open('edge');
  const bases = (await opened.store.list()).map(({ base }) => base);
  const copy = (kind: string, fields: object): KubeObject => {
    const { spec, ...object } = bases.find((each) => each.kind === kind) ?? expect.fail(kind);
    return { ...object, metadata: { name: 'api' }, spec: { ...(spec as object), ...fields } };
  };
  await opened.apply(copy('DestinationRule', { host: 'api' }), copy('ServiceEntry', { hosts: ['api.default.svc.cluster.local'] }));
  return opened;
}

async function reachApi(wanted: Partial<ReleaseStatus>): Promise<void> {
  await vi.waitFor(async () => expect((await scene.store.get(API))?.status).toMatchObject(wanted), { timeout: 10_000, interval: 5 });
}

async function askApi(action: RequestAction, wanted: Partial<ReleaseStatus>): Promise<void> {
  const { started, step } = (await scene.store.get(API))?.status ?? expect.fail('no status');
  await scene.store.postRequest(API, { id: `${action} ${started} ${step}`, action, by: 'ann' });
  await reachApi(wanted);
}

/** Both controllers have seen to everything, and write no more. */
async function comesToRest(): Promise<void> {
  await vi.waitFor(
    async () => {
      const revision = scene.store.revision();
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(scene.store.revision()).toBe(revision);
    },
    { timeout: 10_000 },
  );
}

test.each(['stays', 'is deleted'])(
  'a new form of the root waits for the release that cannot be woven behind it, where the other one %s',
  async (end) => {
    scene = await open();
    const both = (match: object = {}) => routes('edge', [throughDelegate, toWeb(match)]);
    const obstinate = both({ headers: { cookie: { regex: '.*' } } });
    await scene.apply(both(), release('edge', delegate()), apiRelease(delegate([toApi], 'api-routes')));
    await reachApi({ phase: 'Paused', weight: 10 });
    await scene.reach({ phase: 'Paused', weight: 10 });
    const status = await scene.ask('promote', { phase: 'Paused', weight: 50 });
    const visitors = scene.visitors(40);
    const round = () => Promise.all(visitors.map((visitor) => scene.visit(visitor, '/web')));
    await round();
    const before = expectedVersions(visitors, status, ['v2', 'v1']);

    await scene.apply(obstinate);
    await vi.waitFor(() => expect(scene.said.join('\n')).toContain('PERCH2001'), { timeout: 10_000, interval: 5 });
    if (end === 'is deleted') {
      await scene.store.requestDeletion(API);
      await vi.waitFor(async () => expect(await scene.store.get(API)).toBeUndefined());
    }
    await comesToRest();
    expect(await round()).toEqual(before);
    expect(await round(), 'nobody was given another id').toEqual(expectedVersions(visitors, status, ['v2', 'v1']));

    await scene.ask('rollback', { phase: 'RolledBack' });
    await vi.waitFor(async () => expect((await scene.store.get(routesRef()))?.served.spec).toEqual(obstinate.spec));
  },
);

test('a root that another release adopts is that one’s, also where it cannot be woven', async () => {
  scene = await open();
  await scene.apply(routes('edge', [toWeb(), toApi]), apiRelease(adopt()));
  await reachApi({ phase: 'Paused', weight: 10 });
  for (const wanted of [{ weight: 50 }, { weight: 100, phase: 'Paused' }, { phase: 'Succeeded' }] as const) await askApi('promote', wanted);
  await scene.apply(routes('edge', rules('v3', { match: [{ uri: { prefix: '/late' } }] }), 'late'));
  await vi.waitFor(() => expect(scene.said.join('\n')).toContain('PERCH2001'), { timeout: 10_000, interval: 5 });

  await scene.apply(release('edge', delegate()));
  await scene.reach({ phase: 'Paused', weight: 10 });
  await comesToRest();
  expect(await scene.round(scene.visitors(5)), 'api stays at its live version').toEqual(Array(5).fill('v2'));
});

test('a root that another release owns stays that one’s', async () => {
  scene = await open();
  await scene.apply(release('edge', delegate()), apiRelease(managed('edge', [toWeb(), toApi], 'all')));
  await scene.reach({ phase: 'Paused', weight: 10 });
  await reachApi({ phase: 'Paused', weight: 10 });
  await askApi('rollback', { phase: 'RolledBack' });
  await comesToRest();
  expect((await scene.store.get(routesRef('all')))?.base.metadata.annotations).toEqual({ [OWNER_ANNOTATION]: 'default/api' });
});
