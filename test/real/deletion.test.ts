import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { wovenReleases } from '../../src/core/weave/unweave.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { INGRESS, type MeshEnvoy, startMeshEnvoy } from './mesh.ts';
import { startController } from './start-controller.ts';
import { startWebMesh, type WebMesh, webRelease, webRoutes } from './web-mesh.ts';

const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';

/** A release that is deleted lets go once no Envoy routes by it any more: two of them are there, and the second one can be made to hang. */
describeWithMesh('a release that is deleted, at real Envoys', (parts) => {
  let mesh: WebMesh;
  let second: MeshEnvoy;
  let web: ReleaseHandle;
  const controllers: PerchProcess[] = [];

  beforeAll(async () => {
    mesh = await startWebMesh(parts, [webRoutes()]);
    second = await startMeshEnvoy(parts.envoy, mesh.istiod, { ...INGRESS, address: '10.255.0.9', name: 'second' }, mesh.port);
    web = new ReleaseHandle(mesh.cluster, 'web');
  });
  afterEach(async () => {
    second.thaw();
    for (const each of controllers.splice(0)) await each.stop('SIGKILL');
    await web.forget();
    await mesh.cluster.send('DELETE', EVENTS);
    await mesh.cluster.send('DELETE', '/apis/coordination.k8s.io/v1/namespaces/perch-system/leases/perch-controller');
  });
  afterAll(async () => {
    await second?.stop();
    await mesh?.stop();
  });

  const start = (...options: readonly string[]): PerchProcess => {
    const controller = startController(mesh.cluster.controllerKubeconfig, ['--istiod', mesh.istiod.debugUrl, ...options]);
    controllers.push(controller);
    return controller;
  };
  const wovenIn = async () => wovenReleases((await mesh.cluster.get({ kind: 'VirtualService', name: 'web' })) ?? expect.fail('no routes'));
  const isThere = async () => (await web.get()) !== undefined;
  /** Brings the release to 50 % in both Envoys, stops the second one, and asks for the deletion. */
  const deleteAtHangingEnvoy = async (): Promise<void> => {
    await mesh.cluster.apply(webRoutes(), webRelease([50, 100]));
    await web.reaches('Paused 50 %');
    await expect.poll(async () => (await web.status())?.stepStartedAt).toBeDefined();
    second.freeze();
    await web.delete();
    await expect.poll(wovenIn).toEqual([]);
    await expect
      .poll(async () => (await web.status())?.message)
      .toBe('being deleted: its routes lead nobody by it any more; waiting for that to be served');
  };
  const told = async (): Promise<readonly (readonly [string, string])[]> => {
    const { body } = await mesh.cluster.send('GET', EVENTS);
    const events = body['items'] as readonly { readonly reason: string; readonly type: string; readonly note: string }[];
    return events.filter(({ reason }) => reason === 'Deleted').map(({ type, note }) => [type, note]);
  };

  it('leaves its routes at once, and goes when all have them, whoever leads by then', { timeout: 120_000 }, async () => {
    const first = start('--settle', '500ms', '--patience', '120s');
    await first.until(/leads/);
    const next = start('--settle', '500ms', '--patience', '120s');
    await next.until(/knows what the cluster holds/);
    await deleteAtHangingEnvoy();
    await first.stop('SIGKILL');
    await next.until(/leads/, 60_000);
    // Longer than routes take to be served where nobody can say.
    await sleep(3000);
    expect(await isThere()).toBe(true);
    second.thaw();
    await expect.poll(isThere, { timeout: 20_000 }).toBe(false);
    const served = 'the release was deleted; its routes lead to v1, which is served (istiod: 2 Envoys have it)';
    await expect.poll(told).toEqual([['Normal', served]]);
    expect(await wovenIn()).toEqual([]);
  });

  it('does not wait for ever for one that hangs', { timeout: 60_000 }, async () => {
    start('--settle', '500ms', '--patience', '4s');
    await deleteAtHangingEnvoy();
    const began = performance.now();
    await expect.poll(isThere, { timeout: 20_000 }).toBe(false);
    expect(performance.now() - began).toBeGreaterThan(2500);
    const hangs = expect.stringMatching(
      /^the release was deleted; its routes lead to v1, which is served \(istiod: 1 Envoy has it, 1 of 2 does not, .*second/,
    );
    await expect.poll(told).toEqual([['Warning', hangs]]);
  });

  it('without istiod it goes after the time that routes take', { timeout: 60_000 }, async () => {
    const controller = startController(mesh.cluster.controllerKubeconfig, ['--istiod', 'http://127.0.0.1:9', '--settle', '2s']);
    controllers.push(controller);
    await mesh.cluster.apply(webRoutes(), webRelease([50, 100]));
    await web.reaches('Paused 50 %');
    await web.delete();
    await expect.poll(wovenIn).toEqual([]);
    const began = performance.now();
    await expect.poll(isThere, { timeout: 20_000 }).toBe(false);
    expect(performance.now() - began).toBeGreaterThan(1000);
    await expect
      .poll(async () => (await told())[0]?.[1])
      .toContain('which is served (taken to be, 2s after it was written: istiod at http://127.0.0.1:9');
  });
});
