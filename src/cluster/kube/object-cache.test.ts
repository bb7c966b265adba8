import { beforeEach, expect, test } from 'vitest';
import { refText } from '../manifest.ts';
import type { ApiObject } from './kube-object.ts';
import { ObjectCache } from './object-cache.ts';

const object = (name: string, version: number, more: Partial<ApiObject> = {}, uid = 'u'): ApiObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name, namespace: 'shop', resourceVersion: String(version), uid, creationTimestamp: '2026-11-29T10:00:00Z' },
  spec: { hosts: [name], http: [] },
  ...more,
});
const release = (name: string): ApiObject => ({
  ...object(name, 1, { kind: 'CanaryRelease', apiVersion: 'perch.dev/v1alpha1', spec: {} }),
});
const http = (...names: readonly string[]) => ({ spec: { hosts: ['a'], http: names.map((name) => ({ name, route: [] })) } });
const WOVEN = http('perch:shop/web:rest:stable:v1:all');

let cache: ObjectCache;
let told: string[];
beforeEach(() => {
  cache = new ObjectCache((error) => expect.fail(String(error)));
  told = [];
  cache.changed.add((refs, revision) => told.push(`${revision}: ${refs.map(refText).join(', ')}`));
});
const names = () => cache.list().map(({ ref }) => ref.name);

test('each change that matters is a revision; a version that differs in nothing else is none, and what was older is not told', () => {
  cache.applied(object('a', 5));
  const [first] = cache.list();
  const list = cache.list();
  cache.applied(object('a', 6));
  expect([
    cache.list() === list,
    cache.list()[0] === first,
    cache.raw({ kind: 'VirtualService', namespace: 'shop', name: 'a' })?.metadata.resourceVersion,
  ]).toEqual([true, true, '6']);
  cache.applied(object('a', 7, http('x')));
  cache.applied(object('a', 4));
  cache.deleted(object('a', 6));
  expect([names(), cache.revision, told]).toEqual([['a'], 2, ['1: VirtualService shop/a', '2: VirtualService shop/a']]);
  cache.deleted(object('a', 8));
  cache.deleted(object('a', 9));
  expect([names(), cache.revision]).toEqual([[], 3]);
});

test('a list takes the place of all of its kind, and of no other', () => {
  for (const each of [object('a', 1), object('b', 2), release('web')]) cache.applied(each);
  told.length = 0;
  cache.replaced({ kind: 'VirtualService' }, [object('b', 2), object('c', 9)]);
  expect([names().toSorted(), told]).toEqual([['b', 'c', 'web'], ['4: VirtualService shop/a, VirtualService shop/c']]);
  cache.replaced({ kind: 'VirtualService' }, [object('b', 2), object('c', 9)]);
  expect(cache.revision).toBe(4);
});

test('a list says nothing of what is younger than it is', () => {
  for (const each of [object('a', 5), object('b', 9)]) cache.applied(each);
  cache.replaced({ kind: 'VirtualService' }, [], '7');
  expect(names()).toEqual(['b']);
});

test('who wrote which field is kept of routes, and of nothing else', () => {
  const managed = (each: ApiObject): ApiObject => ({ ...each, metadata: { ...each.metadata, managedFields: [{ manager: 'owner' }] } });
  const rule = object('a', 1, { kind: 'DestinationRule' });
  for (const each of [rule, object('a', 1)]) cache.applied(managed(each));
  expect(cache.raw({ kind: 'DestinationRule', namespace: 'shop', name: 'a' })).toEqual(rule);
  expect(cache.raw({ kind: 'VirtualService', namespace: 'shop', name: 'a' })).toEqual(managed(object('a', 1)));
});

test('who wrote releases out of an object is told of, and whose, before the change; this process’s own writes are not', () => {
  const over: string[] = [];
  cache.writtenOver.add(({ stored, releases }) =>
    over.push(`${refText(stored.ref)} without ${releases.map(refText).join()} after ${told.length}`),
  );
  cache.applied(release('web'));
  cache.applied(object('a', 1, WOVEN));
  cache.applied(object('a', 2, { ...WOVEN, metadata: { ...object('a', 2).metadata, labels: { team: 'a' } } }));
  cache.written(object('a', 3, http('all')));
  cache.written(object('a', 4, WOVEN));
  cache.applied(object('a', 5, http('all')));
  expect(over).toEqual(['VirtualService shop/a without CanaryRelease shop/web after 5']);
});

test('what changes takes its place in a new list, the others are the same in it', () => {
  for (const name of ['a', 'b', 'c']) cache.applied(object(name, 1));
  const before = cache.list();
  cache.applied(object('b', 2, http('x')));
  const after = cache.list();
  expect([names(), before[0] === after[0], before[1] === after[1], before[2] === after[2]]).toEqual([['a', 'b', 'c'], true, false, true]);
  cache.deleted(object('a', 3));
  cache.applied(object('d', 4));
  expect(names()).toEqual(['b', 'c', 'd']);
});

test('created anew under its name it is another object', () => {
  cache.applied(object('a', 1));
  const [former] = cache.list();
  cache.applied(object('a', 2, {}, 'other'));
  const [next] = cache.list();
  expect([next?.revision, next?.ref === former?.ref, next?.ref]).toEqual([2, false, former?.ref]);
});

test('releases hear of what others write over, or delete, in which they were woven, and not of what this process writes', () => {
  cache.applied(release('web'));
  cache.applied(object('a', 1));
  cache.written(object('a', 2, WOVEN));
  cache.applied(object('a', 2, WOVEN));
  cache.applied(object('a', 3, http('all')));
  cache.written(object('a', 4, WOVEN));
  cache.deleted(object('a', 5, WOVEN));
  expect(told).toEqual([
    '1: CanaryRelease shop/web',
    '2: VirtualService shop/a',
    '3: VirtualService shop/a',
    '4: VirtualService shop/a, CanaryRelease shop/web',
    '5: VirtualService shop/a',
    '6: VirtualService shop/a, CanaryRelease shop/web',
  ]);
});

test('objects come in order of creation', () => {
  const made = (name: string, at: string, version: number): ApiObject => {
    const each = object(name, version);
    return { ...each, metadata: { ...each.metadata, creationTimestamp: at } };
  };
  cache.applied(made('b', '2026-11-29T10:00:02Z', 1));
  cache.applied(made('a', '2026-11-29T10:00:01Z', 2));
  cache.applied(made('c', '2026-11-29T10:00:01Z', 3));
  expect(names()).toEqual(['a', 'c', 'b']);
});
