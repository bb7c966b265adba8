import { expect, test } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import { specOf } from '../../core/release/release-world.cases.ts';
import { clusterAdmission } from './cluster-admission.ts';

const release = (namespace: string, host: string): KubeObject => ({
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'reviews', namespace },
  ...{ spec: { ...specOf(), canary: { host } } },
});
const codes = (grants: readonly string[], namespace: string, host: string) =>
  clusterAdmission(grants.map((text) => ({ from: text.split(':')[0] ?? '', to: text.split(':')[1] ?? '' })))
    .admit([release(namespace, host)], [])
    .map(({ code }) => code);

test('a release of another namespace’s service is refused unless that is granted, exactly so', () => {
  const foreign = 'v2.pay.svc.cluster.local';
  expect(codes([], 'shop', foreign)).toEqual(['PERCH3060']);
  expect(codes(['pay:shop', 'other:pay', 'shop:other'], 'shop', foreign)).toEqual(['PERCH3060']);
  for (const grant of ['shop:pay', '*:pay', 'shop:*', '*:*']) expect(codes([grant], 'shop', foreign)).toEqual([]);
  expect(codes([], 'pay', foreign)).toEqual([]);
});

test('it says where, what and how to allow it', () => {
  const [found] = clusterAdmission([]).admit([release('shop', 'v2.pay.svc.cluster.local')], []);
  expect([found?.message, found?.hint, found?.object]).toEqual([
    'spec.canary.host names Service pay/v2, in another namespace than the release',
    'name one of shop, or start perch controller with --allow-references shop:pay',
    'CanaryRelease shop/reviews',
  ]);
});
