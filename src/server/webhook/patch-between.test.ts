import fc from 'fast-check';
import { expect, test } from 'vitest';
import { manifestOf } from '../../cluster/manifest.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { runs } from '../../core/property-runs.cases.ts';
import type { PatchOperation } from './admission-review.ts';
import { patchBetween } from './patch-between.ts';

const text = fc.constantFrom('a', 'b/c', 'd~e', 'f~1');
const texts = fc.dictionary(text, text, { maxKeys: 3 });
const object: fc.Arbitrary<KubeObject> = fc
  .record(
    { labels: texts, annotations: texts, spec: fc.dictionary(text, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }) },
    { requiredKeys: ['spec'] },
  )
  .map(
    ({ spec, ...metadata }): KubeObject => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'web', namespace: 'default', ...metadata },
      spec,
    }),
  );

type Mapping = Record<string, unknown>;

/** RFC 6902 for mappings, which must be there: strict where apiservers are. */
function patched(document: KubeObject, operations: readonly PatchOperation[]): KubeObject {
  const copy = structuredClone(document) as unknown as Mapping;
  for (const operation of operations) {
    const keys = operation.path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? expect.fail('the whole document');
    const place = keys.reduce<Mapping>((at, key) => (at[key] ?? expect.fail(`nothing at ${key}`)) as Mapping, copy);
    if (operation.op === 'remove') {
      expect(place).toHaveProperty([last]);
      delete place[last];
    } else place[last] = operation.value;
  }
  return copy as unknown as KubeObject;
}

test('a patch makes the one of the other, and is empty between equals', () => {
  fc.assert(
    fc.property(object, object, (before, after) => {
      expect(manifestOf(patched(before, patchBetween(before, before, after)))).toEqual(manifestOf(after));
      expect(patchBetween(before, before, structuredClone(before))).toEqual([]);
    }),
    { numRuns: runs(2000) },
  );
});

test('rules are replaced as a whole, annotations one by one, and all else stays, what stores do not know of included', () => {
  const web = (http: unknown, annotations: Record<string, string>): KubeObject => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web', annotations },
    spec: { hosts: ['a'], http },
    status: { some: 'thing' },
  });
  const object = web([{ name: 'a' }], { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'x.dev/a': '1', 'x.dev/b': '1' });
  const after = web([{ name: 'b' }], { 'x.dev/a': '2', 'x.dev/c': '1' });
  expect(patchBetween(object, manifestOf(object), after)).toEqual([
    { op: 'add', path: '/metadata/annotations/x.dev~1a', value: '2' },
    { op: 'remove', path: '/metadata/annotations/x.dev~1b' },
    { op: 'add', path: '/metadata/annotations/x.dev~1c', value: '1' },
    { op: 'add', path: '/spec/http', value: [{ name: 'b' }] },
  ]);
  const bare = { ...object, metadata: { name: 'web' } };
  expect(patchBetween(bare, manifestOf(bare), after)[0]).toEqual({
    op: 'add',
    path: '/metadata/annotations',
    value: after.metadata.annotations,
  });
});
