import { expect, test } from 'vitest';
import type { KubeObject } from '../istio/resources.ts';
import { FORMER_OWNER_ANNOTATION, formerOwnerOf, leftBehind, ownerOf } from './ownership.ts';
import { OWNER_ANNOTATION } from './route-form.ts';

const routes = (annotations?: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'shop', ...(annotations === undefined ? {} : { annotations }) },
  spec: { hosts: ['shop'] },
});

test('what a release leaves behind is nobody’s, remembers whose it was, and keeps everything else', () => {
  const owned = routes({ [OWNER_ANNOTATION]: 'default/shop', team: 'books', [FORMER_OWNER_ANNOTATION]: 'default/older' });
  const left = leftBehind(owned);
  expect([ownerOf(left), formerOwnerOf(left)]).toEqual([undefined, 'default/shop']);
  expect(left).toEqual(routes({ team: 'books', [FORMER_OWNER_ANNOTATION]: 'default/shop' }));
  expect(ownerOf(owned)).toBe('default/shop');
});

test('an object that no release owns stays as it is', () => {
  for (const object of [routes(), routes({ team: 'books' }), routes({ [FORMER_OWNER_ANNOTATION]: 'default/shop' })]) {
    expect(leftBehind(object)).toBe(object);
  }
});
