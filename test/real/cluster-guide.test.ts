import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ROOT } from '../../tools/repository.ts';
import { followSteps, titleOfGuide } from '../guide/follow-guide.ts';
import { GuideReader } from '../guide/guide-reader.ts';
import { describeWithInstallers } from '../requirements.ts';
import { objectsOf } from './istio-cluster.ts';
import { type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const PAGE = 'first-cluster-release.md';

/** What stands for the pods of the guide's service: nothing runs pods here. */
const SHOP = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'ServiceEntry',
  metadata: { name: 'shop', namespace: 'default' },
  spec: {
    hosts: ['shop.default.svc.cluster.local'],
    location: 'MESH_INTERNAL',
    resolution: 'STATIC',
    ports: [{ number: 9080, name: 'http', protocol: 'HTTP' }],
    endpoints: ['v1', 'v2'].map((version, index) => ({ address: `10.0.0.${index + 1}`, labels: { version } })),
  },
};

describeWithInstallers(titleOfGuide(PAGE), (parts) => {
  let api: KubernetesApi | undefined;
  afterAll(async () => {
    await api?.stop();
  });

  /** Someone with a cluster that has Istio, in a directory that has this checkout's deploy/. */
  async function startReader(): Promise<GuideReader> {
    api = await startKubernetesApi(parts);
    for (const definition of objectsOf(parts.istioCrds)) await send('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
    const entries = '/apis/networking.istio.io/v1/namespaces/default/serviceentries';
    while ((await api.send('GET', entries)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
    await send(entries, SHOP);
    const reader = await GuideReader.start({ KUBECONFIG: api.kubeconfig });
    await mkdir(join(reader.dir, 'bin'), { recursive: true });
    await writeFile(join(reader.dir, 'bin/kubectl'), `#!/bin/sh\nexec "${parts.kubectl}" "$@"\n`, { mode: 0o755 });
    await symlink(join(ROOT, 'deploy'), join(reader.dir, 'deploy'));
    return reader;
  }

  async function send(path: string, object: object): Promise<void> {
    const answer = await api?.send('POST', path, object);
    if (answer?.status !== 201) throw new Error(`${path}: ${answer?.body.message}`);
  }

  followSteps(PAGE, startReader);
});
