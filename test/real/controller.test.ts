import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { BUCKETS } from '../../src/core/visitor/bucket.ts';
import { servedRuleNames } from '../../src/core/weave/rule-name.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { selectAt } from '../harness/routes.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { bookinfoBases, reviewsRelease } from './bookinfo-objects.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { saidBy, startController } from './start-controller.ts';

describeWithKubernetes('perch controller at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let reviews: ReleaseHandle;
  const controllers: PerchProcess[] = [];
  const bases = bookinfoBases();
  const release = (changes: object = {}) => reviewsRelease([10, 50, 100], changes);

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    reviews = new ReleaseHandle(cluster, 'reviews');
  });
  afterAll(() => cluster?.stop());
  afterEach(async () => {
    for (const each of controllers.splice(0)) await each.stop();
    await reviews.forget();
    await cluster.apply(...bases);
  });

  const start = (): PerchProcess => {
    const controller = startController(cluster.controllerKubeconfig);
    controllers.push(controller);
    return controller;
  };
  const virtualService = (name: string) => cluster.get({ kind: 'VirtualService', name });
  const spec = async (name: string) => (await virtualService(name))?.spec;
  const base = (name: string) => bases.find((each) => each.kind === 'VirtualService' && each.metadata.name === name)?.spec;
  /** Where the routes that the API holds send visitors, bucket by bucket: the shares of v2, at the gateway's stamp and inside by the cookie. */
  const served = async (): Promise<{ readonly canary: number; readonly stamped: number }> => {
    const routes = await Promise.all(['bookinfo', 'reviews'].map(virtualService));
    const others = bases.filter(({ kind }) => kind !== 'VirtualService');
    const { table } = compileRouting([...others, ...routes.flatMap((each) => each ?? [])]);
    let [canary, stamped] = [0, 0];
    for (let bucket = 0; bucket < BUCKETS; bucket += 16) {
      const cookie = `perch=3f2a9c1e-7b54-4d21-9e0a-${bucket.toString(16).padStart(3, '0').repeat(4)}`;
      const edge = selectAt(table, 'ingress 8080', { line: 'GET http://shop.test/productpage', headers: { cookie, accept: 'text/html' } });
      const inside = selectAt(table, 'mesh 9080', { line: 'GET http://reviews:9080/', headers: { cookie } });
      if (edge.kind === 'forward' && servedRuleNames(edge.rule)[0]?.cohort === 'canary') stamped += 1;
      if (inside.kind === 'forward' && inside.destination.subset === 'v2') canary += 1;
    }
    return { canary: canary / 256, stamped: stamped / 256 };
  };

  it('releases Bookinfo’s reviews: 10, 50, 100 %, as asked, and leaves everyone on v2', async () => {
    await cluster.apply(...bases, release());
    const controller = start();
    await reviews.reaches('Paused 10 %');
    expect((await reviews.status())?.message).toBe('step 1 of 3: 10 % of visitors on v2, manual hold: promote to go on');
    expect((await served()).canary).toBeCloseTo(0.1, 1);
    expect(await served()).toMatchObject({ stamped: (await served()).canary });
    expect((await reviews.get())?.metadata.finalizers).toEqual(['perch.dev/unweave']);
    await reviews.ask('promote');
    await reviews.reaches('Paused 50 %');
    expect((await served()).canary).toBeCloseTo(0.5, 1);
    await reviews.ask('promote');
    await reviews.reaches('Paused 100 %');
    await reviews.ask('promote');
    await reviews.reaches('Succeeded 100 %');
    expect((await served()).canary).toBe(1);
    expect((await reviews.status())?.lastRequest).toMatchObject({ action: 'promote', by: 'ada', outcome: 'done' });
    expect(saidBy(controller)).not.toMatch(/error|warning|NotWoven/i);
  });

  it('tells what happened in Events, which kubectl shows beside the release', async () => {
    await cluster.apply(...bases, release());
    start();
    await reviews.reaches('Paused 10 %');
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const uid = (await reviews.get())?.metadata.uid;
    interface Event {
      readonly reason: string;
      readonly regarding: { readonly uid: string };
    }
    const reasons = (body['items'] as readonly Event[]).filter(({ regarding }) => regarding.uid === uid).map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['Started', 'StepStarted']));
  });

  it('takes everyone back when asked, and un-weaves what is deleted', async () => {
    await cluster.apply(...bases, release());
    start();
    await reviews.reaches('Paused 10 %');
    await reviews.ask('rollback');
    await reviews.reaches('RolledBack 0 %');
    expect((await served()).canary).toBe(0);
    await reviews.delete();
    await expect.poll(() => reviews.get()).toBeUndefined();
    expect([await spec('bookinfo'), await spec('reviews')]).toEqual([base('bookinfo'), base('reviews')]);
  });

  it('weaves anew at once what its owner applied in the middle of a release', async () => {
    await cluster.apply(...bases, release());
    start();
    await reviews.reaches('Paused 10 %');
    const before = await served();
    await cluster.apply(...bases);
    await expect.poll(served).toEqual(before);
    expect(await reviews.phase()).toBe('Paused 10 %');
  });

  it('of two one leads; killed in the middle, the other goes on where it was, and no step is repeated', async () => {
    await cluster.apply(...bases, release());
    const both = [start(), start()];
    await reviews.reaches('Paused 10 %');
    const leads = (each: PerchProcess) => /leads/.test(`${each.stdout}${each.stderr}`);
    expect(both.filter(leads)).toHaveLength(1);
    const [first] = both.filter(leads);
    const [second] = both.filter((each) => !leads(each));
    await first?.stop('SIGKILL');
    await reviews.ask('promote');
    await second?.until(/leads/, 40_000);
    await reviews.reaches('Paused 50 %');
    expect((await reviews.status())?.started).toBe(1);
    expect((await served()).canary).toBeCloseTo(0.5, 1);
  });

  it('asks for nothing while nothing happens, but to keep its lead', async () => {
    await cluster.apply(...bases, release());
    start();
    await reviews.reaches('Paused 10 %');
    const counts = async (): Promise<number> => {
      const { body } = await cluster.send('GET', '/metrics');
      const lines = (body.message ?? '').split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
      const ours = lines.filter((line) =>
        /resource="(?:canaryreleases|virtualservices|gateways|destinationrules|serviceentries|workloadentries|events)"/.test(line),
      );
      return ours.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    // The last Event is written after the status that told of it.
    await sleep(3000);
    const before = await counts();
    await sleep(10_000);
    expect(await counts()).toBe(before);
  });
});
