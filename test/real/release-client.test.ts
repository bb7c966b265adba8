import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiProblem } from '../../src/cli/api-problem.ts';
import { openCluster } from '../../src/cli/cluster/open-cluster.ts';
import { RELEASE_CLIENT_CASES, type ReleaseClientScene } from '../../src/cli/release-client.cases.ts';
import type { ReleaseClient } from '../../src/cli/release-client.ts';
import { silentTerminal } from '../../src/cli/terminal/silent-terminal.ts';
import type { PerchProcess } from '../harness/perch-process.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type IstioCluster, startIstioCluster } from './istio-cluster.ts';
import { startController } from './start-controller.ts';
import { bindRole, letOwnRoutes } from './team.ts';

describeWithKubernetes('ClusterClient at a real kube-apiserver', (parts) => {
  let cluster: IstioCluster;
  let controller: PerchProcess;
  let scenes: Readonly<Record<'ada' | 'admin', ReleaseClientScene>>;
  /** Ports where nobody listens: what is declared is ready in a cluster. */
  const ports = { v1: 9, v2: 9 };

  const clientWith = (kubeconfig: string): ReleaseClient => {
    const context = { terminal: silentTerminal(), signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
    return openCluster({ kind: 'cluster', cluster: { kubeconfig }, named: {} }, context).client;
  };

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await bindRole(cluster, 'ada', 'perch-author');
    await letOwnRoutes(cluster, 'ada');
    controller = startController(cluster.controllerKubeconfig, ['--metrics-port', '0']);
    const web = { basics: webBasicsYaml(ports), routes: WEB_ROUTES_YAML };
    scenes = {
      admin: { ...web, release: webReleaseYaml(), client: clientWith(cluster.kubeconfig), isConfined: false },
      ada: { ...web, release: webReleaseYaml(), client: clientWith(cluster.kubeconfigOf('ada')), isConfined: true },
    };
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
  });

  test.each(RELEASE_CLIENT_CASES)('with the rights of an author of releases in one namespace: $name', ({ run }) => run(scenes.ada));

  test('nothing is left but what the author applied and did not delete', async () => {
    const { objects } = await scenes.admin.client.readable(undefined, ['default']);
    expect(objects.map(({ kind }) => kind).toSorted()).toEqual(['DestinationRule', 'Gateway', 'ServiceEntry']);
    for (const { kind, metadata } of objects) {
      expect(await scenes.admin.client.remove({ kind, namespace: metadata.namespace, name: metadata.name }, 'test')).toBe(true);
    }
  });

  test.each(RELEASE_CLIENT_CASES.filter(({ name }) => !/undefined, false/.test(name)))('as cluster-admin: $name', ({ run }) =>
    run(scenes.admin),
  );

  test('a pending rollback is never overwritten, however many ask at once; nor is an answer lost', async () => {
    await controller.stop();
    const { client } = scenes.ada;
    await cluster.apply(...(await manifests()));
    const asking = Array.from({ length: 12 }, (_, index) =>
      client.request('default', 'web', { id: `race-${index}`, action: index === 5 ? 'rollback' : 'promote', by: 'ann' }, 0).then(
        (answer) => answer?.state,
        (error: ApiProblem) => error.problem.detail,
      ),
    );
    const answers = await Promise.all(asking);
    expect(answers[5]).toBe('pending');
    // Who asked before it is told that it pends; who asked after, that it cannot.
    const stands = 'a rollback was asked for and is not done yet; it stands above everything else';
    expect(answers.filter((answer) => answer !== 'pending' && answer !== stands)).toEqual([]);
    await expect(client.request('default', 'web', { id: 'late', action: 'promote', by: 'ann' }, 0)).rejects.toMatchObject({
      problem: { detail: stands },
    });
    const found = (await cluster.get({ kind: 'CanaryRelease', name: 'web' })) as
      | { metadata: { annotations?: Record<string, string> } }
      | undefined;
    expect(JSON.parse(found?.metadata.annotations?.['perch.dev/request'] ?? '{}')).toEqual({ id: 'race-5', action: 'rollback', by: 'ann' });
  });

  async function manifests() {
    const { parseManifests } = await import('../../src/core/source/manifests.ts');
    const text = [webBasicsYaml(ports), WEB_ROUTES_YAML, webReleaseYaml()].join('---\n');
    return parseManifests(text, 'web.yaml').objects.map(({ object }) => object);
  }
});
