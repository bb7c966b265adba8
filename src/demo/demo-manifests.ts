import type { KubeObject, ServiceEntry } from '../core/istio/resources.ts';
import { type CanaryRelease, KIND } from '../core/release/canary-release.ts';

/** What the demo changes in its example files. */
export interface DemoChanges {
  /** Endpoint port in the files -> port where the workload really listens. */
  readonly ports: ReadonlyMap<number, number>;
  /** Takes the place of every timed hold; undefined: as in the files. */
  readonly hold?: string;
}

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

/** The example's objects as this run of the demo applies them; they must have been validated. */
export function demoManifests(objects: readonly KubeObject[], { ports, hold }: DemoChanges): readonly KubeObject[] {
  return objects.map((object) => {
    if (object.kind === 'ServiceEntry') return withPorts(object as ServiceEntry, ports);
    return object.kind === KIND && hold !== undefined ? withHold(object as CanaryRelease, hold) : object;
  });
}
