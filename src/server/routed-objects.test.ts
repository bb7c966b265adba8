import { expect, test } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import { canaryRelease } from '../cluster/store.cases.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { routedObjects } from './routed-objects.ts';

function routes(name: string, status: number): KubeObject {
  const spec = { hosts: [`${name}.test`], http: [{ directResponse: { status } }] };
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name }, spec };
}

function release(delegate: string): KubeObject {
  const adopting = canaryRelease([100], 'web');
  const route = { delegate: { name: delegate, http: [{ route: [{ destination: { host: 'web', port: { number: 9080 } } }] }] } };
  return { ...adopting, spec: { ...(adopting.spec as object), route } };
}

test('whatever was read before, a state of the store is read as it is', async () => {
  let now = Date.parse('2026-11-01T00:00:00Z');
  const onListenerError = (error: unknown): never => {
    throw error;
  };
  const store = openSqliteStore({ dataDir: ':memory:', now: () => now++, admission: runtimeAdmission, onListenerError });
  const apply = async (...objects: readonly KubeObject[]): Promise<void> => {
    const result = await store.apply('api', objects);
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  };
  const kept = routedObjects();
  const seen: string[] = [];
  const changes: readonly (() => Promise<unknown>)[] = [
    () => apply(routes('b', 200), routes('a', 200)),
    () => apply(routes('b', 201)),
    () => apply(release('web-routes')),
    () => apply(routes('a', 202), routes('b', 203)),
    () => apply(release('others')),
    () => store.requestDeletion({ kind: 'CanaryRelease', namespace: 'default', name: 'web' }),
    () => store.requestDeletion({ kind: 'VirtualService', namespace: 'default', name: 'b' }),
    () => apply(routes('b', 204)),
  ];
  for (const change of changes) {
    await change();
    const stored = await store.list();
    const { objects, delegates } = kept(stored);
    const fresh = routedObjects()(stored);
    expect(objects).toEqual(fresh.objects);
    expect(delegates).toEqual(fresh.delegates);
    const texts = objects.map(({ metadata, spec }) => `${metadata.name} ${/\d{3}/.exec(JSON.stringify(spec))?.[0]}`);
    seen.push([...texts, ...delegates].join(', '));
  }
  expect(seen).toEqual([
    'a 200, b 200',
    'a 200, b 201',
    'a 200, b 201, default/web-routes',
    'a 202, b 203, default/web-routes',
    'a 202, b 203, default/others',
    'a 202, b 203',
    'a 202',
    'a 202, b 204',
  ]);
  await store.close();
});
