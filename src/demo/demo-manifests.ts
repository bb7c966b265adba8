import type { KubeObject, ServiceEntry } from '../core/istio/resources.ts';
import { type CanaryRelease, KIND } from '../core/release/canary-release.ts';

/** What the demo changes in its example files. */
export interface DemoChanges {
  /** Endpoint port in the files -> port where the workload really listens. */
  readonly ports: ReadonlyMap<number, number>;
  /** Takes the place of every timed hold; undefined: as in the files. */
  readonly hold?: string;
  /** Takes the place of the release's; undefined: as in the files. */
  readonly mode?: AffinityMode;
}

/** How visitors stay put: `visitor`, or the article's `canaryOnly`. */
export type AffinityMode = CanaryRelease['spec']['affinity']['mode'];

/** The article's own cookie, which pins visitors to the canary in mode canaryOnly. */
export const ARTICLE_COOKIE = { name: 'reviews-cookie', value: 'REVIRES-V2', maxAge: '6h' } as const;

function withPorts(entry: ServiceEntry, ports: DemoChanges['ports']): ServiceEntry {
  const endpoints = entry.spec.endpoints?.map((endpoint) => ({
    ...endpoint,
    ports: Object.fromEntries(Object.entries(endpoint.ports ?? {}).map(([name, port]) => [name, ports.get(port) ?? port])),
  }));
  return { ...entry, spec: { ...entry.spec, ...(endpoints === undefined ? {} : { endpoints }) } };
}

function withHold(release: CanaryRelease, hold: string): CanaryRelease {
  const steps = release.spec.steps.map((step) => (step.hold === 'manual' ? step : { ...step, hold }));
  return { ...release, spec: { ...release.spec, steps } };
}

/** In mode canaryOnly no ids are issued: what says how is left out. */
function withMode(release: CanaryRelease, mode: AffinityMode): KubeObject {
  const { issueAt } = release.spec.visitorId;
  const affinity = mode === 'canaryOnly' ? { affinity: { mode, cookie: ARTICLE_COOKIE }, visitorId: { issueAt } } : { affinity: { mode } };
  return { ...release, spec: { ...release.spec, ...affinity } };
}

/** The example's objects as this run of the demo applies them; they must have been validated. */
export function demoManifests(objects: readonly KubeObject[], { ports, hold, mode }: DemoChanges): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind === 'ServiceEntry') return withPorts(object as ServiceEntry, ports);
    if (object.kind !== KIND) return object;
    const held = hold === undefined ? (object as CanaryRelease) : withHold(object as CanaryRelease, hold);
    return mode === undefined ? held : withMode(held, mode);
  });
}
