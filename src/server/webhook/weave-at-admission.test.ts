import { beforeEach, expect, test } from 'vitest';
import type { ApiObject } from '../../cluster/kube/kube-object.ts';
import { ObjectCache } from '../../cluster/kube/object-cache.ts';
import { manifestOf, refOf } from '../../cluster/manifest.ts';
import type { ObjectLists, ReleaseStore } from '../../cluster/store.ts';
import { desiredRoutes } from '../../controller/desired-routes.ts';
import { readWorld } from '../../controller/world.ts';
import { type HttpRouteRule, rulesOf } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { API_VERSION, KIND } from '../../core/release/canary-release.ts';
import { planOf } from '../../core/release/route-plan.ts';
import type { ReleaseStatus } from '../../core/release/status.ts';
import { initialStatus } from '../../core/release/status-change.ts';
import { httpRoute } from '../../core/weave-http-route/http-fixtures.cases.ts';
import { releasesInHttpRoute, unweaveHttpRoute } from '../../core/weave-http-route/unweave-http-route.ts';
import type { PatchOperation } from './admission-review.ts';
import { weaveAtAdmission } from './weave-at-admission.ts';

/** What a controller knows of its cluster: HTTPRoutes too, unless the cluster has none that can be used. */
let cache: ObjectCache;
let knowsHttpRoutes: boolean;
let store: ObjectLists & Pick<ReleaseStore, 'get'>;

beforeEach(() => {
  cache = new ObjectCache((error) => expect.fail(String(error)));
  knowsHttpRoutes = true;
  store = {
    revision: () => cache.revision,
    list: async () => cache.list(),
    get: async (ref) => cache.get(ref),
    isRead: (_, kind) => kind !== 'HTTPRoute' || knowsHttpRoutes,
  };
});

const RELEASE: KubeObject = {
  apiVersion: API_VERSION,
  kind: KIND,
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    service: { host: 'web', port: 9080 },
    stable: { host: 'web-v1' },
    canary: { host: 'web-v2' },
    route: { adopt: { httpRoute: 'web' } },
    steps: [{ weight: 100, hold: 'manual' }],
  },
};
const STATUS: ReleaseStatus = {
  ...initialStatus(),
  phase: 'Paused',
  step: 0,
  weight: 10,
  cutoff: 410,
  offset: 0,
  stable: { host: 'web-v1' },
  canary: { host: 'web-v2' },
  liveVersion: { host: 'web-v1' },
};
const WEB: HttpRouteRule = { backendRefs: [{ name: 'web-v1', port: 9080 }] };
const SHOP: HttpRouteRule = { ...WEB, name: 'shop', matches: [{ path: { type: 'PathPrefix', value: '/shop' } }] };
const PINNED: HttpRouteRule = {
  matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [{ name: 'x-pin', value: 'old' }] }],
  backendRefs: [{ name: 'web-v0', port: 9080 }],
};
const DRAWN: HttpRouteRule = { backendRefs: [...(WEB.backendRefs ?? []), { name: 'web-v2', port: 9080 }] };

let version = 0;
function know(object: KubeObject): ApiObject {
  version += 1;
  const known = { ...object, metadata: { ...object.metadata, uid: object.kind, resourceVersion: String(version) } };
  cache.applied(known);
  return known;
}

/** What the next pass of the controller makes of the routes that the cluster has. */
async function nextPass(): Promise<KubeObject> {
  const world = (await readWorld(store, refOf(RELEASE))) ?? expect.fail('no release');
  const [route] = desiredRoutes(world, planOf(STATUS)).routes;
  return route?.served ?? route?.base ?? expect.fail('no route');
}

/** A release at its first step, in these rules. */
async function begin(...rules: readonly HttpRouteRule[]): Promise<KubeObject> {
  know({ ...RELEASE, status: STATUS });
  know(httpRoute(rules));
  return know(await nextPass());
}

async function ask(object: KubeObject, oldObject: KubeObject | undefined, fieldManager = 'owner') {
  const request = { uid: 'u', object: object as ApiObject, oldObject: oldObject as ApiObject | undefined, fieldManager };
  return await weaveAtAdmission(store, request, () => new Date('2026-11-30T00:00:00Z'));
}

/** The object with what the apiserver is told to change. */
function patched(object: KubeObject, patch: readonly PatchOperation[]): KubeObject {
  if (patch.length === 0) return object;
  const [{ path }, ...others] = patch as readonly [PatchOperation, ...PatchOperation[]];
  expect([path, others]).toEqual(['/spec/rules', []]);
  const [operation] = patch;
  return { ...object, spec: { ...(object.spec as object), rules: operation !== undefined && 'value' in operation ? operation.value : [] } };
}

test.each([
  ['the same again', [WEB]],
  ['another rule', [WEB, SHOP]],
  ['rules that have to stay before', [PINNED, WEB, SHOP]],
  ['a rule that nobody can weave beside one that can be', [SHOP, { ...DRAWN, name: 'drawn' }]],
])('%s is applied: an HTTPRoute is stored as the next pass would write it, and then left as it is', async (_, rules) => {
  const woven = await begin(WEB);
  const next = httpRoute(rules);
  const form = patched(next, (await ask(next, woven)).patch);
  expect(releasesInHttpRoute(form)).toEqual(['default/web']);
  expect(rulesOf(unweaveHttpRoute(form))).toEqual(rules);
  expect((await ask(form, woven)).patch).toEqual([]);
  know(next);
  expect(manifestOf(form)).toEqual(manifestOf(await nextPass()));
});

test('routes that are created under way are created with the release, which their status does not matter to', async () => {
  const woven = await begin(WEB);
  cache.deleted(woven);
  const created = { ...httpRoute([WEB]), metadata: { name: 'web', namespace: 'default' } };
  expect(patched(created, (await ask(created, undefined)).patch).spec).toEqual(woven.spec);
});

test('a release that is not in the routes is not woven in', async () => {
  await begin(WEB);
  const next = httpRoute([WEB, SHOP]);
  expect(await ask(next, httpRoute([WEB]))).toEqual({ patch: [], warnings: [] });
});

test('what Perch writes, what no watch tells of, and routes of others stay as they are', async () => {
  const woven = await begin(WEB);
  const next = httpRoute([WEB, SHOP]);
  expect((await ask(next, woven, 'perch')).patch).toEqual([]);
  expect((await ask(httpRoute([WEB], {}, 'other'), undefined)).patch).toEqual([]);
  knowsHttpRoutes = false;
  expect((await ask(next, woven)).patch).toEqual([]);
});

test('what cannot be woven goes through, and why is said', async () => {
  const woven = await begin(WEB);
  const { patch, warnings } = await ask(httpRoute([DRAWN]), woven);
  expect(patch).toEqual([]);
  expect(warnings).toEqual([
    'perch: CanaryRelease default/web spec.route.adopt.httpRoute: no rule of HTTPRoute default/web that leads to web:9080 or one of its versions can be woven (PERCH2001)',
  ]);
});

test.each([
  ['two rules of one name', [SHOP, { ...WEB, name: 'shop' }]],
  ['a Service without a port', [{ backendRefs: [{ name: 'web-v1' }] }]],
  ['no list of rules', 'none'],
])('%s: what the apiserver would refuse is not made right by weaving', async (_, rules) => {
  const woven = await begin(WEB);
  const wrong = httpRoute([]);
  expect(await ask({ ...wrong, spec: { ...(wrong.spec as object), rules } }, woven)).toEqual({ patch: [], warnings: [] });
});
