import { expect } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { ReleaseStatus, RequestAction } from '../../src/core/release/status.ts';
import { type IstioCluster, pathOf } from './istio-cluster.ts';

/** A CanaryRelease as the API gives it. */
export interface ClusterRelease extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid?: string; readonly finalizers?: readonly string[] };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: ReleaseStatus;
}

let requests = 0;

/** A release, asked for things and looked at as with kubectl. */
export class ReleaseHandle {
  readonly #cluster: IstioCluster;
  readonly #name: string;
  readonly #namespace: string;

  constructor(cluster: IstioCluster, name: string, namespace = 'default') {
    this.#cluster = cluster;
    this.#name = name;
    this.#namespace = namespace;
  }

  get #path(): string {
    return `${pathOf('CanaryRelease', this.#namespace)}/${this.#name}`;
  }

  async get(): Promise<ClusterRelease | undefined> {
    return (await this.#cluster.get({ kind: 'CanaryRelease', name: this.#name, namespace: this.#namespace })) as ClusterRelease | undefined;
  }

  async status(): Promise<ReleaseStatus | undefined> {
    return (await this.get())?.status;
  }

  /** `Paused 10 %`. */
  async phase(): Promise<string> {
    const status = await this.status();
    return `${status?.phase} ${status?.weight} %`;
  }

  /** Waits until it is there. */
  async reaches(phase: string): Promise<void> {
    await expect.poll(() => this.phase(), { timeout: 60_000 }).toBe(phase);
  }

  /** As `kubectl annotate`. */
  async ask(action: RequestAction): Promise<void> {
    const request = JSON.stringify({ id: `r${++requests}`, action, by: 'ada' });
    await this.#patch({ metadata: { annotations: { 'perch.dev/request': request } } });
  }

  async delete(): Promise<void> {
    await this.#cluster.send('DELETE', this.#path);
  }

  /** Away with it, whatever holds it. */
  async forget(): Promise<void> {
    await this.#cluster.send('PATCH', this.#path, { metadata: { finalizers: null } }, MERGE);
    await this.delete();
  }

  async #patch(body: object): Promise<void> {
    const { status, body: answer } = await this.#cluster.send('PATCH', this.#path, body, MERGE);
    expect([status, answer.message]).toEqual([200, undefined]);
  }
}

const MERGE = { 'content-type': 'application/merge-patch+json' };

/** A release whose steps wait until they are told to go on: those that it has, or these. Any other object as it is. */
export function withManualSteps(object: KubeObject, weights?: readonly number[]): KubeObject {
  if (object.kind !== 'CanaryRelease') return object;
  const spec = object.spec as { readonly steps: readonly { readonly weight: number }[] };
  const steps = (weights ?? spec.steps.map(({ weight }) => weight)).map((weight) => ({ weight, hold: 'manual' }));
  return { ...object, spec: { ...spec, steps } };
}
