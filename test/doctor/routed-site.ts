import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifests } from '../../src/core/source/manifests.ts';
import { startRuntime } from '../../src/server/runtime.ts';
import { seededRandom, seededUuid } from '../harness/seeded-random.ts';
import { startVersion } from '../harness/version-server.ts';
import { webBasicsYaml } from '../harness/web-manifests.ts';

/** A site behind the embedded gateway, routed by hand. */
export interface RoutedSite {
  readonly url: URL;
  close(): Promise<void>;
}

const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

/** `http`: the rules of its VirtualService, as YAML in flow style; v1 and v2 answer with their names, or as `answer` does. */
export async function startRoutedSite(
  seed: number,
  http: string,
  answer?: (version: string, request: IncomingMessage, response: ServerResponse) => void,
): Promise<RoutedSite> {
  const versions = await Promise.all(
    ['v1', 'v2'].map((version) =>
      startVersion(version, answer === undefined ? undefined : (request, response) => answer(version, request, response)),
    ),
  );
  const [v1 = 0, v2 = 0] = versions.map(({ port }) => port);
  const routes = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [edge]
  http: ${http}
`;
  const dataDir = mkdtempSync(join(tmpdir(), 'perch-doctor-'));
  const map = new Map([
    [8080, 0],
    [9080, 0],
  ]);
  const runtime = await startRuntime({
    dataDir,
    apiPort: 0,
    map,
    proxyPort: 0,
    log: SILENT,
    uuid: seededUuid(seed),
    random: seededRandom(seed),
  });
  const { objects } = parseManifests([webBasicsYaml({ v1, v2 }), routes].join('---'), 'web.yaml');
  const applied = await runtime.store.apply(
    'files',
    objects.map(({ object }) => object),
  );
  if (!applied.ok) throw new Error(applied.diagnostics.map(({ message }) => message).join('\n'));
  await runtime.served(applied.revision);
  const port = runtime.addresses().find(({ kind }) => kind === 'ingress')?.actualPort ?? 0;
  return {
    url: new URL(`http://127.0.0.1:${port}/`),
    close: async () => {
      await runtime.close(0);
      await Promise.all(versions.map((version) => version.close()));
      rmSync(dataDir, { recursive: true });
    },
  };
}
