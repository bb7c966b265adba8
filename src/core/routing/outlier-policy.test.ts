import { describe, expect, test } from 'vitest';
import { compileYaml, service } from '../../../test/harness/routes.ts';
import { outlierPolicy } from './outlier-policy.ts';
import type { RouteTable } from './selection.ts';

const rule = (name: string, spec: string, namespace = 'default'): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}
`;
const detection = (text: string): string => `trafficPolicy: {outlierDetection: {${text}}}`;

function policyOf(table: RouteTable, subset?: string) {
  return table.clusters.find((each) => each.subset === subset)?.outlier;
}

function compiled(...specs: readonly string[]): RouteTable {
  return compileYaml(service('web', 80, ['v1', 'v2'], 20001), ...specs.map((spec, at) => rule(`web-${at}`, spec))).table;
}

describe('outlierDetection', () => {
  test('is off where nobody asks for it', () => {
    const table = compiled('{host: web, subsets: [{name: v1}]}');
    expect([policyOf(table), policyOf(table, 'v1')]).toEqual([undefined, undefined]);
    expect(outlierPolicy([])).toBeUndefined();
  });

  test('has Envoy’s defaults, but for the panic that Istio turns off', () => {
    expect(policyOf(compiled(`{host: web, ${detection('')}}`))).toEqual({
      consecutive5xxErrors: 5,
      consecutiveGatewayErrors: 0,
      intervalMs: 10_000,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectionPercent: 10,
      minHealthPercent: 0,
    });
  });

  test('is what it says', () => {
    const table = compiled(
      `{host: web, ${detection('consecutive5xxErrors: 0, consecutiveGatewayErrors: 7, interval: 1m, baseEjectionTime: 10m, maxEjectionPercent: 100, minHealthPercent: 40')}}`,
    );
    expect(policyOf(table)).toEqual({
      consecutive5xxErrors: 0,
      consecutiveGatewayErrors: 7,
      intervalMs: 60_000,
      baseEjectionMs: 600_000,
      maxEjectionMs: 600_000,
      maxEjectionPercent: 100,
      minHealthPercent: 40,
    });
  });

  test('with a maxEjectionPercent of 0 ejects up to the default: Istio cannot tell it from an absent one', () => {
    expect(policyOf(compiled(`{host: web, ${detection('maxEjectionPercent: 0')}}`))?.maxEjectionPercent).toBe(10);
  });

  test('of a host is that of its subsets; one of a subset takes its place as a whole', () => {
    const table = compiled(
      `{host: web, ${detection('interval: 1s, consecutive5xxErrors: 1')}, subsets: [{name: v1}, {name: v2, ${detection('interval: 2s')}}]}`,
    );
    expect(policyOf(table)).toMatchObject({ intervalMs: 1_000, consecutive5xxErrors: 1 });
    expect(policyOf(table, 'v1')).toEqual(policyOf(table));
    expect(policyOf(table, 'v2')).toMatchObject({ intervalMs: 2_000, consecutive5xxErrors: 5 });
  });

  test('of several rules for a host is that of the first with a traffic policy', () => {
    const table = compiled(
      '{host: web, subsets: [{name: v1}]}',
      `{host: web, ${detection('interval: 1s')}}`,
      `{host: web, ${detection('interval: 2s')}}`,
    );
    expect([policyOf(table)?.intervalMs, policyOf(table, 'v1')?.intervalMs]).toEqual([1_000, 1_000]);
  });

  test('of two namespaces is for the mesh the client’s, at an ingress the service’s', () => {
    const shop = service('web', 80, ['v1'], 20001).replace('name: web}', 'name: web, namespace: shop}').replaceAll('.default.', '.shop.');
    const host = 'web.shop.svc.cluster.local';
    const { table } = compileYaml(
      shop,
      rule('theirs', `{host: ${host}, ${detection('interval: 1s')}}`, 'shop'),
      rule('ours', `{host: ${host}, ${detection('interval: 2s')}}`),
    );
    expect(table.clusters.map(({ outlier }) => outlier?.intervalMs)).toEqual([2_000, 1_000]);
  });
});
