import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { estate, releaseNameOf } from '../../bench/many/estate.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { KIND } from '../../src/core/release/canary-release.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { type AuditedWrite, auditedWrites } from './audit-log.ts';
import type { IstioCluster } from './istio-cluster.ts';
import { stepsWithin } from './steps-within.ts';

type Release = KubeObject & { readonly status?: ReleaseStatus };

const RELEASES = '/apis/perch.dev/v1alpha1/namespaces/default/canaryreleases';
/** Whatever goes wrong: a busy machine takes its time. */
const TIMEOUT_MS = 150_000;

/** Objects of a service in an estate. */
const OBJECTS = 4;
let begun = 0;

/** Some services at one edge with a release each, on steps that take their time, and what becomes of them. */
export class ReleaseBatch {
  readonly #cluster: IstioCluster;
  readonly #count: number;
  readonly #steps: number;
  readonly #holdMs: number;
  #since = 0;
  #names: readonly string[] = [];

  constructor(
    cluster: IstioCluster,
    { count, steps, holdMs }: { readonly count: number; readonly steps: number; readonly holdMs: number },
  ) {
    this.#cluster = cluster;
    this.#count = count;
    this.#steps = steps;
    this.#holdMs = holdMs;
  }

  /** Applies all, and waits until each is on its first step. */
  async begin(): Promise<void> {
    this.#since = auditedWrites(this.#cluster.auditLog).length;
    const steps = Array.from({ length: this.#steps }, (_, index) => ({
      weight: Math.round((100 / this.#steps) * (index + 1)),
      hold: `${this.#holdMs}ms`,
    }));
    // Services that were never there: of one that was, the controller may hear of the new release before it hears of its new routes, and everyone is on v2 then.
    this.#names = Array.from({ length: this.#count }, (_, index) => releaseNameOf(begun + index));
    const [edge, ...all] = estate(begun + this.#count, 80, undefined);
    const objects = edge === undefined ? [] : [edge, ...all.slice(begun * OBJECTS)];
    begun += this.#count;
    await this.#cluster.apply(
      ...objects.map((each) => (each.kind === KIND ? ({ ...each, spec: { ...(each.spec as object), steps } } as KubeObject) : each)),
    );
    await this.#all((each) => (each?.status?.step ?? -1) >= 0);
  }

  /** Waits until all have succeeded: each step once, in order, and for as long as it is to be; everyone on the canary; no Event twice. */
  async succeeds(clockMs?: number): Promise<void> {
    await this.#all((each) => each?.status?.phase === 'Succeeded');
    for (const { status, metadata } of await this.#releases()) {
      expect([status?.started, status?.weight]).toEqual([1, 100]);
      expect(stepsWithin(this.writes(), metadata.name, this.#holdMs, clockMs)).toBe(this.#steps);
      const routes = await this.#cluster.get({ kind: 'VirtualService', name: metadata.name });
      expect(JSON.stringify(routes?.spec)).toContain('"subset":"v2"');
      expect(JSON.stringify(routes?.spec)).not.toContain('"subset":"v1"');
    }
    const told = this.writes().flatMap(({ resource, object }) => (resource === 'events' && object !== undefined ? [noteOf(object)] : []));
    expect(told.filter((note, index) => told.indexOf(note) !== index)).toEqual([]);
  }

  /** Deletes all, and waits until they are gone. */
  async end(): Promise<void> {
    await this.#cluster.send('DELETE', RELEASES);
    // For hooks too, in which nothing can be polled for.
    const deadline = performance.now() + TIMEOUT_MS;
    while ((await this.#releases()).length > 0) {
      if (performance.now() > deadline) throw new Error('the releases that were deleted are there still');
      await sleep(200);
    }
  }

  /** Of the releases. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** What controllers wrote since it began. */
  writes(): readonly AuditedWrite[] {
    return auditedWrites(this.#cluster.auditLog).slice(this.#since);
  }

  async #releases(): Promise<readonly Release[]> {
    return ((await this.#cluster.send('GET', RELEASES)).body['items'] ?? []) as readonly Release[];
  }

  async #all(isSo: (release: Release | undefined) => boolean): Promise<void> {
    const missing = async (): Promise<readonly string[]> => {
      const releases = new Map((await this.#releases().catch(() => [])).map((each) => [each.metadata.name, each]));
      return this.#names.filter((name) => !isSo(releases.get(name))).map((name) => `${name}: ${releases.get(name)?.status?.message}`);
    };
    await expect.poll(missing, { timeout: TIMEOUT_MS, interval: 200 }).toEqual([]);
  }
}

function noteOf(event: KubeObject): string {
  const { reason, note, regarding } = event as KubeObject & {
    readonly reason: string;
    readonly note: string;
    readonly regarding: { readonly uid: string };
  };
  return `${regarding.uid} ${reason} ${note}`;
}
