import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { auditedWrites } from './audit-log.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';
import { Workloads } from './workloads.ts';

const istio = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});

const ROLE = '/apis/rbac.authorization.k8s.io/v1/clusterroles/perch-controller';

interface Role {
  readonly rules: readonly { readonly resources: readonly string[] }[];
}

/** A release with spec.scaling, by a controller with the shipped roles; nobody runs the pods (workloads.ts). */
describeWithKubernetes('scaling beside a release, at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;

  /** What the controller wrote to Deployments, refused or not, but for those that came too late. */
  const scales = () =>
    auditedWrites(cluster.auditLog)
      .filter(({ resource, code }) => resource.startsWith('deployments') && code !== 409)
      .map(
        ({ resource, name, code, asked }) => `${code} ${resource} ${name} ${(asked?.spec as { replicas?: number } | undefined)?.replicas}`,
      );
  const events = async (name: string, reason: string): Promise<readonly string[]> => {
    const { body } = await cluster.send('GET', '/apis/events.k8s.io/v1/namespaces/default/events');
    const items = body['items'] as readonly {
      readonly reason: string;
      readonly note: string;
      readonly regarding: { readonly name: string };
    }[];
    return items.filter((each) => each.reason === reason && each.regarding.name === name).map(({ note }) => note);
  };
  const releaseOf = (name: string, spec: object): KubeObject => ({
    apiVersion: 'perch.dev/v1alpha1',
    kind: 'CanaryRelease',
    metadata: { name, namespace: 'default' },
    spec: {
      service: { host: name, port: 80 },
      stable: { subset: 'v1' },
      canary: { subset: 'v2' },
      route: { adopt: { virtualService: name } },
      ...spec,
    },
  });
  /** A Service of that name with two versions, and the release of the second. */
  const shop = async (name: string, replicas: Readonly<Record<string, number>>, spec: object) => {
    const workloads = new Workloads(cluster, name);
    await workloads.create(replicas);
    await cluster.apply(
      istio('DestinationRule', name, { host: name, subsets: ['v1', 'v2'].map((version) => ({ name: version, labels: { version } })) }),
      istio('VirtualService', name, {
        hosts: [`${name}.test`],
        gateways: ['edge'],
        http: [{ route: [{ destination: { host: name, port: { number: 80 } } }] }],
      }),
      releaseOf(name, spec),
    );
    return { workloads, release: new ReleaseHandle(cluster, name) };
  };
  const scaling = { beforeStep: 'matchWeight' };
  const manual = (...weights: readonly number[]) => weights.map((weight) => ({ weight, hold: 'manual' }));

  beforeAll(async () => {
    cluster = await startIstioCluster(parts, { isAudited: true });
    const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }];
    await cluster.apply(istio('Gateway', 'edge', { selector: { istio: 'ingressgateway' }, servers }));
    controller = startController(cluster.controllerKubeconfig);
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  it('the canary gets its share of the replicas before a step, which waits for them; each is one write, and the Event says why', async () => {
    const { workloads, release } = await shop(
      'web',
      { v1: 4, v2: 1 },
      {
        scaling,
        steps: [
          { weight: 10, hold: '1s' },
          { weight: 50, hold: 'manual' },
          { weight: 100, hold: '1h' },
        ],
      },
    );
    await expect.poll(() => workloads.replicas('v2')).toBe(2);
    await expect.poll(async () => (await release.status())?.message).toContain('not widened: Deployment default/web-v2');
    await sleep(2000);
    expect(await release.phase()).toBe('Progressing 10 %');
    await workloads.rollOut('v2');
    await release.reaches('Paused 50 %');

    await release.ask('promote');
    await expect.poll(() => workloads.replicas('v2')).toBe(4);
    await expect.poll(async () => (await release.status())?.message).toContain('about to be promoted: Deployment default/web-v2');
    await workloads.rollOut('v2');
    await release.reaches('Progressing 100 %');
    expect(scales()).toEqual(['200 deployments/scale web-v2 2', '200 deployments/scale web-v2 4']);
    expect(await workloads.replicas('v1')).toBe(4);
    expect((await workloads.get('v2')).metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager: 'perch', subresource: 'scale' }),
    );
    await expect
      .poll(async () => (await events('web', 'Scaled')).toSorted())
      .toEqual([
        'Deployment default/web-v2 scaled from 1 to 2 replicas: v2 is to get 50 %',
        'Deployment default/web-v2 scaled from 2 to 4 replicas: v2 is to get 100 %',
      ]);
  });

  it('a canary without replicas gets the first of them before the release starts', async () => {
    const { workloads, release } = await shop('empty', { v1: 3, v2: 0 }, { scaling, steps: manual(10, 100) });
    await expect.poll(() => workloads.replicas('v2')).toBe(1);
    expect(await release.phase()).toBe('Pending 0 %');
    await workloads.rollOut('v2');
    await release.reaches('Paused 10 %');
  });

  it('scaled back by somebody it is not scaled again: the release waits, and says so', async () => {
    const { workloads, release } = await shop('contested', { v1: 4, v2: 1 }, { scaling, steps: manual(10, 50, 100) });
    await release.reaches('Paused 10 %');
    const before = scales().length;
    await release.ask('promote');
    await expect.poll(() => workloads.replicas('v2')).toBe(2);
    await expect.poll(async () => (await release.status())?.scaling?.last?.to).toBe(2);
    await workloads.scale('v2', 1, 'gitops');
    await workloads.rollOut('v2');
    await expect.poll(async () => (await release.status())?.lastRequest?.message).toContain('somebody scaled it back');
    await sleep(2000);
    expect(scales().slice(before)).toEqual(['200 deployments/scale contested-v2 2']);
    await workloads.scale('v2', 2);
    await workloads.rollOut('v2');
    await expect
      .poll(async () => {
        await release.ask('promote');
        return await release.phase();
      })
      .toBe('Paused 50 %');
  });

  it('what an autoscaler scales, several Deployments, and none are left alone: the release goes on, and says why', async () => {
    const { workloads, release } = await shop('auto', { v1: 4, v2: 1 }, { scaling, steps: manual(10, 50, 60, 100) });
    await release.reaches('Paused 10 %');
    const before = scales().length;
    await workloads.scale('v2', 2, 'kube-controller-manager');
    await workloads.scale('v2', 1, 'kube-controller-manager');
    await workloads.rollOut('v2');
    const says = async () => (await release.status())?.scaling?.notScaled;
    await expect.poll(says).toBe('Deployment default/auto-v2 is scaled by an autoscaler (PERCH3095)');
    await release.ask('promote');
    await release.reaches('Paused 50 %');
    await workloads.addDeployment('other', 'v2', 0);
    await workloads.rollOut('other');
    await expect.poll(says).toContain('several Deployments make the pods of v2: auto-');
    await release.ask('promote');
    await release.reaches('Paused 60 %');
    await workloads.removeDeployment('other');
    await workloads.removeDeployment('v2');
    await expect.poll(says).toBe('no Deployment makes the pods of v2 (PERCH3095)');
    await release.ask('promote');
    await release.reaches('Paused 100 %');
    expect(scales().slice(before)).toEqual([]);
    // Of the two that go one after the other it may be seen that one is left.
    await expect.poll(async () => new Set(await events('auto', 'NotScaled')).size).toBe(3);
  });

  it('a controller without the right to scale asks once, says what it lacks, and goes on', async () => {
    const { body } = await cluster.send('GET', ROLE);
    const { rules } = body as unknown as Role;
    const without = rules.filter(({ resources }) => !resources.includes('deployments/scale'));
    const mayScale = async () => {
      const spec = {
        user: 'system:serviceaccount:perch-system:perch-controller',
        resourceAttributes: { group: 'apps', resource: 'deployments', subresource: 'scale', verb: 'patch', namespace: 'default' },
      };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const { body: answer } = await cluster.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
      return (answer['status'] as { readonly allowed: boolean }).allowed;
    };
    /** The apiserver goes by them a moment later. */
    const setRules = async (next: Role['rules']) => {
      await cluster.send('PATCH', ROLE, { rules: next }, { 'content-type': 'application/merge-patch+json' });
      await expect.poll(mayScale).toBe(next === rules);
    };
    const { release } = await shop('lacking', { v1: 4, v2: 1 }, { scaling, steps: manual(10, 50, 100) });
    await release.reaches('Paused 10 %');
    const before = scales().length;
    await setRules(without);
    try {
      await release.ask('promote');
      await release.reaches('Paused 50 %');
      await expect
        .poll(() => events('lacking', 'NotScaled'))
        .toEqual([expect.stringContaining('cannot patch resource "deployments/scale"')]);
      await sleep(1000);
      expect(scales().slice(before)).toEqual(['403 deployments/scale lacking-v2 undefined']);
    } finally {
      await setRules(rules);
    }
  });

  it('after success the former version is scaled down, once, after the delay; a rollback brings it back first', async () => {
    const before = scales().length;
    const afterSuccess = { replicas: 0, delay: '4s' };
    const { workloads, release } = await shop(
      'ended',
      { v1: 4, v2: 4 },
      { scaling: { afterSuccess }, steps: [{ weight: 100, hold: '1s' }] },
    );
    await release.reaches('Succeeded 100 %');
    const [ended] = (await release.status())?.history ?? [];
    expect(await workloads.replicas('v1')).toBe(4);
    expect((await release.status())?.message).toMatch(/^v2 is the live version; v1 is scaled to 0 replicas at 20/);
    await expect.poll(() => workloads.replicas('v1')).toBe(0);
    expect(Date.now() - Date.parse(ended?.endedAt ?? '')).toBeGreaterThanOrEqual(4000);
    await workloads.rollOut('v1');
    await expect
      .poll(async () => (await release.status())?.scaling?.former)
      .toEqual({ version: { subset: 'v1' }, replicas: 4, isDone: true });
    expect((await release.status())?.message).toBe('v2 is the live version');

    // The next leader knows what there was.
    await controller.stop();
    controller = startController(cluster.controllerKubeconfig);
    await release.ask('rollback');
    await expect.poll(() => workloads.replicas('v1')).toBe(4);
    await expect.poll(async () => (await release.status())?.message).toContain('about to roll back: Deployment default/ended-v1');
    await sleep(2000);
    expect(await release.phase()).toBe('Succeeded 100 %');
    await workloads.rollOut('v1');
    await release.reaches('RolledBack 0 %');
    expect(scales().slice(before)).toEqual(['200 deployments/scale ended-v1 0', '200 deployments/scale ended-v1 4']);
    expect(await workloads.replicas('v2')).toBe(4);
    await expect
      .poll(async () => (await events('ended', 'Scaled')).toSorted())
      .toEqual([
        'Deployment default/ended-v1 scaled from 0 to 4 replicas: a rollback to v1 is asked for',
        'Deployment default/ended-v1 scaled from 4 to 0 replicas: v1 is the former version',
      ]);
  });

  it('a rollback is not held up by an admission webhook that fails: it goes by the pods that there are', async () => {
    const afterSuccess = { replicas: 1, delay: '1s' };
    const { workloads, release } = await shop(
      'barred',
      { v1: 4, v2: 4 },
      { scaling: { afterSuccess }, steps: [{ weight: 100, hold: '1s' }] },
    );
    await expect.poll(() => workloads.replicas('v1'), { timeout: 60_000 }).toBe(1);
    await workloads.rollOut('v1');
    await expect.poll(async () => (await release.status())?.scaling?.former?.isDone).toBe(true);
    const before = scales().length;
    const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
    const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] };
    await cluster.send('POST', webhooks, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'away' },
      webhooks: [
        {
          name: 'away.perch.test',
          rules: [rule],
          // Nobody listens there.
          clientConfig: { url: 'https://127.0.0.1:1/' },
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
        },
      ],
    });
    try {
      await expect.poll(() => workloads.scale('v2', 4).then(() => 'done', String)).toContain('failed calling webhook');
      await release.ask('rollback');
      await release.reaches('RolledBack 0 %');
      expect(scales().slice(before)).toEqual(['500 deployments/scale barred-v1 4']);
      await expect.poll(() => events('barred', 'NotScaled')).toEqual([expect.stringContaining('failed calling webhook')]);
    } finally {
      await cluster.send('DELETE', `${webhooks}/away`);
    }
  });

  it('no version is scaled down that a route still leads to, whoever’s it is; brought back by somebody, it stays', async () => {
    const before = scales().length;
    await cluster.apply(
      istio('VirtualService', 'kept', {
        hosts: ['kept-old.test'],
        gateways: ['edge'],
        http: [{ route: [{ destination: { host: 'used.default.svc.cluster.local', subset: 'v1' } }] }],
      }),
    );
    const afterSuccess = { replicas: 1, delay: '1s' };
    const { workloads, release } = await shop(
      'used',
      { v1: 4, v2: 4 },
      { scaling: { afterSuccess }, steps: [{ weight: 100, hold: '1s' }] },
    );
    await release.reaches('Succeeded 100 %');
    await expect
      .poll(async () => (await release.status())?.message)
      .toBe('v2 is the live version; not scaled: VirtualService default/kept still leads to v1 (PERCH3095)');
    expect(await workloads.replicas('v1')).toBe(4);
    await cluster.send('DELETE', '/apis/networking.istio.io/v1/namespaces/default/virtualservices/kept');
    await expect.poll(() => workloads.replicas('v1')).toBe(1);
    await expect.poll(async () => (await release.status())?.scaling?.former?.isDone).toBe(true);
    await workloads.scale('v1', 3);
    await workloads.rollOut('v1');
    await sleep(2000);
    expect(scales().slice(before)).toEqual(['200 deployments/scale used-v1 1']);
  });

  it('a release that is deleted scales nothing', async () => {
    const before = scales().length;
    const afterSuccess = { replicas: 0, delay: '3s' };
    const { workloads, release } = await shop(
      'left',
      { v1: 4, v2: 4 },
      { scaling: { afterSuccess }, steps: [{ weight: 100, hold: '1s' }] },
    );
    await release.reaches('Succeeded 100 %');
    await release.delete();
    await expect.poll(() => release.get()).toBeUndefined();
    await sleep(4000);
    expect([await workloads.replicas('v1'), scales().length]).toEqual([4, before]);
  });

  it('a release without spec.scaling touches no Deployment', async () => {
    const before = scales().length;
    const { workloads, release } = await shop(
      'plain',
      { v1: 4, v2: 1 },
      {
        steps: [
          { weight: 10, hold: '1s' },
          { weight: 100, hold: '1s' },
        ],
      },
    );
    await release.reaches('Succeeded 100 %');
    expect([await workloads.replicas('v1'), await workloads.replicas('v2'), scales().length]).toEqual([4, 1, before]);
  });
});
