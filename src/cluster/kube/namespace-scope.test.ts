import { expect, test } from 'vitest';
import { isRead, leaseName } from './namespace-scope.ts';

const scope = (watched: readonly string[], read: readonly string[] = []) => ({ watched, read });

test('controllers of the same namespaces have the same Lease, and others another', () => {
  expect(leaseName(undefined)).toBe('perch-controller');
  expect(leaseName(scope(['shop', 'payments', 'shop']))).toBe('perch-controller.payments.shop');
  expect(leaseName(scope(['payments', 'shop'], ['istio-system']))).toBe('perch-controller.payments.shop');
  expect(leaseName(scope(['payments']))).not.toBe(leaseName(scope(['shop'])));
});

test('the name of a Lease is never too long', () => {
  const many = Array.from({ length: 60 }, (_, index) => `team-${index}`);
  expect(leaseName(scope(many))).toMatch(/^perch-controller\.[0-9a-f]{64}$/);
  expect(leaseName(scope(many))).toBe(leaseName(scope(many.toReversed())));
});

test('what is watched is read, too; without a scope all is', () => {
  expect(['shop', 'istio-system', 'other'].map((name) => isRead(scope(['shop'], ['istio-system']), name))).toEqual([true, true, false]);
  expect(isRead(undefined, 'other')).toBe(true);
});
