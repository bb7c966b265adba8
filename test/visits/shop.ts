import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ObjectRef } from '../../src/cluster/store.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import { BOOKINFO_PORTS, FREE_PORTS, startBookinfo, type Workload } from '../../src/demo/bookinfo/start-bookinfo.ts';
import { type AffinityMode, demoManifests } from '../../src/demo/demo-manifests.ts';
import { readManifestFiles } from '../../src/server/manifest-files.ts';
import type { Runtime } from '../../src/server/runtime.ts';
import { startSeededRuntime } from '../harness/seeded-runtime.ts';
import { startVersion } from '../harness/version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';

/** A running service with a release of four manual steps, 10, 25, 50 and 100 %. */
export interface Shop {
  readonly ingressPort: number;
  status(): Promise<ReleaseStatus>;
  /** Asks for an action and waits until the release is confirmed in what follows from it. */
  ask(action: RequestAction, until: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus>;
  close(): Promise<void>;
}

const MANUAL_STEPS = [10, 25, 50, 100].map((weight) => ({ weight, hold: 'manual' }));
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
/** What examples/delegate and examples/managed share with Bookinfo, as their READMEs say. */
const BESIDE_RELEASE = ['gateway', 'bookinfo', 'destination-rules', 'endpoints'].map((name) => `bookinfo/${name}.yaml`);

/** What the entry service passes on, and by what the release reaches the hops behind it; default: as in examples/bookinfo. */
export interface EntryService {
  readonly forward?: readonly string[];
  readonly propagate?: readonly ('baggage' | 'cookie' | 'requestId')[];
  readonly mode?: AffinityMode;
  /** Whose release and routes; default: those of examples/bookinfo. */
  readonly example?: 'delegate' | 'managed';
}

/** Bookinfo as the example has it: reviews released behind productpage. */
export async function startBookinfoShop(seed: number, { forward, propagate, mode, example }: EntryService = {}): Promise<Shop> {
  return await startShop(seed, 'reviews', async (runtime) => {
    const proxyPort = runtime.addresses().find(({ kind }) => kind === 'proxy')?.actualPort ?? 0;
    const bookinfo = await startBookinfo({
      ports: FREE_PORTS,
      proxy: { host: '127.0.0.1', port: proxyPort },
      perchApi: undefined,
      ...(forward === undefined ? {} : { forward }),
    });
    const ports = new Map((Object.keys(BOOKINFO_PORTS) as Workload[]).map((name) => [BOOKINFO_PORTS[name], bookinfo.ports[name]]));
    const { objects } = await readManifestFiles(
      (example === undefined ? ['bookinfo'] : [example, ...BESIDE_RELEASE]).map((path) => join(EXAMPLES, path)),
    );
    const moved = demoManifests(
      objects.map(({ object }) => object),
      { ports, ...(mode === undefined ? {} : { mode }) },
    );
    return {
      objects: propagate === undefined ? moved : moved.map((object) => withPropagate(object, propagate)),
      close: () => bookinfo.close(),
    };
  });
}

/** One service at the edge, without anything behind it: the routed VirtualService issues the ids itself. */
export async function startEdgeShop(seed: number, mode: AffinityMode = 'visitor'): Promise<Shop> {
  return await startShop(seed, 'web', async () => {
    const versions = await Promise.all(['v1', 'v2'].map((version) => startVersion(version)));
    const [v1 = 0, v2 = 0] = versions.map(({ port }) => port);
    const text = [webBasicsYaml({ v1, v2 }), WEB_ROUTES_YAML, webReleaseYaml()].join('---\n');
    const { objects } = parseManifests(text, 'web.yaml');
    const close = async (): Promise<void> => {
      await Promise.all(versions.map((version) => version.close()));
    };
    return { objects: objects.map(({ object }) => withMode(object, mode)), close };
  });
}

interface Application {
  readonly objects: readonly KubeObject[];
  close(): Promise<void>;
}

async function startShop(seed: number, name: string, start: (runtime: Runtime) => Promise<Application>): Promise<Shop> {
  const seeded = await startSeededRuntime(seed);
  const { runtime } = seeded;
  const application = await start(runtime);
  await seeded.serve(application.objects.map(withManualSteps));

  const release: ObjectRef = { kind: 'CanaryRelease', namespace: 'default', name };
  let asked = 0;
  const status = async (): Promise<ReleaseStatus> => {
    const found = (await runtime.store.get(release))?.status;
    if (found === undefined) throw new Error('the release has no status yet');
    return found;
  };
  const waitFor = async (until: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus> => {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const found = (await runtime.store.get(release))?.status;
      if (found !== undefined && until(found)) return found;
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(found)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await waitFor(({ phase, weight }) => phase === 'Paused' && weight === 10);

  return {
    ingressPort: seeded.ingressPort(),
    status,
    ask: async (action, until) => {
      asked++;
      await runtime.store.postRequest(release, { id: `visits-${asked}`, action, by: 'test' });
      return await waitFor(until);
    },
    close: async () => {
      await seeded.close();
      await application.close();
    },
  };
}

function withManualSteps(object: KubeObject): KubeObject {
  return object.kind === 'CanaryRelease' ? { ...object, spec: { ...(object.spec as object), steps: MANUAL_STEPS } } : object;
}

function withMode(object: KubeObject, mode: AffinityMode): KubeObject {
  return object.kind === 'CanaryRelease' ? { ...object, spec: { ...(object.spec as object), affinity: { mode } } } : object;
}

function withPropagate(object: KubeObject, propagate: readonly string[]): KubeObject {
  if (object.kind !== 'CanaryRelease') return object;
  const spec = object.spec as { readonly visitorId: object };
  return { ...object, spec: { ...spec, visitorId: { ...spec.visitorId, propagate } } };
}
