import { expect, test } from 'vitest';
import { perch } from '../../test/harness/perch-process.ts';
import { collectGrants, collectNamespaces } from './options.ts';

test('namespaces come with commas, or one option after the other', () => {
  expect(collectNamespaces('pay,istio-system', collectNamespaces('shop'))).toEqual(['shop', 'pay', 'istio-system']);
});

test.each(['', 'Shop', 'a,,b', 'a b', '*', '-a', 'x'.repeat(64), '../kube-system', 'a.b'])('%j names no namespaces', (text) => {
  expect(() => collectNamespaces(text)).toThrow(/is not the name of a namespace/);
});

test('grants are pairs, of names or of any', () => {
  expect(collectGrants('*:istio-system', collectGrants('shop:pay,billing:*'))).toEqual([
    { from: 'shop', to: 'pay' },
    { from: 'billing', to: '*' },
    { from: '*', to: 'istio-system' },
  ]);
});

test.each(['shop', 'shop:', ':pay', 'shop:pay:x', 'shop:Pay', 'shop->pay', '**:pay'])('%j is no grant', (text) => {
  expect(() => collectGrants(text)).toThrow(/is not/);
});

test('to read a namespace beside all of them means nothing', async () => {
  const { code, stderr } = await perch(['controller', '--read-namespace', 'istio-system']);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/--read-namespace means nothing without --watch-namespace/)]);
});
