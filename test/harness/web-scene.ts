import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { parseManifests } from '../../src/core/source/manifests.ts';
import type { ReleaseView } from '../../src/server/release-resource.ts';
import { startSeededRuntime } from './seeded-runtime.ts';
import { startVersion } from './version-server.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from './web-manifests.ts';

/** What the gateway logged of a request, as far as it is read. */
export interface WebRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly user_agent: string | null;
  readonly route_name: string | null;
}

/** A service at the edge with a release that waits at its first step (half of its visitors, unless said otherwise), in this process. */
export interface WebScene {
  readonly ingressPort: number;
  /** Address of the runtime's API. */
  readonly api: string;
  /** What came in so far. */
  readonly log: readonly WebRequest[];
  /** What the runtime warned of. */
  readonly warnings: readonly string[];
  release(): Promise<ReleaseView>;
  status(): Promise<ReleaseStatus>;
  /** Rolls the release back, and waits until that is served. */
  rollBack(): Promise<void>;
  /** Promotes it, and waits until the next step is served. */
  promote(): Promise<void>;
  /** Applies the release with other fields of its spec, and waits until what comes of it is served. */
  change(spec: object): Promise<void>;
  close(): Promise<void>;
}

/** How the service answers: `version` is v1 or v2. */
export type WebAnswer = (version: string, request: IncomingMessage, response: ServerResponse) => void;

const AT_HALF = [
  { weight: 50, hold: 'manual' },
  { weight: 100, hold: 'manual' },
];

/** `spec`: further fields of the release; its ids come from `seed`. */
export async function startWebScene(
  seed: number,
  spec: object = {},
  answer: WebAnswer = (version, _, response) => response.end(version),
): Promise<WebScene> {
  const versions = await Promise.all(
    ['v1', 'v2'].map((version) => startVersion(version, (request, response) => answer(version, request, response))),
  );
  const log: WebRequest[] = [];
  const warnings: string[] = [];
  const seeded = await startSeededRuntime(seed, {
    accessLog: { write: (line) => void log.push(JSON.parse(line) as WebRequest), dropped: () => 0 },
    log: { info: () => {}, audit: () => {}, warn: (line) => warnings.push(line), error: () => {} },
  });
  const { store } = seeded.runtime;
  const ref = { kind: 'CanaryRelease', namespace: 'default', name: 'web' };
  const waitFor = async (until: (status: ReleaseStatus | undefined) => boolean): Promise<void> => {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const status = (await store.get(ref))?.status;
      if (until(status)) return;
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const close = async (): Promise<void> => {
    await seeded.close();
    await Promise.all(versions.map((version) => version.close()));
  };
  try {
    const [v1 = 0, v2 = 0] = versions.map(({ port }) => port);
    const { objects } = parseManifests([webBasicsYaml({ v1, v2 }), WEB_ROUTES_YAML, webReleaseYaml()].join('---\n'), 'web.yaml');
    await seeded.serve(objects.map(({ object }) => withSpec(object, { steps: AT_HALF, ...spec })));
    await waitFor((status) => status?.phase === 'Paused' && status.step === 0);
  } catch (error) {
    await close();
    throw error;
  }
  const api = `http://127.0.0.1:${seeded.runtime.apiPort}`;
  const statusNow = async (): Promise<ReleaseStatus> => {
    const { status } = await release();
    if (status === undefined) throw new Error('the release has no status yet');
    return status;
  };
  const release = async (): Promise<ReleaseView> => (await (await fetch(`${api}/api/v1/releases/default/web`)).json()) as ReleaseView;
  return {
    ingressPort: seeded.ingressPort(),
    api,
    log,
    warnings,
    release,
    status: statusNow,
    rollBack: async () => {
      await store.postRequest(ref, { id: 'scene', action: 'rollback', by: 'test' });
      await waitFor((status) => status?.phase === 'RolledBack');
    },
    promote: async () => {
      const { step } = await statusNow();
      await store.postRequest(ref, { id: `promote ${step}`, action: 'promote', by: 'test' });
      await waitFor((status) => status?.step === step + 1 && status.stepStartedAt !== undefined);
    },
    change: async (changes) => {
      const base = (await store.get(ref))?.base;
      if (base === undefined) throw new Error('there is no release');
      await seeded.serve([withSpec(base, changes)]);
      await seeded.runtime.served(store.revision());
    },
    close,
  };
}

function withSpec(object: KubeObject, spec: object): KubeObject {
  return object.kind === 'CanaryRelease' ? { ...object, spec: { ...(object.spec as object), ...spec } } : object;
}
