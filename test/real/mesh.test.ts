import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { percentile } from '../../bench/percentile.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { auditedWrites } from './audit-log.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { deviation, earlyOf, underLoad, versionsExpected, versionsSeen } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';
import { startWebMesh, type WebMesh, webRelease, webRoutes } from './web-mesh.ts';

/** 20,000 in `npm run test:all`; the bounds follow from the number. */
const VISITORS = Number(process.env['PERCH_VISITORS'] ?? 2000);
/** Bound on the share of visitors, in standard deviations of the binomial distribution with the cutoff's probability. */
const SDS = 3.3;

const BASE = webRoutes();

describeWithMesh('a release in a real mesh: kube-apiserver, istiod, an Envoy at the gateway, perch controller', (parts) => {
  let mesh: WebMesh;
  let controller: PerchProcess;
  let release: ReleaseHandle;
  const agent = connections();
  const visitors: Visitor[] = [];

  beforeAll(async () => {
    mesh = await startWebMesh(parts, [BASE, webRelease([10, 25, 50, 100])], { isAudited: true });
    release = new ReleaseHandle(mesh.cluster, 'web');
    const { cluster, istiod } = mesh;
    controller = startController(cluster.controllerKubeconfig, ['--istiod', istiod.debugUrl, '--settle', '1s']);
  });
  afterAll(async () => {
    agent.destroy();
    await controller?.stop();
    await mesh?.stop();
  });

  it(`${VISITORS} visitors: the shares that were asked for, nobody wrong, nobody flips back, all of it 200`, {
    timeout: 900_000,
  }, async () => {
    for (let index = 0; index < VISITORS; index++) visitors.push(new Visitor(agent, mesh.port));
    await release.reaches('Paused 10 %');
    let before = await versionsSeen(visitors);
    expect(new Set(visitors.map((visitor) => visitor.cookies.get('perch'))).size).toBe(VISITORS);
    expect(before).toEqual(await versionsExpected(visitors, release));
    expect(deviation(before, ((await release.status())?.cutoff ?? 0) / 4096)).toBeLessThan(SDS);
    for (const weight of [25, 50, 100]) {
      await release.ask('promote');
      await release.reaches(`Paused ${weight} %`);
      const now = await versionsSeen(visitors);
      expect(now).toEqual(await versionsExpected(visitors, release));
      expect(deviation(now, ((await release.status())?.cutoff ?? 0) / 4096)).toBeLessThan(SDS);
      expect(now.filter((version, index) => version === 'v1' && before[index] === 'v2')).toEqual([]);
      before = now;
    }
  });

  const early = (): readonly Visitor[] => earlyOf(visitors).slice(0, 8);

  it('ten rollbacks and new starts under load: nothing but 200, and soon nobody sees what was before', async () => {
    await release.ask('rollback');
    await release.reaches('RolledBack 0 %');
    expect(new Set(await versionsSeen(visitors))).toEqual(new Set(['v1']));
    const lasted: number[] = [];
    /** From when the request was stored to when the new routes were. */
    const written: number[] = [];
    let count = 0;
    for (let change = 0; change < 10; change++) {
      const isStart = change % 2 === 0;
      let [askedAt, storedAt] = [0, 0];
      const answers = await underLoad(early(), async () => {
        await sleep(200);
        askedAt = performance.now();
        await release.ask(isStart ? 'retry' : 'rollback');
        storedAt = Date.now();
        await release.reaches(isStart ? 'Paused 10 %' : 'RolledBack 0 %');
      });
      const former = answers.filter(({ at, body }) => at > askedAt && body === (isStart ? 'v1' : 'v2'));
      lasted.push(Math.max(0, ...former.map(({ at }) => at - askedAt)));
      expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
      count += answers.length;
      const routes = auditedWrites(mesh.cluster.auditLog).filter(({ resource }) => resource === 'virtualservices');
      // The audit log has whole milliseconds of the same machine's clock, and the answer is on its way before it is heard.
      written.push(Math.max(0, (routes.at(-1)?.answeredAt ?? Number.NaN) - storedAt));
    }
    const told = (times: readonly number[]): string => {
      const sorted = times.toSorted((left, right) => left - right).map((ms) => ms.toFixed(0));
      return `${sorted.join(', ')} ms (p95 ${percentile(times, 0.95).toFixed(0)})`;
    };
    console.log(`${count} requests, 10 changes: the last answer of the version before was asked for ${told(lasted)} after the change`);
    console.log(`new routes were in the API ${told(written)} after the request for them was`);
    expect(Math.max(...written)).toBeLessThan(1000);
    expect(Math.max(...lasted)).toBeLessThan(2000);
  });

  it('its owner applies the VirtualService again under load: for a moment the base routes, then the release does', async () => {
    await release.ask('retry');
    await release.reaches('Paused 10 %');
    let appliedAt = 0;
    const answers = await underLoad(early(), async () => {
      await sleep(200);
      appliedAt = performance.now();
      await mesh.cluster.apply(BASE);
      await sleep(2000);
    });
    const bare = answers.filter(({ body }) => body === 'v1').map(({ at }) => at - appliedAt);
    const until = Math.max(0, ...bare).toFixed(0);
    console.log(`${bare.length} of ${answers.length} answers went by the base, asked for until ${until} ms after it was applied`);
    expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
    expect(Math.max(0, ...bare)).toBeLessThan(1500);
    expect(await versionsSeen(visitors)).toEqual(await versionsExpected(visitors, release));
  });

  it('the gateway’s Envoy rejected none of what istiod made of it', async () => {
    const stats = await mesh.envoy.admin('/stats?filter=update_rejected');
    expect(stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'))).toEqual([]);
  });
});
