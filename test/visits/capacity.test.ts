import { expect, onTestFinished, test } from 'vitest';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import { startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';

const REF = { kind: 'CanaryRelease', namespace: 'default', name: 'web' };

test('the requests that visitors really make decide how many endpoints a weight needs', async () => {
  const clock = { now: 0 };
  const [v1, v2] = [await startVersion('v1'), await startVersion('v2')];
  const { runtime, serve, ingressPort, close } = await startSeededRuntime(12, { monotonicNow: () => clock.now });
  const agent = connections();
  onTestFinished(async () => {
    agent.destroy();
    await close();
    await v1.close();
    await v2.close();
  });
  const status = async (): Promise<ReleaseStatus | undefined> => (await runtime.store.get(REF))?.status;
  const basics = webBasicsYaml({ v1: v1.port, v2: v2.port });
  const release = webReleaseYaml().replace('spec:\n', 'spec:\n  readiness: {capacity: 5}\n');
  const { objects } = parseManifests([basics, WEB_ROUTES_YAML, release].join('---\n'), 'web.yaml');
  await serve(objects.map(({ object }) => object));
  await expect
    .poll(async () => (await status())?.message)
    .toBe('waiting: how many requests there are for v2 to take is still being measured');

  const visitor = new Visitor(agent, ingressPort());
  await inParallel(Array.from({ length: 120 }), 8, () => visitor.get('/'));
  clock.now += 10_000;
  // Any pass goes by the rate of its moment; this one is brought about by a generation of its own.
  await serve(
    objects.map(({ object }) =>
      object.kind === REF.kind ? { ...object, spec: { ...(object.spec as object), cache: 'private' } } : object,
    ),
  );
  await expect.poll(async () => (await status())?.phase).toBe('Paused');

  await runtime.store.postRequest(REF, { id: 'one', action: 'promote', by: 'ann' });
  await expect
    .poll(async () => (await status())?.lastRequest?.message)
    .toBe('not widened: v2 has 1 ready endpoint; 50 % of 12 requests/s at 5 per endpoint needs 2');
});
