import { expect, test } from 'vitest';
import type { KubeObject } from '../core/istio/resources.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import type { ReleaseStatus } from '../core/release/status.ts';
import { releaseAdmission, runtimeAdmission } from './admission.ts';
import { refOf } from './manifest.ts';
import { canaryRelease, virtualService } from './store.cases.ts';
import type { StoredObject } from './store.ts';

function stored(base: KubeObject, status?: ReleaseStatus): StoredObject {
  const known = { ref: refOf(base), base, served: base, generation: 1, revision: 1, createdAt: '2026-01-01T00:00:00.000Z' };
  return status === undefined ? known : { ...known, status };
}

/** The release `ratings`, which releases this service. */
const ratings = (host: string): KubeObject => {
  const release = canaryRelease([100], 'ratings');
  return { ...release, spec: { ...(release.spec as object), service: { host, port: 9080 } } };
};

const found = (applied: readonly KubeObject[], existing: readonly StoredObject[] = []) =>
  runtimeAdmission.admit(applied, existing).map(({ code, object, path }) => [code, object, path]);

test('valid releases and routes are let in', () => {
  expect(found([virtualService('v1'), canaryRelease()])).toEqual([]);
});

test('what is wrong with any of the objects is told, all of it', () => {
  const routes = { ...virtualService('v1'), spec: { hosts: ['reviews'], htpp: [] } };
  const release = { ...canaryRelease(), spec: { ...(canaryRelease().spec as object), steps: [{ weight: 10, hold: 'soon' }] } };
  const paths = found([routes, release]).map(([, object, path]) => `${object} ${path}`);
  expect(paths).toContain('VirtualService default/reviews spec.htpp');
  expect(paths).toContain('CanaryRelease default/reviews spec.steps[0].hold');
  expect(paths).toContain('CanaryRelease default/reviews spec.steps[0].weight');
});

test('a field that no manifest has is not dropped in silence', () => {
  expect(found([{ ...virtualService('v1'), specs: {} } as KubeObject]).map(([, , path]) => path)).toEqual(['specs']);
});

test('kinds that do not route are refused: whoever reads files leaves them out before', () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'reviews' } };
  expect(found([deployment])).toEqual([['PERCH4051', 'Deployment default/reviews', 'kind']]);
});

test('a misspelled kind or group is told what it may mean', () => {
  const hints = (apiVersion: string, kind: string): readonly (string | undefined)[] =>
    runtimeAdmission.admit([{ apiVersion, kind, metadata: { name: 'reviews' } }], []).map(({ hint }) => hint);
  expect(hints('perch.dev/v1alpha1', 'CanaryReleese')).toEqual(['did you mean CanaryRelease?']);
  expect(hints('networking.istio.io/v1', 'VirtualServce')).toEqual(['did you mean VirtualService?']);
  expect(hints('perch.dv/v1alpha1', 'CanaryRelease')).toEqual(['write apiVersion: perch.dev/v1alpha1']);
  expect(hints('networking.istio.io/v1', 'Sidecar')).toEqual(['leave it out: it stays with the tool that runs it']);
});

test('releases in HTTPRoutes are for clusters; there each has one of its own', () => {
  const [host, stable, canary] = ['web', 'web-v1', 'web-v2'];
  const inRoute = (name: string): KubeObject => {
    const spec = { service: { host: `${name}-${host}`, port: 80 }, stable: { host: stable }, canary: { host: canary } };
    const release = canaryRelease([100], name);
    return { ...release, spec: { ...(release.spec as object), ...spec, route: { adopt: { httpRoute: 'web' } }, visitorId: {} } };
  };
  expect(found([inRoute('web')])).toEqual([['PERCH1302', 'CanaryRelease default/web', 'spec.route.adopt.httpRoute']]);
  expect(releaseAdmission.admit([inRoute('web')], [])).toEqual([]);
  const conflicts = releaseAdmission.admit([inRoute('shop')], [stored(inRoute('web'))]).map(({ code, path }) => [code, path]);
  expect(conflicts).toEqual([['PERCH3050', 'spec.route.adopt.httpRoute']]);
  const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name: 'web' } };
  expect(runtimeAdmission.admit([route], []).map(({ hint }) => hint)).toEqual([expect.stringContaining('docs/guides/gateway-api.md')]);
});

test('who scales where there are no Deployments is told so, and the release is taken', () => {
  const release = canaryRelease([100], 'web');
  const scaling = { ...release, spec: { ...(release.spec as object), scaling: { beforeStep: 'matchWeight' } } };
  const warned = runtimeAdmission.admit([scaling], []).map(({ code, severity, path }) => [code, severity, path]);
  expect(warned).toEqual([['PERCH1303', 'warning', 'spec.scaling']]);
  expect(releaseAdmission.admit([scaling], [])).toEqual([]);
});

test('a release of a service that one in the store releases, or one applied beside it, is refused', () => {
  const conflict = [['PERCH3050', 'CanaryRelease default/ratings', 'spec.service']];
  expect(found([ratings('reviews')], [stored(canaryRelease())])).toEqual(conflict);
  expect(found([canaryRelease(), ratings('reviews')])).toEqual(conflict);
});

test('a release is judged by what it becomes, not by what it was', () => {
  const before = [stored(canaryRelease()), stored(ratings('reviews'))];
  expect(found([ratings('ratings')], before)).toEqual([]);
  expect(found([canaryRelease([50, 100])], [stored(canaryRelease())])).toEqual([]);
});

test('while a release is under way its routes stay; its steps may change, and another canary may be asked for', () => {
  const existing = [stored(canaryRelease(), PROGRESSING)];
  const spec = canaryRelease().spec as object;
  const changed = (changes: object): KubeObject => ({ ...canaryRelease(), spec: { ...spec, ...changes } });
  const refused = (path: string) => [['PERCH3001', 'CanaryRelease default/reviews', path]];
  expect(found([changed({ canary: { subset: 'v3' } })], existing)).toEqual([]);
  expect(found([changed({ route: { adopt: { virtualService: 'other' } } })], existing)).toEqual(refused('spec.route'));
  expect(found([canaryRelease([20, 30, 100])], existing)).toEqual([]);
});
