import { expect, test } from 'vitest';
import { readObjectArguments } from './object-arguments.ts';
import { objectName, objectPath } from './object-name.ts';

const web = (kind: string, namespace = 'default') => ({ kind, namespace, name: 'web' });

test.each([
  ['', ['CanaryRelease'], []],
  ['vs', ['VirtualService'], []],
  ['vs,gw', ['VirtualService', 'Gateway'], []],
  ['release web', ['CanaryRelease'], [web('CanaryRelease')]],
  ['vs,gw web', ['VirtualService', 'Gateway'], [web('VirtualService'), web('Gateway')]],
  ['release/web gateway/web', ['CanaryRelease', 'Gateway'], [web('CanaryRelease'), web('Gateway')]],
  ['release/shop/web', ['CanaryRelease'], [web('CanaryRelease', 'shop')]],
])('"%s"', (words, kinds, named) => {
  expect(readObjectArguments(words.split(' ').filter(Boolean), 'default')).toEqual({ kinds, named });
});

test('all is every kind', () => {
  expect(readObjectArguments(['all'], 'default').kinds).toHaveLength(6);
});

test.each([
  [['release', 'vs/web'], /write KIND NAME..., or KIND\/NAME..., not both/],
  [['vs/web', 'gw'], /gw: write KIND\/NAME or/],
  [['a/b/c/d'], /write KIND\/NAME/],
  [['vs/'], /write KIND\/NAME/],
  [['vz/web'], /"vz" is no kind of object: did you mean vs\?/],
])('%j means nothing', (words, message) => {
  expect(() => readObjectArguments(words, 'default')).toThrow(message);
});

test('what -o name prints is read back', () => {
  const ref = web('VirtualService', 'shop');
  expect(readObjectArguments([objectPath(ref, true)], 'default').named).toEqual([ref]);
  expect(readObjectArguments([objectPath(ref, false)], 'shop').named).toEqual([ref]);
});

test('for people a name has its namespace only where it is not the default', () => {
  expect(objectName(web('VirtualService'))).toBe('virtualservice/web');
  expect(objectName(web('Gateway', 'edge'))).toBe('gateway/web (edge)');
});
