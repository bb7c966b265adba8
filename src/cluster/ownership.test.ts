import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../core/istio/resources.ts';
import { FORMER_OWNER_ANNOTATION } from '../core/release/ownership.ts';
import { OWNER_ANNOTATION, ownedVirtualService } from '../core/release/route-form.ts';
import { PROGRESSING } from '../core/release/status.cases.ts';
import { validateCanaryRelease } from '../core/release/validate.ts';
import { runtimeAdmission } from './admission.ts';
import { refOf, refText } from './manifest.ts';
import { canaryRelease, virtualService } from './store.cases.ts';
import type { StoredObject } from './store.ts';

const http = [{ route: [{ destination: { host: 'reviews', subset: 'v1' } }] }];

/** A release of reviews with this route. */
const release = (route: object, name = 'reviews'): KubeObject => {
  const adopting = canaryRelease([100], name);
  return { ...adopting, spec: { ...(adopting.spec as object), route } };
};
const MANAGED = release({ managed: { hosts: ['reviews'], http } });
const DELEGATE = release({ delegate: { name: 'reviews-perch', http } });
const ADOPTING = release({ adopt: { virtualService: 'reviews' } });

const annotated = (key: string, value: string): KubeObject => {
  const routes = virtualService('v1');
  return { ...routes, metadata: { ...routes.metadata, annotations: { [key]: value } } };
};

/** What a release owns, as the controller stores it. */
function owned(object: KubeObject): KubeObject {
  const { release: valid } = validateCanaryRelease(object);
  return (valid === undefined ? undefined : ownedVirtualService(valid)) ?? expect.fail('owns nothing');
}

function stored(base: KubeObject, more: Partial<StoredObject> = {}): StoredObject {
  return { ref: refOf(base), base, served: base, generation: 1, revision: 1, createdAt: '2026-01-01T00:00:00.000Z', ...more };
}

const found = (applied: readonly KubeObject[], existing: readonly StoredObject[] = []) =>
  runtimeAdmission.admit(applied, existing).map(({ code, object, path }) => [code, object, path]);

describe('a release comes to own', () => {
  test.each([
    ['a VirtualService that is not there', MANAGED, []],
    ['the one that it owns already', MANAGED, [stored(MANAGED), stored(owned(MANAGED))]],
    ['the one that it adopts until now', MANAGED, [stored(ADOPTING), stored(virtualService('v1'))]],
    ['one that it has yet to take over, when its own spec changes again', MANAGED, [stored(MANAGED), stored(virtualService('v1'))]],
    ['one that it left behind', MANAGED, [stored(annotated(FORMER_OWNER_ANNOTATION, 'default/reviews'))]],
    ['a delegate beside the root that names it', DELEGATE, [stored(ADOPTING), stored(virtualService('v1'))]],
  ])('%s', (_what, object, existing) => {
    expect(found([object], existing)).toEqual([]);
  });

  test.each([
    ['somebody’s', MANAGED, [stored(virtualService('v1'))], 'spec.route.managed.name'],
    [
      'somebody’s, while it adopts another',
      MANAGED,
      [stored(release({ adopt: { virtualService: 'other' } })), stored(virtualService('v1'))],
    ],
    ['what another release left behind', MANAGED, [stored(annotated(FORMER_OWNER_ANNOTATION, 'default/ratings'))]],
    ['somebody’s delegate', DELEGATE, [stored(virtualService('v1', 'reviews-perch'))], 'spec.route.delegate.name'],
  ])('not %s', (_what, object, existing, path = 'spec.route.managed.name') => {
    expect(found([object], existing)).toEqual([['PERCH3052', 'CanaryRelease default/reviews', path]]);
    const [finding] = runtimeAdmission.admit([object], existing);
    expect(finding?.message).toContain(refText(refOf(owned(object))));
    expect(finding?.hint).toContain('adopt');
  });
});

describe('a release makes a delegate of what has hosts', () => {
  const delegated = release({ delegate: { name: 'reviews', http } });
  const top = { ...virtualService('v1', 'top'), spec: { hosts: ['reviews'], http: [{ delegate: { name: 'reviews' } }] } };
  const cases: readonly (readonly [string, readonly StoredObject[]])[] = [
    ['the object that it adopts until now', [stored(ADOPTING), stored(virtualService('v1'))]],
    ['the one that it owns', [stored(MANAGED), stored(owned(MANAGED))]],
    ['the one that it left behind', [stored(annotated(FORMER_OWNER_ANNOTATION, 'default/reviews'))]],
  ];

  test.each(cases)('%s: only where something delegates to it', (_what, existing) => {
    expect(found([delegated], existing)).toEqual([['PERCH2018', 'CanaryRelease default/reviews', 'spec.route.delegate.name']]);
    expect(found([delegated], [...existing, stored(top)])).toEqual([]);
    expect(found([delegated, top], existing)).toEqual([]);
    expect(found([delegated, { ...top, spec: virtualService('v1').spec }], [...existing, stored(top)])).toHaveLength(1);
  });

  test('nothing is asked of one without hosts', () => {
    expect(found([delegated], [stored(delegated), stored(owned(delegated))])).toEqual([]);
    expect(found([delegated], [stored(ADOPTING), stored({ ...virtualService('v1'), spec: { http } })])).toEqual([]);
  });
});

describe('what a release owns', () => {
  const existing = [stored(MANAGED), stored(owned(MANAGED))];

  test('is written by nobody else, in whatever order they stand in the files', () => {
    const refused = [['PERCH3053', 'VirtualService default/reviews', 'metadata.name']];
    expect(found([virtualService('v2')], existing)).toEqual(refused);
    expect(found([virtualService('v2')], [stored(MANAGED)]), 'before it is created').toEqual(refused);
    expect(found([virtualService('v2'), MANAGED])).toEqual(refused);
    expect(found([MANAGED, virtualService('v2')])).toEqual(refused);
    const [finding] = runtimeAdmission.admit([virtualService('v2')], existing);
    expect(finding?.hint).toBe('change spec.route.managed of CanaryRelease default/reviews instead, and leave this object out');
  });

  test('is anybody’s in the very apply that gives it up', () => {
    expect(found([virtualService('v2'), ADOPTING], existing)).toEqual([]);
    expect(found([DELEGATE, virtualService('v2')], existing)).toEqual([]);
    expect(found([virtualService('v2')], [stored(ADOPTING), stored(owned(MANAGED))])).toEqual([]);
  });

  test('is not given up mid-release', () => {
    const underWay = [stored(MANAGED, { status: PROGRESSING }), stored(owned(MANAGED))];
    expect(found([ADOPTING], underWay)).toEqual([['PERCH3001', 'CanaryRelease default/reviews', 'spec.route']]);
  });

  test('is deleted by nobody', () => {
    const ref = refOf(virtualService('v1'));
    const [refused] = runtimeAdmission.admitDeletion(ref, [MANAGED]);
    expect(refused).toMatchObject({ code: 'PERCH3053', object: 'VirtualService default/reviews' });
    expect(refused?.hint).toContain('delete CanaryRelease default/reviews');
    expect(runtimeAdmission.admitDeletion(ref, [ADOPTING])).toEqual([]);
    expect(runtimeAdmission.admitDeletion({ ...ref, namespace: 'shop' }, [MANAGED])).toEqual([]);
    expect(runtimeAdmission.admitDeletion({ ...ref, kind: 'DestinationRule' }, [MANAGED])).toEqual([]);
  });

  test('is claimed by no second release', () => {
    const service = { host: 'ratings', port: 9080 };
    const second = (route: object): KubeObject => {
      const object = release(route, 'ratings');
      return { ...object, spec: { ...(object.spec as object), service } };
    };
    const same = second({ managed: { name: 'reviews', hosts: ['ratings'], http } });
    expect(found([MANAGED, same])).toEqual([['PERCH3050', 'CanaryRelease default/ratings', 'spec.route.managed']]);
    expect(found([same], [stored(MANAGED)])).toEqual([['PERCH3050', 'CanaryRelease default/ratings', 'spec.route.managed']]);
    const adopting = second({ adopt: { virtualService: 'reviews' } });
    expect(found([adopting], [stored(MANAGED)])).toEqual([
      ['PERCH3050', 'CanaryRelease default/ratings', 'spec.route.adopt.virtualService'],
    ]);
  });
});

test('nobody makes a release the owner of an object by hand', () => {
  const path = 'metadata.annotations["perch.dev/owned-by"]';
  for (const owner of ['default/reviews', 'default/nobody', '']) {
    expect(found([annotated(OWNER_ANNOTATION, owner), ADOPTING])).toEqual([['PERCH3054', 'VirtualService default/reviews', path]]);
  }
});

test('the objects whose served view is a release’s: those that it routes, where it issues, and the roots of both', () => {
  const issuing = { ...DELEGATE, spec: { ...(DELEGATE.spec as object), visitorId: { issueAt: { virtualService: 'bookinfo' } } } };
  const objects = [
    issuing,
    release({ adopt: { virtualService: 'ratings' } }, 'ratings'),
    ...['reviews-perch', 'bookinfo', 'ratings', 'details'].map((name) => virtualService('v1', name)),
    virtualService('v1', 'ratings', 'shop'),
    ...Object.entries({ root: 'reviews-perch', edge: 'bookinfo', scores: 'ratings', elsewhere: 'details' }).map(([name, to]) => ({
      ...virtualService('v1', name),
      spec: { hosts: [name], http: [{ delegate: { name: to } }] },
    })),
  ];
  expect([...runtimeAdmission.releasedRoutes(objects)].toSorted()).toEqual([
    'VirtualService default/bookinfo',
    'VirtualService default/edge',
    'VirtualService default/ratings',
    'VirtualService default/reviews-perch',
    'VirtualService default/root',
    'VirtualService default/scores',
  ]);
});
