import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../core/property-runs.cases.ts';
import { readReview, reviewText } from './admission-review.ts';

const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'web', namespace: 'shop' }, spec: {} };
/** As a kube-apiserver asks (k8s.io/api, admission/v1). */
const review = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    operation: 'UPDATE',
    userInfo: { username: 'ada' },
    object,
    oldObject: { ...object, spec: { hosts: ['a'] } },
    dryRun: false,
    options: { apiVersion: 'meta.k8s.io/v1', kind: 'PatchOptions', fieldManager: 'owner' },
  },
};
const read = (changes: object) => readReview(JSON.stringify({ ...review, request: { ...review.request, ...changes } }));

test('reads what is asked, as far as it matters', () => {
  const { uid, oldObject } = review.request;
  expect(read({})).toEqual({ uid, object, oldObject, fieldManager: 'owner' });
  expect(read({ oldObject: null, options: null })).toEqual({ uid, object, oldObject: undefined, fieldManager: undefined });
});

test.each([
  ['without a name', { ...object, metadata: { namespace: 'shop', generateName: 'web-' } }],
  ['with annotations that are none', { ...object, metadata: { ...object.metadata, annotations: { a: 1 } } }],
  ['with a spec that is none', { ...object, spec: 'x' }],
  ['that is deleted', null],
])('an object %s is none, and still there is a question', (_, given) => {
  expect(read({ object: given })).toEqual({ uid: review.request.uid, object: undefined, oldObject: undefined, fieldManager: 'owner' });
});

test.each([
  ['no JSON', '{'],
  ['another kind', JSON.stringify({ ...review, kind: 'Status' })],
  ['another version', JSON.stringify({ ...review, apiVersion: 'admission.k8s.io/v1beta1' })],
  ['no uid', JSON.stringify({ ...review, request: {} })],
  ['a uid without end', JSON.stringify({ ...review, request: { uid: 'x'.repeat(200) } })],
])('%s is no question', (_, text) => {
  expect(readReview(text)).toBeUndefined();
});

test('whatever is sent is read or refused, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.record({ request: fc.jsonValue() }).map((part) => JSON.stringify({ ...review, ...part })),
      ),
      (text) => {
        const asked = readReview(text);
        if (asked !== undefined) expect(asked.uid.length).toBeLessThanOrEqual(128);
      },
    ),
    { numRuns: runs(2000) },
  );
});

test('an answer allows, with a patch only where there is something to change', () => {
  const answered = (text: string): unknown => (JSON.parse(text) as { readonly response: unknown }).response;
  expect(answered(reviewText('a', { patch: [], warnings: [] }))).toEqual({ uid: 'a', allowed: true });
  const patch = Buffer.from('[{"op":"remove","path":"/spec/http"}]').toString('base64');
  expect(answered(reviewText('a', { patch: [{ op: 'remove', path: '/spec/http' }], warnings: ['so'] }))).toEqual({
    uid: 'a',
    allowed: true,
    patchType: 'JSONPatch',
    patch,
    warnings: ['so'],
  });
});
