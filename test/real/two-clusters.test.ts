import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offsetOf } from '../../src/core/visitor/cohort.ts';
import { Closers } from '../harness/closers.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { deviation, versionsExpected, versionsSeen } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';
import { startWebMesh, type WebMesh, webRelease, webRoutes } from './web-mesh.ts';

const VISITORS = 500;
/** Bound on the share of visitors, in standard deviations of the binomial distribution. */
const SDS = 3.3;
const WEIGHTS = [10, 20, 50] as const;

interface Cluster {
  readonly mesh: WebMesh;
  readonly release: ReleaseHandle;
}

/** Two clusters that know nothing of each other: an apiserver, an istiod, an Envoy and a controller each, and visitors who come to both. */
describeWithMesh('two clusters with the same release', (parts) => {
  const closers = new Closers();
  const agent = connections();
  const visitors: Visitor[] = [];
  let west: Cluster;
  let east: Cluster;

  const start = async (): Promise<Cluster> => {
    const mesh = closers.keep(await startWebMesh(parts, [webRoutes()]));
    const { cluster, istiod } = mesh;
    closers.keep(startController(cluster.controllerKubeconfig, ['--istiod', istiod.debugUrl, '--settle', '1s']));
    return { mesh, release: new ReleaseHandle(cluster, 'web') };
  };

  beforeAll(async () => {
    west = await start();
    east = await start();
    // Half of the ids are of the one cluster, half of the other.
    for (let index = 0; index < VISITORS; index++) visitors.push(new Visitor(agent, (index % 2 === 0 ? west : east).mesh.port));
  }, 240_000);
  afterAll(async () => {
    agent.destroy();
    await closers.close();
  });

  const ids = () => visitors.map(({ cookies }) => cookies.get('perch') ?? '');
  const comeTo = ({ mesh }: Cluster): void => {
    for (const visitor of visitors) visitor.port = mesh.port;
  };
  const apply = ({ mesh }: Cluster, changes: Readonly<Record<string, unknown>>) =>
    mesh.cluster.apply(webRoutes(), webRelease([...WEIGHTS, 100], { cohort: 'auto', ...changes }));
  const started = async ({ release }: Cluster): Promise<number> => (await release.status())?.started ?? 0;
  /** What each visitor gets in both clusters, which is the same; of each step that the release then goes through. */
  const seenInBoth = async (weights: readonly number[]): Promise<void> => {
    let before: readonly string[] = [];
    for (const [index, weight] of weights.entries()) {
      for (const { release } of [west, east]) {
        if (index > 0) await release.ask('promote');
        await release.reaches(`Paused ${weight} %`);
        await expect.poll(async () => (await release.status())?.stepStartedAt).toBeDefined();
      }
      const known = ids();
      comeTo(west);
      const seen = await versionsSeen(visitors);
      comeTo(east);
      expect(await versionsSeen(visitors)).toEqual(seen);
      expect(seen).toEqual(await versionsExpected(visitors, west.release));
      expect(ids()).toEqual(known);
      expect(deviation(seen, weight / 100)).toBeLessThan(SDS);
      expect(seen.filter((version, at) => version === 'v1' && before[at] === 'v2')).toEqual([]);
      before = seen;
    }
  };

  describe('visitors get the same version in both', () => {
    it('where the revision is a whole number, whatever happened before in one of them', { timeout: 240_000 }, async () => {
      // The east had a release of the same pair, which was rolled back, tried again, and rolled back.
      await apply(east, { revision: 6 });
      await east.release.reaches('Paused 10 %');
      await east.release.ask('rollback');
      await east.release.reaches('RolledBack 0 %');
      await east.release.ask('retry');
      await east.release.reaches('Paused 10 %');
      await east.release.ask('rollback');
      await east.release.reaches('RolledBack 0 %');
      await apply(east, { revision: 7 });
      await east.release.reaches('Paused 10 %');
      // The west never had any, and gets the same file later.
      await apply(west, { revision: 7 });
      await west.release.reaches('Paused 10 %');
      for (const visitor of visitors) expect((await visitor.visit('/')).status).toBe(200);
      expect(new Set(ids()).size).toBe(VISITORS);
      const counts = [await started(west), await started(east)] as const;
      // By what came before they would not agree.
      const drawn = counts.map((count) =>
        offsetOf({ namespace: 'default', name: 'web', cohort: 'auto', revision: undefined, started: count - 1 }),
      );
      expect([counts, drawn[0] === drawn[1]]).toEqual([[1, 3], false]);
      await seenInBoth(WEIGHTS);
    });

    it('where the cohort is set, whatever the revisions are called', { timeout: 240_000 }, async () => {
      await west.release.ask('rollback');
      await west.release.reaches('RolledBack 0 %');
      await apply(west, { revision: 'blue', cohort: 2 });
      // The east is in the middle of a release, which the next one takes the place of.
      await apply(east, { revision: 'green', cohort: 2 });
      await east.release.reaches('Paused 10 %');
      await seenInBoth([10, 20]);
    });

    it('not so where neither is said: then it is the count of releases that decides', { timeout: 120_000 }, async () => {
      for (const { release } of [west, east]) {
        await release.ask('rollback');
        await release.reaches('RolledBack 0 %');
      }
      for (const cluster of [west, east]) {
        await apply(cluster, { revision: 'next' });
        await cluster.release.reaches('Paused 10 %');
        await expect.poll(async () => (await cluster.release.status())?.stepStartedAt).toBeDefined();
      }
      comeTo(west);
      const seen = await versionsSeen(visitors);
      comeTo(east);
      expect(await versionsSeen(visitors)).not.toEqual(seen);
    });
  });
});
