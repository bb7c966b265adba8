import { expect } from 'vitest';
import type { StoredObject } from '../../src/cluster/store.ts';
import type { ReleaseStatus } from '../../src/core/release/status.ts';
import { describeVersion } from '../../src/core/release/version.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { bucketOf } from '../../src/core/visitor/bucket.ts';
import { seededUuid } from '../harness/seeded-random.ts';

const uuid = seededUuid(20260802);
const VISITORS: readonly string[] = Array.from({ length: 24 }, () => uuid());

/** Visitors who look at every write: each is where arithmetic puts them, and nobody is taken back while a release is under way. */
export class VisitorsSeen {
  /** Who has been on the canary of which release. */
  readonly #moved = new Map<string, number>();
  /** Routes by what they are for: the same for the same. */
  readonly #routes = new Map<string, string>();

  /** The release has left: one that comes back begins to count anew. */
  forget(): void {
    this.#moved.clear();
  }

  /** Once the release has left, everyone is at one version. */
  assertTogether(objects: readonly StoredObject[]): void {
    expect(new Set(versionsOf(objects)).size).toBe(1);
  }

  /** Looks at all that is stored. */
  look(objects: readonly StoredObject[]): void {
    const release = objects.find(({ ref }) => ref.kind === 'CanaryRelease');
    const status = release?.status;
    if (status === undefined || status.liveVersion === undefined) return;
    const versions = versionsOf(objects);
    const run = status.started;
    const isSplit = status.phase === 'Progressing' || status.phase === 'Paused';
    VISITORS.forEach((id, index) => {
      const version = versions[index];
      expect(version, `${id} in ${status.phase}`).toBe(describeVersion(placeOf(status, id)));
      if (!isSplit && status.phase !== 'Completing') return;
      const isOnCanary = status.canary !== undefined && version === describeVersion(status.canary);
      if (this.#moved.get(id) === run) expect(isOnCanary, `${id} was taken back`).toBe(true);
      if (isOnCanary) this.#moved.set(id, run);
    });
    this.#checkSame(status, objects);
  }

  /** Routes are those of the status, whole, and never a mixture: of one plan and one base there is one form. */
  #checkSame(status: ReleaseStatus, objects: readonly StoredObject[]): void {
    const { phase, liveVersion, stable, canary, cutoff, offset } = status;
    const plan = phase === 'Progressing' || phase === 'Paused' ? { stable, canary, cutoff, offset } : { liveVersion };
    for (const { ref, base, served } of objects) {
      if (ref.kind !== 'VirtualService') continue;
      // An owner's edit is stored at once and woven in by the next commit: until then the base before it is what is served.
      const timeout = JSON.stringify(served.spec).match(/"timeout":"(\d+s)"/)?.[1];
      const key = JSON.stringify([ref.name, plan, timeout, JSON.stringify(base.spec).replaceAll(/"timeout":"\d+s"/g, ''), isWoven(served)]);
      const routes = JSON.stringify(served.spec);
      expect(routes).toBe(this.#routes.get(key) ?? routes);
      this.#routes.set(key, routes);
    }
  }
}

function isWoven(served: unknown): boolean {
  return JSON.stringify(served).includes('perch:default/reviews:');
}

function placeOf({ phase, liveVersion, stable, canary, cutoff = 0, offset = 0 }: ReleaseStatus, id: string) {
  const isSplit = phase === 'Progressing' || phase === 'Paused';
  const version = isSplit ? ((bucketOf(id, offset) ?? 0) < cutoff ? canary : stable) : liveVersion;
  return version ?? expect.fail('nowhere');
}

/** Which version of reviews each visitor gets. */
function versionsOf(objects: readonly StoredObject[]): readonly (string | undefined)[] {
  const { table } = compileRouting(objects.filter(({ ref }) => ref.kind !== 'CanaryRelease').map(({ served }) => served));
  return VISITORS.map((id) => {
    const head = { method: 'GET', path: '/reviews/0', authority: 'reviews:9080', scheme: 'http' as const };
    const lines = (name: string): readonly string[] => (name === 'cookie' ? [`perch=${id}`] : []);
    const selection = table.select('mesh', 9080, undefined, { ...head, lines }, 0);
    return selection.kind === 'forward' ? selection.destination.subset : selection.kind;
  });
}
