import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownedSpecFields } from '../../src/cluster/kube/managed-fields.ts';
import { isWoven, unweave } from '../../src/core/weave/unweave.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { connections, Visitor } from '../harness/visitor.ts';
import { describeWithMeshAndKubectl } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { GitOpsTools } from './gitops-tools.ts';
import type { IstioCluster } from './istio-cluster.ts';
import { earlyOf, underLoad, versionsExpected, versionsSeen } from './mesh-visitors.ts';
import { startController } from './start-controller.ts';
import { istio, startWebMesh, type WebMesh, webRelease, webRoutes } from './web-mesh.ts';

/** As git has it. */
const BASE = webRoutes();
/** The same after a commit. */
const CHANGED = webRoutes({ timeout: '7s' });
const ROOT = istio('VirtualService', 'web', { ...BASE.spec, http: [{ delegate: { name: 'web-perch' } }] });

const releaseOf = (revision: number, route: object) => webRelease([10, 100], { route, revision });

describeWithMeshAndKubectl('hands and GitOps tools that write while a release runs under load', (parts) => {
  let mesh: WebMesh;
  let cluster: IstioCluster;
  let controller: PerchProcess;
  let tools: GitOpsTools;
  let release: ReleaseHandle;
  const agent = connections();
  const visitors: Visitor[] = [];
  const summary: string[] = [];

  beforeAll(async () => {
    mesh = await startWebMesh(parts, [BASE, releaseOf(1, { adopt: { virtualService: 'web' } })]);
    cluster = mesh.cluster;
    tools = new GitOpsTools(parts.kubectl, cluster.kubeconfig);
    release = new ReleaseHandle(cluster, 'web');
    controller = startController(cluster.controllerKubeconfig, ['--settle', '1s']);
    visitors.push(...Array.from({ length: 120 }, () => new Visitor(agent, mesh.port)));
  });
  afterAll(async () => {
    console.log(['requests that went by the bare rules, of all; the longest time without the release', ...summary].join('\n'));
    agent.destroy();
    await controller?.stop();
    await mesh?.stop();
  });

  const live = () => tools.live(BASE);
  const wovenAgain = () => expect.poll(async () => isWoven(await live())).toBe(true);

  /** Those who are on the canary at 10 % ask while something is done: whoever sees v1 was routed without the release. */
  const askWhile = async (name: string, act: () => Promise<void>): Promise<number> => {
    const answers = await underLoad(earlyOf(visitors), async () => {
      await sleep(200);
      await act();
      // What was written last is served by then.
      await sleep(1500);
    });
    const bare = answers.filter(({ body }) => body === 'v1').map(({ at }) => at);
    const longest = Math.max(
      0,
      ...spans(
        bare.toSorted((left, right) => left - right),
        300,
      ),
    );
    summary.push(`${name}: ${bare.length} of ${answers.length}; ${longest.toFixed(0)} ms`);
    expect(answers.filter(({ code }) => code !== 200)).toEqual([]);
    expect(longest).toBeLessThan(1500);
    // Whatever happened, everyone is where the release has them.
    expect(await versionsSeen(visitors)).toEqual(await versionsExpected(visitors, release));
    expect(await release.phase()).toBe('Paused 10 %');
    return bare.length;
  };
  /** Notes of the Events of a reason. */
  const events = async (reason: string): Promise<readonly string[]> => {
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    return (body['items'] as readonly { readonly reason: string; readonly note: string }[])
      .filter((each) => each.reason === reason)
      .map(({ note }) => note);
  };

  it('has visitors on both sides', async () => {
    await release.reaches('Paused 10 %');
    await expect.poll(async () => (await visitors[0]?.visit('/'))?.headers['set-cookie'] ?? []).not.toEqual([]);
    await versionsSeen(visitors);
    expect(earlyOf(visitors).length).toBeGreaterThan(2);
    expect(earlyOf(visitors).length).toBeLessThan(40);
  });

  describe('an adopted VirtualService is taken as a new base, and the release is in it again at once', () => {
    it.each([
      ['kubectl apply, client-side', () => tools.apply(BASE)],
      ['kubectl apply, client-side, of a changed base', () => tools.apply(CHANGED)],
      ['kubectl apply --server-side --force-conflicts', () => tools.applyServerSide(BASE, 'kubectl')],
      [
        'a hand edit',
        async () =>
          void (await tools.kubectl(['patch', 'virtualservice', 'web', '--type=merge', '-p', JSON.stringify({ spec: CHANGED.spec })])),
      ],
      ['Argo CD, client-side', () => tools.argoSync(BASE)],
      ['Argo CD, server-side', () => tools.argoSync(CHANGED, { serverSide: true })],
      ['Flux', async () => void (await tools.fluxReconcile(BASE))],
    ])('%s', async (name, write) => {
      const isChanged = /changed|edit|Argo CD, server/.test(name);
      await askWhile(name, async () => {
        await write();
        await wovenAgain();
      });
      expect(unweave(await live()).spec).toEqual((isChanged ? CHANGED : BASE).spec);
    });

    it('kubectl apply --server-side without force changes nothing, and says who is in the way', async () => {
      const bare = await askWhile('kubectl apply --server-side', async () => {
        const { code, output } = await tools.kubectl(['apply', '--server-side', '--field-manager=ci', '-f', '-'], CHANGED);
        expect([code, output]).toEqual([1, expect.stringContaining('conflict with "perch": .spec.http')]);
      });
      expect(bare).toBe(0);
    });
  });

  describe('a tool that holds it to what is in git', () => {
    it.each([
      ['Argo CD selfHeal, client-side', 'argocd-controller', () => tools.argoSelfHeal(BASE)],
      ['Argo CD selfHeal, server-side', 'argocd-controller', () => tools.argoSelfHeal(BASE, { serverSide: true })],
      ['Flux', 'kustomize-controller', () => tools.fluxReconcile(BASE)],
    ])('%s, again and again: each time the release is in it again, and who does it is told once', async (name, manager, look) => {
      await askWhile(`${name}, 5 times`, async () => {
        for (let time = 0; time < 5; time++) {
          await wovenAgain();
          expect(await look()).toBe(true);
          await sleep(500);
        }
        await wovenAgain();
      });
      const told = (await events('WrittenOver')).filter((note) => note.startsWith(manager));
      expect(told).toEqual([expect.stringMatching(/wrote VirtualService default\/web \d+ times .* as it was, without the release/)]);
    });
  });

  describe('a tool that is set as the guide says finds nothing to do, and loses nothing when it syncs all the same', () => {
    beforeEach(wovenAgain);

    it.each([
      ['Argo CD, client-side, ignoring /spec/http', { ignored: { fields: ['http'] } }],
      ['Argo CD, server-side, ignoring /spec/http', { serverSide: true, ignored: { fields: ['http'] } }],
      ['Argo CD, client-side, ignoring what perch owns', { ignored: { manager: 'perch' } }],
      ['Argo CD, server-side, ignoring what perch owns', { serverSide: true, ignored: { manager: 'perch' } }],
    ])('%s', async (name, options) => {
      const bare = await askWhile(name, async () => {
        for (let time = 0; time < 3; time++) {
          expect(await tools.argoSelfHeal(BASE, options)).toBe(false);
          await tools.argoSync(
            { ...BASE, metadata: { ...BASE.metadata, annotations: { commit: `${name} ${time}` } } } as typeof BASE,
            options,
          );
          await sleep(200);
        }
      });
      expect(bare).toBe(0);
    });

    it('Flux, ignoring /spec/http', async () => {
      const bare = await askWhile('Flux, ignoring /spec/http', async () => {
        for (let time = 0; time < 3; time++) {
          const commit = { ...BASE, metadata: { ...BASE.metadata, annotations: { commit: String(time) } } } as typeof BASE;
          expect(await tools.fluxReconcile(commit, ['http'])).toBe(true);
          expect(await tools.fluxReconcile(commit, ['http'])).toBe(false);
        }
      });
      expect(bare).toBe(0);
    });

    it('a Flux that does not know how to ignore, with kustomize.toolkit.fluxcd.io/ssa: IfNotPresent', async () => {
      const annotations = { 'kustomize.toolkit.fluxcd.io/ssa': 'IfNotPresent' };
      const once = { ...CHANGED, metadata: { ...CHANGED.metadata, annotations } };
      expect(await askWhile('Flux, IfNotPresent', async () => expect(await tools.fluxReconcile(once)).toBe(false))).toBe(0);
      expect(unweave(await live()).spec).toEqual(BASE.spec);
    });

    it('and once the release is deleted nothing is in the way of anybody', async () => {
      await release.delete();
      await expect.poll(() => release.get()).toBeUndefined();
      const left = await live();
      expect([isWoven(left), ownedSpecFields(left)]).toEqual([false, []]);
      expect((await tools.kubectl(['apply', '--server-side', '--field-manager=ci', '-f', '-'], BASE)).code).toBe(0);
      expect((await live()).spec).toEqual(BASE.spec);
    });
  });

  describe('a root in git, and a delegate that the release owns', () => {
    it.each([
      ['Argo CD selfHeal, client-side', (object: typeof BASE) => tools.argoSync(object)],
      ['Argo CD selfHeal, server-side', (object: typeof BASE) => tools.argoSync(object, { serverSide: true })],
      ['Flux', async (object: typeof BASE) => void (await tools.fluxReconcile(object))],
    ])('%s writes both as they are in git, with nothing ignored, and meets nobody', async (name, sync) => {
      const owning = releaseOf(2, { delegate: { name: 'web-perch', http: BASE.spec.http } });
      if ((await release.get()) === undefined) {
        await cluster.apply(owning);
        // The delegate leads everyone to stable until a root leads to it.
        await expect.poll(async () => (await cluster.get({ kind: 'VirtualService', name: 'web-perch' }))?.spec).toBeDefined();
        await tools.applyServerSide(ROOT, 'git');
      }
      await release.reaches('Paused 10 %');
      await expect.poll(() => versionsSeen(visitors)).toEqual(await versionsExpected(visitors, release));
      const before = (await events('WrittenOver')).length;
      const bare = await askWhile(`${name}, of a delegate`, async () => {
        for (let time = 0; time < 3; time++) {
          for (const object of [ROOT, owning]) await sync(object);
          await sleep(200);
        }
      });
      expect([bare, (await events('WrittenOver')).length, (await events('TakenBack')).length]).toEqual([0, before, 0]);
      expect((await release.get())?.metadata.finalizers).toEqual(['perch.dev/unweave']);
    });
  });
});

/** How long each run of times lasts, runs being more than so many ms apart. */
function spans(times: readonly number[], apart: number): readonly number[] {
  const found: number[] = [];
  let [first, last] = [times[0] ?? 0, times[0] ?? 0];
  for (const at of times) {
    if (at - last > apart) {
      found.push(last - first);
      first = at;
    }
    last = at;
  }
  return [...found, last - first];
}
