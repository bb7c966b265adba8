import { describe, expect, test } from 'vitest';
import { compileYaml, gateway, selectAt, service, subsets, virtualService } from '../../../test/harness/routes.ts';
import { compileRouting } from './compile.ts';
import type { RouteTable } from './selection.ts';

/** Ports of a cluster's endpoints; undefined where there is no such cluster. */
function ports(table: RouteTable, host: string, port: number, subset?: string): readonly number[] | undefined {
  const full = `${host}.default.svc.cluster.local`;
  return table.clusters
    .find((each) => each.host === full && each.port === port && each.subset === subset)
    ?.endpoints.map((endpoint) => endpoint.port);
}

describe('subsets (istio-semantics 2)', () => {
  const { table } = compileYaml(
    service('web', 80, ['v1', 'v2', 'v2'], 20001),
    subsets('web', ['v1', 'v2', 'v3']).replace('subsets: [', 'subsets: [{name: all}, {name: both, labels: {version: v1, tier: x}}, '),
  );

  test('a subset has the endpoints that carry all of its labels', () => {
    expect(ports(table, 'web', 80, 'v1')).toEqual([20001]);
    expect(ports(table, 'web', 80, 'v2')).toEqual([20002, 20003]);
    expect(ports(table, 'web', 80, 'both')).toEqual([]);
  });

  test('without labels it has all of them, as no subset has', () => {
    expect(ports(table, 'web', 80, 'all')).toEqual([20001, 20002, 20003]);
    expect(ports(table, 'web', 80)).toEqual([20001, 20002, 20003]);
  });

  test('one without endpoints exists (503 UH), an undefined one does not (503 NC)', () => {
    expect(ports(table, 'web', 80, 'v3')).toEqual([]);
    expect(ports(table, 'web', 80, 'v4')).toBeUndefined();
  });

  test('rules for one host are merged, the first definition of a name counts', () => {
    const merged = compileYaml(
      service('web', 80, ['v1', 'v2'], 20001),
      subsets('web', ['v1']),
      subsets('web', ['v2']).replace('name: web,', 'name: other,').replace('subsets: [', 'subsets: [{name: v1, labels: {version: v2}}, '),
    ).table;
    expect([ports(merged, 'web', 80, 'v1'), ports(merged, 'web', 80, 'v2')]).toEqual([[20001], [20002]]);
  });

  test('the most specific host counts alone', () => {
    const { table: specific } = compileYaml(
      service('web', 80, ['v1', 'v2'], 20001),
      subsets('"*.default.svc.cluster.local"', ['v2']).replace(/name: "[^"]*"/, 'name: wide'),
      subsets('web', ['v1']),
    );
    expect([ports(specific, 'web', 80, 'v1'), ports(specific, 'web', 80, 'v2')]).toEqual([[20001], undefined]);
  });

  test('of two namespaces the mesh sees the client’s, an ingress the service’s (section 9)', () => {
    const shop = service('web', 80, ['v1', 'v2'], 20001)
      .replace('name: web}', 'name: web, namespace: shop}')
      .replaceAll('.default.', '.shop.');
    const host = 'web.shop.svc.cluster.local';
    const rule = (namespace: string, version: string) =>
      subsets(host, [])
        .replace('namespace: default', `namespace: ${namespace}`)
        .replace('subsets: []', `subsets: [{name: s, labels: {version: ${version}}}]`);
    const { table: both } = compileYaml(
      gateway(),
      shop,
      rule('default', 'v1'),
      rule('shop', 'v2'),
      virtualService(
        'vs',
        `  hosts: [shop.test, ${host}]\n  gateways: [edge, mesh]\n  http: [{route: [{destination: {host: ${host}, subset: s}}]}]`,
      ),
    );
    const endpoints = (listener: string, name: string) => {
      const selection = selectAt(both, listener, `GET http://${name}/`);
      return selection.kind === 'forward' ? selection.cluster?.endpoints.map(({ port }) => port) : selection.kind;
    };
    expect(endpoints('mesh 80', host)).toEqual([20001]);
    expect(endpoints('ingress 8080', 'shop.test')).toEqual([20002]);
  });
});

describe('endpoints of a ServiceEntry', () => {
  const entry = (spec: string) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.default.svc.cluster.local]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 81, name: admin, protocol: HTTP}]
${spec}
`;
  const workload = (name: string, spec: string, metadata = '') => `
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: ${name}${metadata}}
spec: ${spec}
`;

  test('the port of an endpoint: its own by name, else targetPort, else the service’s', () => {
    const { table } = compileYaml(
      entry('  endpoints: [{address: 10.0.0.1, ports: {http: 1}}, {address: 10.0.0.2, ports: {admin: 2}}, {address: 10.0.0.3}]'),
    );
    expect(ports(table, 'web', 80)).toEqual([1, 8080, 8080]);
    expect(ports(table, 'web', 81)).toEqual([81, 2, 81]);
    expect(table.clusters[0]?.endpoints[2]).toEqual({ address: '10.0.0.3', port: 8080 });
  });

  test('an endpoint knows its workload: a WorkloadEntry by name and labels, one of the ServiceEntry by labels', () => {
    const vm = workload('vm', '{address: 10.0.0.1, labels: {app: web, version: v2}}');
    const other = entry('  endpoints: [{address: 10.0.0.2, labels: {version: v1}}]').replaceAll(/web(?=[.}])/g, 'other');
    const { table } = compileYaml(entry('  workloadSelector: {labels: {app: web}}'), vm, other);
    const known = table.clusters.filter(({ port }) => port === 80).flatMap(({ endpoints }) => endpoints.map((each) => each.workload));
    expect(known).toEqual([{ name: 'vm', namespace: 'default', labels: { app: 'web', version: 'v2' } }, { labels: { version: 'v1' } }]);
  });

  test('a workloadSelector takes the WorkloadEntries of its namespace that carry its labels', () => {
    const { table } = compileYaml(
      entry('  workloadSelector: {labels: {app: web}}'),
      subsets('web', ['v1', 'v2']),
      workload('one', '{address: 10.0.0.1, labels: {app: web, version: v1}, ports: {http: 1}}'),
      workload('two', '{address: 10.0.0.2, labels: {app: other, version: v1}, ports: {http: 2}}'),
      // labels of the object count, too
      workload('three', '{address: 10.0.0.3, labels: {version: v2}, ports: {http: 3}}', ', labels: {app: web}'),
      workload('four', '{address: 10.0.0.4, labels: {app: web, version: v1}, ports: {http: 4}}', ', namespace: elsewhere'),
    );
    expect(ports(table, 'web', 80)).toEqual([1, 3]);
    expect(ports(table, 'web', 80, 'v1')).toEqual([1]);
    expect(ports(table, 'web', 80, 'v2')).toEqual([3]);
  });

  test('entries of one host in one namespace add up, by port', () => {
    const { table } = compileYaml(
      service('web', 80, ['v1'], 20001),
      service('web', 80, ['v2'], 20002).replace('name: web}', 'name: more}'),
    );
    expect(ports(table, 'web', 80)).toEqual([20001, 20002]);
  });

  test('of several namespaces one counts, and that is told', () => {
    const { table, diagnostics } = compileYaml(
      service('web', 80, ['v1'], 20001).replace('name: web}', 'name: web, namespace: other}'),
      service('web', 80, ['v1'], 20002),
    );
    expect(ports(table, 'web', 80)).toEqual([20002]);
    expect(diagnostics).toMatchObject([{ code: 'PERCH1134', severity: 'warning' }]);
  });
});

test('clusters are all that can be routed to: each port, with and without each subset', () => {
  const { table } = compileYaml(service('web', 80, ['v1', 'v2']), subsets('web', ['v1', 'v2']), service('db', 5000));
  const names = table.clusters.map(({ host, port, subset }) => `${host.split('.')[0]}:${port}/${subset ?? ''}`);
  expect(names.toSorted()).toEqual(['db:5000/', 'web:80/', 'web:80/v1', 'web:80/v2']);
});

test('other kinds of objects are left out: Gateway API’s Gateway is not Istio’s', () => {
  const { table } = compileRouting([
    { apiVersion: 'perch.dev/v1alpha1', kind: 'CanaryRelease', metadata: { name: 'web' }, spec: {} },
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'web' }, spec: { listeners: [] } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: {} },
  ]);
  expect(table).toMatchObject({ listeners: [], clusters: [] });
});
