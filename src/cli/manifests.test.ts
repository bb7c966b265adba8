import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { perch } from '../../test/harness/perch-process.ts';
import type { KubeObject } from '../core/istio/resources.ts';
import { perchVersion } from './perch-version.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url);

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

async function printed(...args: readonly string[]): Promise<readonly KubeObject[]> {
  const { code, stdout, stderr } = await perch(['manifests', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
}

const deploymentOf = (objects: readonly KubeObject[]) => objects.find(({ kind }) => kind === 'Deployment') as Deployment;

test('everything in an order in which it can be applied, with the rules’ reasons', async () => {
  const { stdout } = await perch(['manifests']);
  const kinds = parseAllDocuments(stdout).map((document) => document.get('kind'));
  expect(kinds.slice(0, 3)).toEqual(['Namespace', 'CustomResourceDefinition', 'ServiceAccount']);
  expect(kinds).toEqual(expect.arrayContaining(['Deployment', 'ClusterRole', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']));
  expect(stdout).toContain('# Which of several controllers leads.');
});

test('as shipped: the image of this version', async () => {
  const { spec } = deploymentOf(await printed());
  expect(spec.template.spec.containers[0]?.image).toBe(`perch:${perchVersion()}`);
});

test('another namespace is named wherever the shipped one was', async () => {
  const objects = await printed('-n', 'on');
  expect(JSON.stringify(objects)).not.toContain('perch-system');
  expect(objects.find(({ kind }) => kind === 'Namespace')?.metadata.name).toBe('on');
  const ofCluster = /^(Namespace|CustomResourceDefinition|ClusterRole(Binding)?|ValidatingAdmissionPolicy(Binding)?)$/;
  const inside = objects.filter(({ kind }) => !ofCluster.test(kind));
  for (const { metadata } of inside) expect(metadata.namespace).toBe('on');
  expect(objects.find(({ kind }) => kind === 'ClusterRoleBinding')).toMatchObject({ subjects: [{ namespace: 'on' }] });
  // For kubectl a plain `on` is true.
  expect((await perch(['manifests', '-n', 'on'])).stdout).not.toMatch(/: on$/m);
});

test('image and count', async () => {
  const { spec } = deploymentOf(await printed('--image', 'registry.example:5000/team/perch@sha256:00', '--replicas', '1'));
  expect([spec.replicas, spec.template.spec.containers[0]?.image]).toEqual([1, 'registry.example:5000/team/perch@sha256:00']);
});

test.each([
  ['a namespace that is none', ['-n', 'No Such'], /is no name of a namespace/],
  ['an image that is none', ['--image', 'a b'], /It is not an image/],
  ['a namespace to watch that is none', ['--watch-namespace', 'shop,No'], /not the name of a namespace/],
  ['namespaces to read beside all of them', ['--read-namespace', 'istio-system'], /means nothing without --watch-namespace/],
  ['a count that is none', ['--replicas', 'two'], /not a whole number/],
])('refuses %s', async (_, args, reason) => {
  const { code, stdout, stderr } = await perch(['manifests', ...args]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(reason);
});

const textOf = (name: string) => readFileSync(new URL(name, DEPLOY), 'utf8');

test('no file of deploy/ is forgotten: it is installed, or says itself how', () => {
  const { resources } = parse(textOf('kustomization.yaml')) as { readonly resources: readonly string[] };
  const files = readdirSync(DEPLOY).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
  expect(files.length).toBeGreaterThan(resources.length - 1);
  for (const name of files) {
    const isOptional = /^# Optional: /.test(textOf(name)) || new RegExp(`^# .*kubectl apply .*-f deploy/${name}`, 'm').test(textOf(name));
    expect([name, resources.includes(name) || isOptional]).toEqual([name, true]);
  }
});

test('deploy/ is published, and the chart has the version of the package', () => {
  const { files } = JSON.parse(readFileSync(new URL('../package.json', DEPLOY), 'utf8')) as { readonly files: readonly string[] };
  expect(files).toContain('deploy');
  const chart = parse(textOf('helm/perch/Chart.yaml')) as Record<string, unknown>;
  expect([chart['version'], chart['appVersion']]).toEqual([perchVersion(), perchVersion()]);
});
