import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseManifests } from '../../src/core/source/manifests.ts';
import { startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion } from '../harness/version-server.ts';
import { webBasicsYaml } from '../harness/web-manifests.ts';

/** A site behind the embedded gateway, routed by hand. */
export interface RoutedSite {
  readonly url: URL;
  close(): Promise<void>;
}

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
  const seeded = await startSeededRuntime(seed);
  const { objects } = parseManifests([webBasicsYaml({ v1, v2 }), routes].join('---'), 'web.yaml');
  await seeded.serve(objects.map(({ object }) => object));
  return {
    url: new URL(`http://127.0.0.1:${seeded.ingressPort()}/`),
    close: async () => {
      await seeded.close();
      await Promise.all(versions.map((version) => version.close()));
    },
  };
}
