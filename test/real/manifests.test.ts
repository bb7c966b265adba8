import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { ROOT } from '../../tools/repository.ts';
import { runCommand } from '../../tools/run-command.ts';
import { perch } from '../harness/perch-process.ts';
import { describeWithInstallers } from '../requirements.ts';

const DEPLOY = join(ROOT, 'deploy');
const CHART = join(DEPLOY, 'helm/perch');
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';

/** The objects of a stream, by kind and name. */
function objectsOf(text: string): Readonly<Record<string, KubeObject>> {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
  const named = objects.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, object] as const);
  expect(new Set(named.map(([name]) => name)).size).toBe(named.length);
  return Object.fromEntries(named);
}

async function rendered(command: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, output } = await runCommand(command, args);
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  return stdout;
}

async function manifests(...args: readonly string[]): Promise<Readonly<Record<string, KubeObject>>> {
  const { code, stdout, stderr } = await perch(['manifests', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return objectsOf(stdout);
}

/** kustomize takes kinds that are younger than its own list of kinds for namespaced, and the apiserver does not mind (install.test.ts). */
function ofCluster(objects: Readonly<Record<string, KubeObject>>): Readonly<Record<string, KubeObject>> {
  return Object.fromEntries(
    Object.entries(objects).map(([name, object]) => {
      if (!object.kind.startsWith('ValidatingAdmissionPolicy')) return [name, object];
      const { namespace: _, ...metadata } = object.metadata;
      return [`${object.kind} /${metadata.name}`, { ...object, metadata }];
    }),
  );
}

/** Without what Helm adds by its conventions. */
function withoutHelm(objects: Readonly<Record<string, KubeObject>>): Readonly<Record<string, KubeObject>> {
  const plain = (values: Readonly<Record<string, string>> | undefined) => {
    const kept = Object.entries(values ?? {}).filter(([key]) => !/^helm\.sh\/|^app\.kubernetes\.io\/(managed-by|instance)$/.test(key));
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  };
  return Object.fromEntries(
    Object.entries(objects).map(([name, object]) => {
      const { labels, annotations, ...metadata } = object.metadata as KubeObject['metadata'] & { annotations?: Record<string, string> };
      const [ownLabels, ownAnnotations] = [plain(labels), plain(annotations)];
      const own = {
        ...metadata,
        ...(ownLabels === undefined ? {} : { labels: ownLabels }),
        ...(ownAnnotations === undefined ? {} : { annotations: ownAnnotations }),
      };
      return [name, { ...object, metadata: own }];
    }),
  );
}

describeWithInstallers('the same objects, whoever renders them', ({ kubectl, helm }) => {
  let folder: string;
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'perch-overlay-')));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const kustomize = async (root: string) => objectsOf(await rendered(kubectl, 'kustomize', root));
  const chart = async (...args: readonly string[]) => withoutHelm(objectsOf(await rendered(helm, 'template', 'perch', CHART, ...args)));

  it('kustomize builds of deploy/ what perch manifests prints', async () => {
    expect(await kustomize(DEPLOY)).toEqual(await manifests());
  });

  it('an overlay for another namespace, image and count is what the options of perch manifests are', async () => {
    const chosen =
      'namespace: releases\nimages: [{name: perch, newName: registry.example/perch, newTag: 7.1.0}]\nreplicas: [{name: perch-controller, count: 3}]\n';
    writeFileSync(join(folder, 'kustomization.yaml'), `${KUSTOMIZATION}resources: [${relative(folder, DEPLOY)}]\n${chosen}`);
    expect(ofCluster(await kustomize(folder))).toEqual(
      await manifests('-n', 'releases', '--image', 'registry.example/perch:7.1.0', '--replicas', '3'),
    );
  });

  it('the example of a single pod differs in nothing else', async () => {
    expect(await kustomize(join(ROOT, 'examples/kustomize/single-replica'))).toEqual(await manifests('--replicas', '1'));
  });

  it('with the webhook they are the same, too', async () => {
    expect(await kustomize(join(ROOT, 'examples/kustomize/webhook'))).toEqual(await manifests('--webhook'));
    expect(await chart('-n', 'releases', '--set', 'webhook.enabled=true')).toEqual(
      await manifests('-n', 'releases', '--existing-namespace', '--webhook'),
    );
    const objects = await chart('--set', 'webhook.enabled=true,webhook.caBundle=Q0E=');
    expect(objects['MutatingWebhookConfiguration /perch']).toMatchObject({ webhooks: [{ clientConfig: { caBundle: 'Q0E=' } }] });
    expect(JSON.stringify(objects)).not.toContain('inject-ca-from');
  });

  it('the webhook adds what it needs, and changes nothing else', async () => {
    const [plain, webhook] = [await manifests(), await kustomize(join(ROOT, 'examples/kustomize/webhook'))];
    const [pods, policy] = ['Deployment perch-system/perch-controller', 'NetworkPolicy perch-system/perch-controller'];
    const added = ['MutatingWebhookConfiguration /perch', 'Service perch-system/perch-webhook'];
    expect(Object.keys(webhook).filter((name) => !(name in plain))).toEqual(expect.arrayContaining(added));
    expect(Object.keys(webhook)).toHaveLength(Object.keys(plain).length + added.length);
    for (const [name, object] of Object.entries(plain)) if (name !== pods && name !== policy) expect(webhook[name]).toEqual(object);
    expect(webhook[pods]).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              { args: expect.arrayContaining(['--metrics-port=8080', '--webhook-port=9443', '--webhook-cert=/etc/perch/webhook']) },
            ],
            volumes: [{ name: 'istiod-token' }, { secret: { secretName: 'perch-webhook' } }],
          },
        },
      },
    });
    expect(webhook[policy]).toMatchObject({ spec: { ingress: [{}, { ports: [{ port: 'webhook' }] }] } });
    const overlay = `namespace: releases\nresources: [${relative(folder, DEPLOY)}]\ncomponents: [${relative(folder, join(DEPLOY, 'webhook'))}]\n`;
    writeFileSync(join(folder, 'kustomization.yaml'), `${KUSTOMIZATION}${overlay}`);
    const elsewhere = await kustomize(folder);
    expect(elsewhere).toHaveProperty(['Service releases/perch-webhook']);
    expect(elsewhere['MutatingWebhookConfiguration /perch']).toMatchObject({
      webhooks: [{ clientConfig: { service: { namespace: 'releases' } } }],
    });
  });

  describe('rights in single namespaces', () => {
    const SCOPE = ['--watch-namespace', 'shop', '--read-namespace', 'istio-system'];
    const VALUES = ['--set', 'watchNamespaces={shop},readNamespaces={istio-system}'];

    it('are the same, too', async () => {
      expect(await kustomize(join(ROOT, 'examples/kustomize/namespaced'))).toEqual(await manifests(...SCOPE));
      expect(await chart('-n', 'releases', ...VALUES, '--set', 'webhook.enabled=true')).toEqual(
        await manifests('-n', 'releases', '--existing-namespace', '--webhook', ...SCOPE),
      );
      // Names that YAML takes for something else, and several of them.
      expect(await chart('-n', 'perch-system', '--set', 'watchNamespaces={on,007,perch-system}')).toEqual(
        await manifests('--existing-namespace', '--watch-namespace', 'on,007', '--watch-namespace', 'perch-system'),
      );
    });

    it('replace those everywhere, and change nothing else but the arguments', async () => {
      const [plain, scoped] = [await manifests(), await manifests(...SCOPE)];
      const changed = Object.keys(plain).filter((name) => JSON.stringify(scoped[name]) !== JSON.stringify(plain[name]));
      expect(changed).toEqual([
        'ClusterRole /perch-controller',
        'ClusterRoleBinding /perch-controller',
        'Role perch-system/perch-controller',
        'Deployment perch-system/perch-controller',
      ]);
      expect(Object.keys(scoped).filter((name) => /^Cluster/.test(name))).toEqual([
        'ClusterRole /perch-viewer',
        'ClusterRole /perch-author',
      ]);
      expect(Object.keys(scoped).filter((name) => !(name in plain))).toEqual([
        'Role shop/perch-controller-watches',
        'RoleBinding shop/perch-controller-watches',
        'Role istio-system/perch-controller-reads',
        'RoleBinding istio-system/perch-controller-reads',
      ]);
      const args = expect.arrayContaining(['--watch-namespace=shop', '--read-namespace=istio-system']);
      expect(scoped['Deployment perch-system/perch-controller']).toMatchObject({
        spec: { template: { spec: { containers: [{ args }] } } },
      });
    });

    it('hold the Lease of these namespaces, and no other', async () => {
      const long = Array.from({ length: 6 }, (_, index) => `${'n'.repeat(50)}${index}`).join(',');
      for (const [names, lease] of [
        ['shop,billing', /^perch-controller\.billing\.shop$/],
        [long, /^perch-controller\.[0-9a-f]{64}$/],
      ] as const) {
        const printed = (await manifests('--watch-namespace', names, '--existing-namespace'))['Role perch-system/perch-controller'];
        expect(printed).toMatchObject({
          rules: expect.arrayContaining([expect.objectContaining({ resourceNames: [expect.stringMatching(lease)] })]),
        });
        const set = ['--set', `watchNamespaces={${names}}`];
        expect((await chart('-n', 'perch-system', ...set))['Role perch-system/perch-controller']).toEqual(printed);
      }
    });

    it('an overlay in another namespace says whose they are', async () => {
      const base = (name: string) => relative(folder, join(ROOT, name));
      const subjects = `- {target: {kind: RoleBinding, name: perch-controller-.*}, patch: "- {op: replace, path: /subjects/0/namespace, value: releases}"}\n`;
      mkdirSync(join(folder, 'inner'));
      const inner = `namespace: releases\nresources: [../${base('deploy')}]\ncomponents: [../${base('deploy/namespaced')}]\n`;
      writeFileSync(join(folder, 'inner/kustomization.yaml'), `${KUSTOMIZATION}${inner}`);
      const outer = `resources: [inner, ${base('examples/kustomize/namespaced/shop')}]\npatches:\n${subjects}`;
      writeFileSync(join(folder, 'kustomization.yaml'), `${KUSTOMIZATION}${outer}`);
      const name = 'RoleBinding shop/perch-controller-watches';
      expect((await kustomize(folder))[name]).toEqual((await manifests('-n', 'releases', ...SCOPE))[name]);
    });

    it('ask of the webhook what concerns these namespaces alone', async () => {
      const { webhooks } = (await manifests('--webhook', ...SCOPE))['MutatingWebhookConfiguration /perch'] as KubeObject & {
        readonly webhooks: readonly object[];
      };
      const values = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop'] }] };
      expect(webhooks).toMatchObject([{ namespaceSelector: values }]);
    });
  });

  it('the chart has the same objects but the namespace, which Helm makes itself', async () => {
    expect(await chart('-n', 'perch-system')).toEqual(await manifests('--existing-namespace'));
    const values = ['--set', 'image.repository=registry.example/perch,image.tag=7.1.0,replicas=3'];
    expect(await chart('-n', 'releases', ...values)).toEqual(
      await manifests('-n', 'releases', '--image', 'registry.example/perch:7.1.0', '--replicas', '3', '--existing-namespace'),
    );
  });

  describe('the chart', () => {
    it('passes helm lint, strictly', async () => {
      expect(await rendered(helm, 'lint', '--strict', CHART)).toContain('0 chart(s) failed');
    });

    it('leaves out what is not wanted', async () => {
      const off = ['crds.install', 'admissionPolicy.enabled', 'podDisruptionBudget.enabled', 'networkPolicy.enabled']
        .map((name) => `${name}=false`)
        .join(',');
      const kinds = Object.values(await chart('--set', off)).map(({ kind }) => kind);
      expect(kinds).toContain('Deployment');
      for (const kind of ['CustomResourceDefinition', 'ValidatingAdmissionPolicy', 'PodDisruptionBudget', 'NetworkPolicy'])
        expect(kinds).not.toContain(kind);
    });

    it('puts what is chosen where Kubernetes looks for it', async () => {
      writeFileSync(
        join(folder, 'values.yaml'),
        JSON.stringify({
          image: { repository: 'registry.example/perch', digest: `sha256:${'a'.repeat(64)}`, pullPolicy: 'Always' },
          imagePullSecrets: [{ name: 'registry' }],
          extraArgs: ['--settle=5s'],
          podAnnotations: { team: 'web' },
          podLabels: { cost: 'x' },
          nodeSelector: { pool: 'infra' },
          tolerations: [{ key: 'infra', operator: 'Exists' }],
          priorityClassName: 'system-cluster-critical',
          podMonitor: { enabled: true, labels: { release: 'prometheus' } },
        }),
      );
      const objects = await chart('-n', 'x', '-f', join(folder, 'values.yaml'));
      expect(objects['Deployment x/perch-controller']).toMatchObject({
        spec: {
          template: {
            metadata: {
              labels: { 'app.kubernetes.io/name': 'perch', cost: 'x' },
              annotations: { team: 'web', 'prometheus.io/port': '8080' },
            },
            spec: {
              imagePullSecrets: [{ name: 'registry' }],
              nodeSelector: { pool: 'infra', 'kubernetes.io/os': 'linux' },
              tolerations: [{ key: 'infra', operator: 'Exists' }],
              priorityClassName: 'system-cluster-critical',
              containers: [
                {
                  image: `registry.example/perch@sha256:${'a'.repeat(64)}`,
                  imagePullPolicy: 'Always',
                  args: expect.arrayContaining(['controller', '--settle=5s']),
                },
              ],
            },
          },
        },
      });
      expect(objects['PodMonitor x/perch-controller']).toMatchObject({
        metadata: { labels: { release: 'prometheus' } },
        spec: { podMetricsEndpoints: [{ port: 'metrics', interval: '30s' }] },
      });
    });

    it.each([
      ['a name that is mistyped', 'replcas=3', /replcas/],
      ['a count that is a text', 'replicas=three', /replicas/],
      ['an image without a name', 'image.repository=', /repository/],
      ['an argument that is none', 'extraArgs={controller}', /extraArgs/],
      ['a namespace that is none', 'watchNamespaces={No}', /watchNamespaces/],
      ['namespaces to read beside all of them', 'readNamespaces={istio-system}', /watchNamespaces/],
    ])('refuses %s', async (_, value, reason) => {
      const { code, output } = await runCommand(helm, ['template', 'perch', CHART, '--set', value]);
      expect(code).not.toBe(0);
      expect(output).toMatch(reason);
    });
  });
});
