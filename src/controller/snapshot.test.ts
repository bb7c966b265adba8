import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runtimeAdmission } from '../cluster/admission.ts';
import { openSqliteStore } from '../cluster/local/sqlite-store.ts';
import { refOf } from '../cluster/manifest.ts';
import { canaryRelease, virtualService } from '../cluster/store.cases.ts';
import type { Store } from '../cluster/store.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { runs } from '../core/property-runs.cases.ts';
import { initialStatus } from '../core/release/status-change.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';

const NAMES = ['a', 'b', 'c'];
const KINDS = ['VirtualService', 'Gateway', 'CanaryRelease'];

function open(): Store {
  const onListenerError = (error: unknown): void => {
    throw error;
  };
  return openSqliteStore({ dataDir: ':memory:', now: Date.now, admission: runtimeAdmission, onListenerError });
}

function gateway(name: string, host: string): KubeObject {
  const server = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [host] };
  return { apiVersion: 'networking.istio.io/v1', kind: 'Gateway', metadata: { name }, spec: { servers: [server] } };
}

function root(name: string, delegate: string): KubeObject {
  return { ...virtualService('v1', name), spec: { hosts: [`${name}.test`], http: [{ delegate: { name: delegate } }] } };
}

/** One thing that happens to a store. */
const act: fc.Arbitrary<(store: Store) => unknown> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES), fc.constantFrom('v1', 'v2'))
    .chain(([name, other, version]) =>
      fc.constantFrom(
        virtualService(version, name),
        root(name, other),
        gateway(name, other),
        canaryRelease([10, 100], name),
        canaryRelease([20, 100], name),
      ),
    )
    .map((object) => (store: Store) => store.apply('files', [object])),
  fc.constantFrom(...NAMES).map((name) => async (store: Store) => {
    const served = {
      ...virtualService('v2', name),
      spec: { hosts: [name], http: [{ name: `perch:default/${name}:rest:stable:v1`, route: [] }] },
    };
    const [routes, release] = [refOf(virtualService('v1', name)), refOf(canaryRelease([10, 100], name))];
    const isThere = (await store.get(routes)) !== undefined && (await store.get(release)) !== undefined;
    if (isThere) await store.commit(release, { status: initialStatus(), routes: [{ ref: routes, served }] }, store.revision());
  }),
  fc.tuple(fc.constantFrom('VirtualService', 'Gateway'), fc.constantFrom(...NAMES)).map(
    ([kind, name]) =>
      (store: Store) =>
        store.requestDeletion({ kind, namespace: 'default', name }),
  ),
);

/** Everything that a snapshot answers. */
function answersOf(snapshot: Snapshot): unknown {
  const { virtualServices, bases, gateways, releases } = snapshot;
  const refs = KINDS.flatMap((kind) => NAMES.map((name) => ({ kind, namespace: 'default', name })));
  const about = refs.map((ref) => {
    const { get, viewAt, releasesNaming, heldBy, rootsOf } = snapshot;
    return [ref, get(ref), viewAt(ref), releasesNaming(ref), heldBy(`default/${ref.name}`), rootsOf(ref)];
  });
  return { virtualServices, bases, gateways, releases, about };
}

describe('snapshots of a store, one after the other', () => {
  test('say whatever one that is made anew says', async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 25 }), async (acts) => {
        const store = open();
        for (const each of acts) {
          await each(store);
          const snapshot = await snapshotOf(store);
          // Of another store nothing is known, though its objects are the same.
          expect(answersOf(snapshot)).toEqual(answersOf(await snapshotOf({ ...store })));
          held += Number(NAMES.some((name) => snapshot.heldBy(`default/${name}`).length > 0));
        }
        await store.close();
      }),
      { seed: 31, numRuns: runs(100) },
    );
    expect(held).toBeGreaterThan(0);
  });

  test('share what did not change: what is served may change, and bases stay the same array', async () => {
    const store = open();
    await store.apply('files', [virtualService('v1', 'a'), virtualService('v1', 'b'), canaryRelease([10, 100], 'a')]);
    const before = await snapshotOf(store);
    expect(await snapshotOf(store)).toBe(before);
    const [routes, release] = [refOf(virtualService('v1', 'a')), refOf(canaryRelease([10, 100], 'a'))];
    await store.commit(
      release,
      { status: initialStatus(), routes: [{ ref: routes, served: virtualService('v2', 'a') }] },
      store.revision(),
    );
    const after = await snapshotOf(store);
    expect(after.bases).toBe(before.bases);
    expect(after.gateways).toBe(before.gateways);
    expect(after.virtualServices[1]).toBe(before.virtualServices[1]);
    expect(after.virtualServices[0]?.served.spec).toEqual(virtualService('v2', 'a').spec);
    expect(before.virtualServices[0]?.served.spec, 'a pass that goes on keeps what it saw').toEqual(virtualService('v1', 'a').spec);
    await store.close();
  });
});

test('a release holds nothing in another namespace, whatever rules and annotations there say', async () => {
  const marked = (namespace: string): KubeObject => {
    const { spec, metadata, ...object } = virtualService('v1', 'a');
    const http = (spec as { readonly http: readonly object[] }).http.map((rule) => ({ ...rule, name: 'perch:default/b:rest:stable:v1' }));
    const annotations = { 'perch.dev/owned-by': 'default/b' };
    return { ...object, metadata: { ...metadata, namespace, annotations }, spec: { ...(spec as object), http } };
  };
  const stored = ['default', 'elsewhere'].map((namespace) => {
    const object = marked(namespace);
    return { ref: refOf(object), base: object, served: object, generation: 1, revision: 1, createdAt: '' };
  });
  const store = open();
  const { heldBy } = await snapshotOf({ ...store, list: async () => stored });
  expect(heldBy('default/b').map(({ ref }) => ref.namespace)).toEqual(['default']);
  await store.close();
});
