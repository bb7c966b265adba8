import { expect, test } from 'vitest';
import type { CanaryRelease } from '../core/release/canary-release.ts';
import { validateCanaryRelease } from '../core/release/validate.ts';
import { releaseConflicts } from './release-conflicts.ts';

interface Given {
  readonly name: string;
  readonly host?: string;
  readonly adopt: string;
  readonly issueAt?: string;
  readonly issueOn?: string;
  readonly namespace?: string;
  /** Of the visitor ids. */
  readonly cookie?: string;
  /** In mode canaryOnly; empty: the release's own. */
  readonly canaryCookie?: string;
}

function release({ name, host = name, adopt, issueAt, issueOn, namespace = 'default', cookie, canaryCookie }: Given): CanaryRelease {
  const { release: valid, diagnostics } = validateCanaryRelease({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name, namespace },
    spec: {
      service: { host, port: 9080 },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: adopt } },
      visitorId: {
        ...(issueAt === undefined ? {} : { issueAt: { virtualService: issueAt } }),
        ...(issueOn === undefined ? {} : { issueOn }),
        ...(cookie === undefined ? {} : { cookie: { name: cookie } }),
      },
      ...(canaryCookie === undefined
        ? {}
        : { affinity: { mode: 'canaryOnly', cookie: canaryCookie === '' ? {} : { name: canaryCookie } } }),
      steps: [{ weight: 100, hold: '1m' }],
    },
  });
  return valid ?? expect.fail(JSON.stringify(diagnostics));
}

const reviews = release({ name: 'reviews', adopt: 'reviews', issueAt: 'bookinfo' });

test.each([
  ['as its edge what is a hop of the other', { name: 'ratings', adopt: 'reviews' }, ['spec.route.adopt.virtualService']],
  [
    'an issuing VirtualService, with another cookie',
    { name: 'ratings', adopt: 'ratings', issueAt: 'bookinfo', cookie: 'visitor' },
    ['spec.visitorId.issueAt.virtualService'],
  ],
  [
    'an issuing VirtualService, and asks other requests',
    { name: 'ratings', adopt: 'ratings', issueAt: 'bookinfo', issueOn: 'all' },
    ['spec.visitorId.issueAt.virtualService'],
  ],
  [
    'an issuing VirtualService, to draw at it',
    { name: 'ratings', adopt: 'ratings', issueAt: 'bookinfo', canaryCookie: '' },
    ['spec.visitorId.issueAt.virtualService'],
  ],
  [
    'where it issues with the other’s routes',
    { name: 'ratings', adopt: 'ratings', issueAt: 'reviews' },
    ['spec.visitorId.issueAt.virtualService'],
  ],
  ['the service, however written', { name: 'again', host: 'reviews.default.svc.cluster.local', adopt: 'again' }, ['spec.service']],
  ['everything', { name: 'again', host: 'reviews', adopt: 'reviews' }, ['spec.service', 'spec.route.adopt.virtualService']],
])('a release that shares %s is refused, at the field, naming the other', (_what, given, paths) => {
  const found = releaseConflicts([release(given)], [reviews]);
  expect(found.map((diagnostic) => diagnostic.path)).toEqual(paths);
  for (const { code, message, object } of found) {
    expect(code).toBe('PERCH3050');
    expect(message).toContain('default/reviews');
    expect(object).toBe(`CanaryRelease default/${given.name}`);
  }
});

test.each([
  ['the edge of both, called behind it', { name: 'ratings', adopt: 'ratings', issueAt: 'bookinfo' }],
  ['the edge, which the other is released at', { name: 'productpage', adopt: 'bookinfo' }],
  ['a VirtualService in the mesh, with rules of each', { name: 'ratings', adopt: 'reviews', issueAt: 'bookinfo' }],
])('releases of one visitor id share %s', (_what, given) => {
  expect(releaseConflicts([release(given)], [reviews])).toEqual([]);
});

test('only one release owns a VirtualService; others may issue their ids there', () => {
  const managed = {
    managed: { name: 'bookinfo', hosts: ['*'], gateways: ['web'], http: [{ route: [{ destination: { host: 'page' } }] }] },
  };
  const owner = {
    ...release({ name: 'page', adopt: 'bookinfo' }),
    spec: { ...release({ name: 'page', adopt: 'bookinfo' }).spec, route: managed },
  };
  const again = {
    ...release({ name: 'again', adopt: 'bookinfo' }),
    spec: { ...release({ name: 'again', adopt: 'bookinfo' }).spec, route: managed },
  };
  expect(releaseConflicts([owner], [reviews])).toEqual([]);
  expect(releaseConflicts([again], [owner]).map(({ message }) => message)).toEqual([
    'the release default/page uses the rules of VirtualService default/bookinfo already',
  ]);
});

test('of two in one apply, the second is refused', () => {
  const other = release({ name: 'other', host: 'reviews', adopt: 'other' });
  expect(releaseConflicts([reviews, other], []).map((diagnostic) => diagnostic.object)).toEqual(['CanaryRelease default/other']);
});

test('the same names in another namespace, and other ports’ releases, are nobody’s conflict', () => {
  const elsewhere = release({ name: 'reviews', adopt: 'reviews', issueAt: 'bookinfo', namespace: 'shop' });
  const alone = release({ name: 'ratings', adopt: 'ratings' });
  expect(releaseConflicts([elsewhere, alone], [reviews])).toEqual([]);
});

test('a release that issues where it routes does not conflict with itself', () => {
  expect(releaseConflicts([release({ name: 'reviews', adopt: 'reviews', issueAt: 'reviews' })], [])).toEqual([]);
});

test.each([
  ['canary’s cookies', { canaryCookie: 'c' }, { canaryCookie: 'c' }, 'spec.affinity.cookie.name'],
  ['a canary’s cookie and the visitor ids of others', {}, { canaryCookie: 'perch' }, 'spec.affinity.cookie.name'],
  ['visitor ids and the canary’s cookie of another', { canaryCookie: '' }, { cookie: 'perch-web' }, 'spec.visitorId.cookie.name'],
])('%s of one name would overwrite each other, so the second is refused', (_what, first, second, path) => {
  const web = release({ name: 'web', adopt: 'web', ...first });
  const found = releaseConflicts([release({ name: 'api', adopt: 'api', ...second })], [web]);
  expect(found).toMatchObject([{ code: 'PERCH3050', path, hint: 'choose another name: of one name, browsers hold one cookie' }]);
});

test('visitor ids are shared, canary’s cookies are each release’s own, and namespaces are sites of their own', () => {
  const web = release({ name: 'web', adopt: 'web', canaryCookie: '' });
  const ids = ['one', 'two'].map((name) => release({ name, adopt: name }));
  const other = release({ name: 'other', adopt: 'other', canaryCookie: '' });
  const staging = release({ name: 'web', adopt: 'web', canaryCookie: '', namespace: 'staging' });
  expect(releaseConflicts([...ids, other, staging], [web])).toEqual([]);
});
