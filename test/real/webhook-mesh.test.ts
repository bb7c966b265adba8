import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/kube/kube-object.ts';
import { isWoven, readBase } from '../../src/core/weave/unweave.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMesh } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { InstalledWebhook } from './installed-webhook.ts';
import { earlyOf, underLoad, versionsExpected, versionsSeen } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';
import { startWebMesh, type WebMesh, webRelease, webRoutes } from './web-mesh.ts';

const ROUTES = '/apis/networking.istio.io/v1/namespaces/default/virtualservices/web';
const APPLIES = 20;

/** As their owner writes them, with a timeout that tells one version from the next. */
const shopRoutes = (timeout: string) => webRoutes({ timeout });

/** A controller that serves the webhook. */
interface Replica {
  readonly process: PerchProcess;
  readonly port: number;
}

describeWithMesh('routes that are applied again in a real mesh, with the webhook', (parts) => {
  let mesh: WebMesh;
  let release: ReleaseHandle;
  const agent = connections();
  const visitors: Visitor[] = [];
  let webhook: InstalledWebhook;
  const replicas: Replica[] = [];

  beforeAll(async () => {
    mesh = await startWebMesh(parts, [shopRoutes('20s'), webRelease([10, 100])]);
    release = new ReleaseHandle(mesh.cluster, 'web');
    webhook = new InstalledWebhook(mesh.cluster);
  });
  afterAll(async () => {
    for (const { process } of replicas) {
      process.signal('SIGCONT');
      await process.stop('SIGKILL');
    }
    webhook?.remove();
    agent.destroy();
    await mesh?.stop();
  });

  const start = async (): Promise<Replica> => {
    const { port, options } = await webhook.place();
    const process = startController(mesh.cluster.controllerKubeconfig, ['--settle', '1s', ...options]);
    replicas.push({ process, port });
    await process.until(/knows what the cluster holds/);
    return { process, port };
  };
  const leads = ({ process }: Replica): boolean => /leads: /.test(process.stderr);
  const routes = async (): Promise<ApiObject> => (await mesh.cluster.send('GET', ROUTES)).body as unknown as ApiObject;
  /** The apiserver asks this one from now on: as a Service whose only ready endpoint it is. */
  const askAt = async ({ port }: Replica): Promise<void> => {
    const isWovenThere = async (): Promise<boolean> => {
      const query = 'fieldManager=probe&force=true&dryRun=All';
      const type = { 'content-type': 'application/apply-patch+yaml' };
      return isWoven((await mesh.cluster.send('PATCH', `${ROUTES}?${query}`, shopRoutes('29s'), type)).body as unknown as ApiObject);
    };
    // That it asks this one is seen by what becomes of its asking nobody.
    await webhook.ask(undefined);
    await expect.poll(isWovenThere).toBe(false);
    await webhook.ask(port);
    await expect.poll(isWovenThere).toBe(true);
  };
  let version = 0;
  /** The owner applies again and again, every other time something else. */
  const applyAgain = async (): Promise<void> => {
    await sleep(200);
    for (let count = 0; count < APPLIES; count++) {
      version += count % 2;
      await mesh.cluster.apply(shopRoutes(`${20 + version}s`));
      // istiod waits for 100 ms for more.
      await sleep(250);
    }
  };
  /** Requests by the bare base; everything else is as it should be. */
  const countBare = async (what: string, act: () => Promise<void>): Promise<number> => {
    const answers = await underLoad(earlyOf(visitors).slice(0, 8), act);
    const bare = answers.filter(({ body }) => body !== 'v2').length;
    console.log(`${what}: ${bare} of ${answers.length} requests by the bare base`);
    expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(APPLIES);
    return bare;
  };
  const expectWoven = async (): Promise<void> => {
    const stored = await routes();
    expect([isWoven(stored), readBase(stored).spec]).toEqual([true, shopRoutes(`${20 + version}s`).spec]);
    await expect.poll(() => versionsSeen(visitors)).toEqual(await versionsExpected(visitors, release));
  };

  it(`applied ${APPLIES} times while the controller leads: no request goes by the bare base`, async () => {
    const leader = await start();
    await release.reaches('Paused 10 %');
    visitors.push(...Array.from({ length: 200 }, () => new Visitor(agent, mesh.port)));
    await versionsSeen(visitors);
    expect(earlyOf(visitors).length).toBeGreaterThanOrEqual(8);
    await askAt(leader);
    const { generation = 0 } = (await routes()).metadata;
    const changes = version;
    expect(await countBare('leader up', applyAgain)).toBe(0);
    await expectWoven();
    expect((await routes()).metadata.generation, 'nobody had to write but the owner').toBe(generation + version - changes);
  });

  it('applied while the leader is killed and nobody leads: a follower answers, no request goes by the bare base', async () => {
    const [leader] = replicas;
    const follower = await start();
    await askAt(follower);
    const bare = await countBare('leader killed', async () => {
      await leader?.process.stop('SIGKILL');
      await applyAgain();
    });
    expect([bare, leads(follower)]).toEqual([0, false]);
    await expectWoven();
    await follower.process.until(/leads: /, 60_000);
  });

  it('applied while the leader is stopped, and does not know it: a follower answers, no request goes by the bare base', async () => {
    const leader = replicas.at(-1) ?? expect.fail();
    const follower = await start();
    await askAt(follower);
    const bare = await countBare('leader stopped', async () => {
      leader.process.signal('SIGSTOP');
      await applyAgain();
    });
    expect([bare, leads(follower)]).toEqual([0, false]);
    await expectWoven();
    leader.process.signal('SIGCONT');
  });

  it('applied while nobody is there: it goes through, by the bare base until a controller is back', async () => {
    for (const { process } of replicas) await process.stop('SIGKILL');
    const bare = await countBare('all down', applyAgain);
    expect(bare).toBeGreaterThan(0);
    const stored = await routes();
    expect([isWoven(stored), stored.spec]).toEqual([false, shopRoutes(`${20 + version}s`).spec]);
    const back = await start();
    await back.process.until(/leads: /, 60_000);
    await expect.poll(async () => isWoven(await routes())).toBe(true);
    await expectWoven();
  });

  it('the gateway’s Envoy rejected none of what istiod made of it', async () => {
    const stats = await mesh.envoy.admin('/stats?filter=update_rejected');
    expect(stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'))).toEqual([]);
  });
});
