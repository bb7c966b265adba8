import { describe, expect, it, test } from 'vitest';
import { type ApiObject, FINALIZER, isOlder, storedObject } from './kube-object.ts';

const release = (metadata: Partial<ApiObject['metadata']> = {}, more: object = {}): ApiObject => ({
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-11-29T10:00:00Z', generation: 3, resourceVersion: '7', ...metadata },
  spec: { cohort: 1 },
  ...more,
});
const route = (spec: object, metadata: Partial<ApiObject['metadata']> = {}): ApiObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', ...metadata },
  spec,
});

describe('an object as the controller knows it', () => {
  it('is what its owner declares, with its age and generation; what the cluster keeps on it is not looked at', () => {
    const object = release({ uid: 'u', finalizers: [FINALIZER], labels: { a: 'b' }, annotations: { note: 'x' } });
    const declared = {
      apiVersion: 'perch.dev/v1alpha1',
      kind: 'CanaryRelease',
      metadata: {
        name: 'web',
        namespace: 'shop',
        labels: { a: 'b' },
        annotations: { note: 'x' },
        creationTimestamp: '2026-11-29T10:00:00Z',
      },
      spec: { cohort: 1 },
    };
    expect(storedObject(object, undefined, 5)).toEqual({
      ref: { kind: 'CanaryRelease', namespace: 'shop', name: 'web' },
      base: declared,
      served: declared,
      generation: 3,
      revision: 5,
      createdAt: '2026-11-29T10:00:00Z',
    });
  });

  it('is the same object, at its old revision, until something changes that matters', () => {
    const first = storedObject(release({}, { status: { phase: 'Pending', step: -1 } }), undefined, 1);
    expect(
      storedObject(release({ resourceVersion: '9', finalizers: [FINALIZER] }, { status: { step: -1, phase: 'Pending' } }), first, 2),
    ).toBe(first);
    const next = storedObject(release({}, { status: { phase: 'Progressing', step: 0 } }), first, 2);
    expect([next.revision, next.ref, next.served]).toEqual([2, first.ref, first.served]);
    expect([next.ref === first.ref, next.served === first.served]).toEqual([true, true]);
  });

  it('has no status before the controller wrote one', () => {
    for (const status of [undefined, null, {}, { conditions: [] }]) {
      expect(storedObject(release({}, { status }), undefined, 1)).not.toHaveProperty('status');
    }
  });

  it('is being deleted once the cluster says so; the annotation says how', () => {
    const deletionTimestamp = '2026-11-29T11:00:00Z';
    const annotations = { 'perch.dev/on-delete': 'restore-base' };
    expect(storedObject(release({ annotations }), undefined, 1)).not.toHaveProperty('deletionRestoresBase');
    expect(storedObject(release({ deletionTimestamp }), undefined, 1).deletionRequestedAt).toBe(deletionTimestamp);
    expect(storedObject(release({ deletionTimestamp, annotations }), undefined, 1).deletionRestoresBase).toBe(true);
  });

  it('of a woven VirtualService has the base that un-weaving gives', () => {
    const rule = (name: string, subset: string) => ({ name, route: [{ destination: { host: 'web', subset } }] });
    const woven = [rule('perch:shop/web:known:canary:v1:all', 'v2'), rule('perch:shop/web:rest:stable:v1:all', 'v1')];
    expect(storedObject(route({ hosts: ['web'], http: woven }), undefined, 1).base.spec).toEqual({
      hosts: ['web'],
      http: [rule('all', 'v1')],
    });
    const plain = storedObject(route({ hosts: ['web'], http: [rule('all', 'v1')] }), undefined, 1);
    expect(plain.base).toBe(plain.served);
  });
});

describe('a request in an annotation, which anybody may write', () => {
  const read = (text: string) => storedObject(release({ annotations: { 'perch.dev/request': text } }), undefined, 1);

  it.each([
    ['{"id":"1","action":"pause","by":"ada"}', { id: '1', action: 'pause', by: 'ada' }],
    ['{"id":"1","action":"pause","note":"x"}', { id: '1', action: 'pause', by: 'unknown' }],
    ['{"id":"1","action":"promote","by":"ada","full":true}', { id: '1', action: 'promote', by: 'ada', full: true }],
    ['{"id":"1","action":"rollback","by":"ada","full":true}', { id: '1', action: 'rollback', by: 'ada' }],
    ['{"id":"1","action":"promote","by":"ada","full":"yes"}', { id: '1', action: 'promote', by: 'ada' }],
  ])('%s', (text, request) => {
    expect(read(text).request).toEqual(request);
  });

  it.each([
    'pause',
    'null',
    '[]',
    '{"action":"pause"}',
    '{"id":"","action":"pause"}',
    '{"id":7,"action":"pause"}',
    '{"id":"1","action":"explode"}',
    '{"id":"1","action":"pause","by":["ada"]}',
    JSON.stringify({ id: 'x'.repeat(254), action: 'pause' }),
  ])('is none: %s', (text) => {
    expect(read(text)).not.toHaveProperty('request');
  });

  it('is none of a VirtualService, and no part of what its owner declares', () => {
    const annotations = { 'perch.dev/request': '{"id":"1","action":"pause"}' };
    expect(storedObject(route({}, { annotations }), undefined, 1)).not.toHaveProperty('request');
    expect(read('{"id":"1","action":"pause"}').base.metadata).not.toHaveProperty('annotations');
  });
});

test('of an object that a release owns only what it declares counts: labels and annotations of others are theirs', () => {
  const owned = { 'perch.dev/owned-by': 'shop/web' };
  const object = route({ http: [1] }, { labels: { team: 'a' }, annotations: { ...owned, note: '1' } });
  expect(storedObject(object, undefined, 1).base.metadata).toEqual({ name: 'web', namespace: 'shop', annotations: owned });
  const ordinary = route({ http: [1] }, { labels: { team: 'a' }, annotations: { note: '1' } });
  expect(storedObject(ordinary, undefined, 1).base.metadata).toMatchObject({ labels: { team: 'a' }, annotations: { note: '1' } });
});

test.each([
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  ['99999999999999999998', '99999999999999999999', true],
  ['x', '10', false],
  [undefined, '10', false],
])('version %s is older than %s: %s', (left, right, expected) => {
  const at = (resourceVersion: string | undefined): ApiObject => ({
    ...route({}),
    metadata: { name: 'web', ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  });
  expect(isOlder(at(left), at(right))).toBe(expected);
});
