import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { ROOT } from '../../tools/repository.ts';
import { PerchProcess, perch } from '../harness/perch-process.ts';
import { describeWithInstallers } from '../requirements.ts';
import { objectsOf } from './istio-cluster.ts';
import { type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const BOOKINFO = join(ROOT, 'examples/bookinfo');
/** The commands of the guide, which are run to the letter. */
const GUIDE = [...readFileSync(join(ROOT, 'docs/guides/install.md'), 'utf8').matchAll(/^```\n([^`]*)^```$/gm)].flatMap(([, block = '']) =>
  block.trim().split('\n'),
);
/** Those that cannot be, and why. */
const NOT_RUN = [
  /^docker /, // There is no Docker: image.test.ts does step by step what it would.
  /rollout status/, // Nobody starts pods.
];

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
}

describeWithInstallers('an installation at a real kube-apiserver', (parts) => {
  let api: KubernetesApi;
  let folder: string;
  const controllers: PerchProcess[] = [];
  const done = new Set<string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perch-install-'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync(parts.kubectl, join(folder, 'bin/kubectl'));
    symlinkSync(parts.helm, join(folder, 'bin/helm'));
    // `npx perch ...` in a clone.
    const npx = `#!/bin/sh\nshift; exec '${process.execPath}' --disable-warning=ExperimentalWarning '${ROOT}/bin/perch.js' "$@"\n`;
    writeFileSync(join(folder, 'bin/npx'), npx, { mode: 0o755 });
    api = await startKubernetesApi(parts);
    await kubectl('apply', '--server-side', '-f', parts.istioCrds);
  });
  afterAll(async () => {
    for (const each of controllers) await each.stop();
    await api?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(command: string, args: readonly string[], input = ''): Promise<Output> {
    return new Promise((resolve) => {
      // Of its own: caches of what an apiserver has, and Helm's.
      const own = { KUBECONFIG: api.kubeconfig, HOME: folder, XDG_CACHE_HOME: folder };
      const path = [join(folder, 'bin'), process.env['PATH'] ?? ''].join(delimiter);
      const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...own, PATH: path } });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
      child.stdin.end(input);
    });
  }

  /** What it prints; it must not fail, nor warn: the apiserver's warnings come on stderr. */
  async function kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(parts.kubectl, args);
    expect([code, stderr]).toEqual([0, '']);
    return stdout;
  }

  /** Runs the command of the guide that begins so; it must not fail, nor warn. */
  async function guided(beginning: string): Promise<string> {
    const [line = '', ...others] = GUIDE.filter((each) => each.startsWith(beginning));
    expect([beginning, line !== '', others]).toEqual([beginning, true, []]);
    done.add(line);
    const { code, stdout, stderr } = await run('bash', ['-o', 'pipefail', '-c', line]);
    expect([line, code, stderr]).toEqual([line, 0, '']);
    return stdout;
  }

  async function podOfDeployment(...options: readonly string[]): Promise<Pod> {
    const { stdout } = await perch(['manifests', ...options]);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as KubeObject & { readonly spec: { readonly template: Pod } };
    const { metadata, spec } = deployment.spec.template;
    return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'one', namespace: 'perch-system' }, spec };
  }

  async function helm(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await run(parts.helm, args);
    expect([args[0], code, stderr]).toEqual([args[0], 0, expect.not.stringContaining('Error')]);
  }

  /** What the namespace controller does, which is no part of an apiserver: when it is empty, a namespace that is to go is gone. */
  async function finishNamespace(name: string): Promise<void> {
    const path = `/api/v1/namespaces/${name}`;
    await expect.poll(async () => ((await api.send('GET', path)).body['status'] as { phase: string }).phase).toBe('Terminating');
    const { body } = await api.send('GET', path);
    await api.send('PUT', `${path}/finalize`, { ...body, spec: { finalizers: [] } });
  }

  const createPod = (pod: object) =>
    run(parts.kubectl, ['create', '--dry-run=server', '--validate=strict', '-f', '-'], JSON.stringify(pod));

  it('is applied without a warning, and an apply again changes nothing', async () => {
    const applied = await guided('npx perch manifests --image');
    expect(applied).toContain('deployment.apps/perch-controller serverside-applied');
    const { stdout: manifests } = await perch(['manifests', '--image', 'registry.example/perch:0.1.0']);
    expect(await run(parts.kubectl, ['diff', '--server-side', '-f', '-'], manifests)).toEqual({ code: 0, stdout: '', stderr: '' });
    await kubectl('wait', '--for=condition=Established', 'crd/canaryreleases.perch.dev');
    // An overlay may name the namespace; kustomize then names it in objects of the cluster, too.
    mkdirSync(join(folder, 'overlay'));
    const resources = relative(realpathSync(join(folder, 'overlay')), join(ROOT, 'deploy'));
    const overlay = `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: perch-system\nresources: [${resources}]\n`;
    writeFileSync(join(folder, 'overlay/kustomization.yaml'), overlay);
    await kubectl('apply', '--server-side', '--dry-run=server', '-k', join(folder, 'overlay'));
    const { stdout: withWebhook } = await perch(['manifests', '--webhook']);
    const tried = await run(parts.kubectl, ['apply', '--server-side', '--dry-run=server', '-f', '-'], withWebhook);
    expect([tried.code, tried.stderr]).toEqual([0, '']);
    expect(tried.stdout).toContain('mutatingwebhookconfiguration.admissionregistration.k8s.io/perch serverside-applied (server dry run)');
  });

  it('its pods are as harmless as its namespace demands, and others are refused there', async () => {
    const pod = await podOfDeployment();
    for (const each of [pod, await podOfDeployment('--webhook')]) {
      const { code, stdout, stderr } = await createPod(each);
      expect([code, stderr, stdout]).toEqual([0, '', 'pod/one created (server dry run)\n']);
    }
    const { securityContext: _, ...careless } = pod.spec as unknown as Record<string, unknown>;
    const refused = await createPod({ ...pod, spec: careless });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/violates PodSecurity "restricted:latest": .*runAsNonRoot/);
  });

  /** A controller as the Deployment of these options starts it, as the installed service account. */
  async function startInstalled(...options: readonly string[]): Promise<PerchProcess> {
    const token = (await kubectl('create', 'token', 'perch-controller', '-n', 'perch-system')).trim();
    const kubeconfig = join(folder, 'service-account');
    const admin = JSON.parse(readFileSync(api.kubeconfig, 'utf8')) as object;
    writeFileSync(kubeconfig, JSON.stringify({ ...admin, users: [{ name: 'user', user: { token } }] }));
    const [container] = (await podOfDeployment(...options)).spec.containers;
    // As the kubelet has it; ports are everybody's here.
    const args = container?.args.map((each) => each.replace('$(NAMESPACE)', 'perch-system').replace('port=8080', 'port=0')) ?? [];
    const controller = new PerchProcess([...args, '--kubeconfig', kubeconfig, '--settle', '200ms']);
    controllers.push(controller);
    return controller;
  }

  it('the shipped service account runs a release with the shipped arguments', async () => {
    const controller = await startInstalled();
    const [, port = ''] = await controller.until(/metrics +http:\/\/127\.0\.0\.1:(\d+)/);
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);

    await kubectl('apply', '-f', BOOKINFO);
    await kubectl('wait', '--for=jsonpath={.status.weight}=10', 'canaryrelease/reviews', '--timeout=60s');
    // Where definitions were applied a moment ago, the apiserver asks to be asked again, which is no error.
    expect(`${controller.stdout}${controller.stderr}`).not.toMatch(/forbidden|error/i);
  });

  it('is taken away release by release, then the rest: routes are as their owner wrote them', async () => {
    const specOf = async (name: string) => (JSON.parse(await kubectl('get', 'virtualservice', name, '-o', 'json')) as KubeObject).spec;
    const base = objectsOf(join(BOOKINFO, 'reviews.yaml')).find(({ kind }) => kind === 'VirtualService');
    expect(await specOf('reviews')).not.toEqual(base?.spec);
    expect(await guided('kubectl delete canaryreleases')).toContain('"reviews" deleted');
    expect(await specOf('reviews')).toEqual(base?.spec);
    for (const each of controllers.splice(0)) await each.stop();
    const gone = guided('npx perch manifests | kubectl delete');
    await finishNamespace('perch-system');
    await gone;
    const left = await kubectl('get', 'crd,clusterrole,clusterrolebinding,namespace', '-o', 'name');
    expect(left).not.toMatch(/perch|canaryreleases/);
  });

  it('installed for one namespace, it runs the releases of that one, and has no right elsewhere', async () => {
    await kubectl('create', 'namespace', 'shop');
    await kubectl('create', 'namespace', 'istio-system');
    const scope = ['--watch-namespace', 'shop', '--read-namespace', 'istio-system'];
    await guided(`npx perch manifests ${scope.join(' ')}`);
    await kubectl('wait', '--for=condition=Established', 'crd/canaryreleases.perch.dev');
    const bookinfo = join(folder, 'bookinfo');
    cpSync(BOOKINFO, bookinfo, { recursive: true });
    for (const name of readdirSync(bookinfo)) {
      const text = readFileSync(join(bookinfo, name), 'utf8');
      writeFileSync(
        join(bookinfo, name),
        text.replaceAll('.default.svc.', '.shop.svc.').replaceAll('namespace: default', 'namespace: shop'),
      );
    }
    await kubectl('apply', '-n', 'shop', '-f', bookinfo);
    await kubectl('apply', '-f', join(BOOKINFO, 'release.yaml'));
    const controller = await startInstalled(...scope);
    await kubectl('wait', '-n', 'shop', '--for=jsonpath={.status.weight}=10', 'canaryrelease/reviews', '--timeout=60s');
    expect(await kubectl('get', 'canaryrelease', 'reviews', '-o', 'jsonpath={.status}{.metadata.finalizers}')).toBe('');

    const account = ['--as=system:serviceaccount:perch-system:perch-controller', '--as-group=system:serviceaccounts'];
    const rightsIn = async (namespace: string) =>
      (await kubectl('auth', 'can-i', '--list', ...account, '-n', namespace))
        .split('\n')
        .map((line) => /^([a-z][\w./]+\S*) .*\[([a-z ]+)\]$/.exec(line))
        .flatMap((match) => (match === null ? [] : [`${match[1]} ${match[2]}`]));
    const others = await rightsIn('default');
    expect((await rightsIn('shop')).filter((right) => !others.includes(right))).toContain(
      'virtualservices.networking.istio.io list watch create patch update',
    );
    expect((await rightsIn('istio-system')).filter((right) => !/ list watch$/.test(right))).toEqual(others);
    // What Kubernetes lets everybody do: ask about oneself.
    for (const right of others) expect(right).toMatch(/^self\w+\.(authorization|authentication)\.k8s\.io create$/);

    await kubectl('delete', 'canaryreleases', '-n', 'shop', '--all');
    await kubectl('delete', '-f', join(BOOKINFO, 'release.yaml'));
    expect(`${controller.stdout}${controller.stderr}`).not.toMatch(/forbidden|error/i);
    for (const each of controllers.splice(0)) await each.stop();
    const { stdout: manifests } = await perch(['manifests', ...scope]);
    const gone = run(parts.kubectl, ['delete', '-f', '-'], manifests);
    await finishNamespace('perch-system');
    expect(await gone).toMatchObject({ code: 0, stderr: '' });
    expect(await kubectl('get', 'roles,rolebindings', '-A', '-o', 'name')).not.toMatch(/perch/);
  });

  it('Helm installs and upgrades the chart, and leaves the releases behind when it is taken away', async () => {
    await guided('helm install perch');
    await guided('kubectl label namespace');
    await kubectl('wait', '--for=condition=Established', 'crd/canaryreleases.perch.dev');
    await kubectl('apply', '-f', join(BOOKINFO, 'release.yaml'));
    await helm('upgrade', 'perch', 'deploy/helm/perch', '-n', 'perch-system', '--set', 'replicas=3');
    const count = ['get', 'deployment', 'perch-controller', '-n', 'perch-system', '-o', 'jsonpath={.spec.replicas}'];
    expect(await kubectl(...count)).toBe('3');
    expect((await createPod(await podOfDeployment())).stderr).toBe('');
    await helm('uninstall', 'perch', '-n', 'perch-system');
    expect(await kubectl('get', 'deployments', '-n', 'perch-system', '-o', 'name')).toBe('');
    expect(await kubectl('get', 'canaryreleases', '-o', 'name')).toBe('canaryrelease.perch.dev/reviews\n');
  });

  it('that were all commands of the guide', () => {
    const left = GUIDE.filter((line) => !done.has(line) && !NOT_RUN.some((each) => each.test(line)));
    expect([GUIDE.length > 6, left]).toEqual([true, []]);
  });
});
