import { afterEach, expect, test } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostics/diagnostic.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import type { ReleaseView } from '../../src/server/release-resource.ts';
import { perch } from '../harness/perch-process.ts';
import { seededUuid } from '../harness/seeded-random.ts';
import { type SeededRuntime, startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';

/** The embedded edge always makes its own request ids: here it makes them as a proxy does that sets 32 hex digits. */
const hex = seededUuid(7);
const VISITORS = 40;

let versions: readonly VersionServer[] = [];
let seeded: SeededRuntime | undefined;

afterEach(async () => {
  await seeded?.close();
  await Promise.all(versions.map((version) => version.close()));
});

async function startWeb(uuid: () => string): Promise<{ readonly warnings: readonly string[]; readonly at: SeededRuntime }> {
  versions = await Promise.all(['v1', 'v2'].map((version) => startVersion(version)));
  const [v1 = 0, v2 = 0] = versions.map(({ port }) => port);
  const warnings: string[] = [];
  seeded = await startSeededRuntime(7, {
    uuid,
    log: { info: () => {}, audit: () => {}, warn: (line) => warnings.push(line), error: () => {} },
  });
  const { objects } = parseManifests([webBasicsYaml({ v1, v2 }), WEB_ROUTES_YAML, webReleaseYaml()].join('---\n'), 'web.yaml');
  await seeded.serve(objects.map(({ object }) => object));
  const { store } = seeded.runtime;
  await expect
    .poll(async () => (await store.get({ kind: 'CanaryRelease', namespace: 'default', name: 'web' }))?.status?.phase)
    .toBe('Paused');
  return { warnings, at: seeded };
}

test('request ids of 32 hex digits leave everyone on stable, and it is said: in the log once, in status, findings and figures', async () => {
  const { warnings, at } = await startWeb(() => hex().replaceAll('-', ''));
  const agent = connections();
  for (let index = 0; index < VISITORS; index++) {
    const visit = await new Visitor(agent, at.ingressPort()).visit('/');
    expect(visit).toMatchObject({ status: 200, body: 'v1' });
    expect(visit.headers).not.toHaveProperty('set-cookie');
  }
  agent.destroy();
  expect(warnings).toEqual([
    expect.stringMatching(
      /^CanaryRelease default\/web: 10 of 10 first visits in this step got no valid visitor id: .* such as [0-9a-f]{32} .*\(PERCH3080\)$/,
    ),
  ]);

  const server = `http://127.0.0.1:${at.runtime.apiPort}`;
  const release = `${server}/api/v1/releases/default/web`;
  const view = (await (await fetch(release)).json()) as ReleaseView;
  expect(view.exposure).toMatchObject({
    visitors: { total: 0 },
    edge: { requests: VISITORS, issued: 0, oddRequestIds: VISITORS, crossSite: 0 },
  });
  const { items } = (await (await fetch(`${release}/findings`)).json()) as { readonly items: readonly Diagnostic[] };
  expect(items).toMatchObject([{ code: 'PERCH3080', message: expect.stringContaining(`${VISITORS} of ${VISITORS} first visits`) }]);
  const { code, stdout } = await perch(['status', 'web'], { PERCH_SERVER: server });
  expect(code).toBe(0);
  expect(stdout).toContain(`${VISITORS} first visits got no valid id: their request ids are no UUIDs (PERCH3080)`);
  expect((await perch(['describe', 'release', 'web'], { PERCH_SERVER: server })).stdout).toContain('let the edge make x-request-id itself');
});

test('with UUIDs nothing is said', async () => {
  const { warnings, at } = await startWeb(hex);
  const agent = connections();
  for (let index = 0; index < VISITORS; index++) {
    expect((await new Visitor(agent, at.ingressPort()).visit('/')).headers['set-cookie']).toHaveLength(1);
  }
  agent.destroy();
  expect(warnings).toEqual([]);
});
