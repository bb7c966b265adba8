import { expect, it } from 'vitest';
import { serviceEntryOf } from '../../core/istio/service-entry-of.ts';
import { runtimeAdmission } from '../admission.ts';
import { Listeners } from '../listeners.ts';
import { openSqliteStore } from '../local/sqlite-store.ts';
import { clusterReadiness } from './cluster-readiness.ts';

const fail = (error: unknown): void => expect.unreachable(String(error));
const HOST = 'web.default.svc.cluster.local';

/** Service `web` with so many ready endpoints. */
class OneService {
  readonly changed = new Listeners<[string]>(fail);
  #ready = 1;

  of() {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } };
    const endpoints = Array.from({ length: this.#ready }, (_, index) => ({ addresses: [`10.0.0.${index + 1}`] }));
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1' },
      ports: [{ port: 80 }],
      endpoints,
    };
    const entry = serviceEntryOf(service, [slice], () => undefined, true);
    return { all: entry, ready: entry };
  }

  isRead() {
    return true;
  }

  selectorOf() {
    return { app: 'web' };
  }

  set(ready: number): void {
    this.#ready = ready;
    this.changed.notify('default/web');
  }
}

it('a version is watched for 25 minutes after it was asked for, and then no longer', async () => {
  const store = openSqliteStore({ dataDir: ':memory:', now: Date.now, admission: runtimeAdmission, onListenerError: fail });
  const services = new OneService();
  const deployments = { changed: new Listeners<[string]>(fail), making: () => [] };
  let now = 0;
  const readiness = clusterReadiness({ store, services, deployments, now: () => now }, fail);
  const told: number[] = [];
  readiness.onChange((all) => told.push(all.length));
  const ask = () => readiness.check(HOST, 80, { host: HOST, port: 80 });
  try {
    ask();
    // What the store says of endpoints is read first.
    await expect.poll(() => ask().ready).toBe(true);
    told.length = 0;
    now = 24 * 60_000;
    services.set(2);
    expect(told).toEqual([1]);
    ask();
    now = 48 * 60_000;
    services.set(3);
    expect(told).toEqual([1, 1]);
    now = 74 * 60_000;
    services.set(0);
    expect(told).toEqual([1, 1]);
    expect(ask().endpoints).toEqual({ ready: 0, total: 0 });
    services.set(1);
    expect(told).toEqual([1, 1, 1]);
  } finally {
    await readiness.close();
    await store.close();
  }
});
