import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { perchOnPath } from '../harness/perch-on-path.ts';
import { type Finished, PerchProcess, perch } from '../harness/perch-process.ts';
import { webBasicsYaml } from '../harness/web-manifests.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { freePort } from './free-port.ts';
import { type IstioCluster, objectsOf, startIstioCluster } from './istio-cluster.ts';
import type { Person } from './kubernetes-api.ts';
import { startController } from './start-controller.ts';
import { bindRole, letOwnRoutes } from './team.ts';

const BOOKINFO = fileURLToPath(new URL('../../examples/bookinfo/', import.meta.url));
const HAS_KUBECTL = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!HAS_KUBECTL) console.warn('NOT TRIED: kubectl perch, with a real kubectl, which is not installed');

// What someone types, as real processes with that person's rights, at a real apiserver; the tests build on each other, as a release goes on.
describeWithKubernetes('the commands at a cluster', (parts) => {
  const folder = mkdtempSync(join(tmpdir(), 'perch-commands-'));
  let cluster: IstioCluster;
  let controller: PerchProcess | undefined;
  let release: string;

  beforeAll(async () => {
    cluster = await startIstioCluster(parts);
    await bindRole(cluster, 'ada', 'perch-author');
    await letOwnRoutes(cluster, 'ada');
    await bindRole(cluster, 'vera', 'perch-viewer');
    release = file('release.yaml', readFileSync(`${BOOKINFO}release.yaml`, 'utf8').replaceAll(/hold: \w+/g, 'hold: manual'));
  });
  afterAll(async () => {
    await controller?.stop();
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const watching: PerchProcess[] = [];
  afterEach(async () => {
    for (const each of watching.splice(0)) await each.stop('SIGKILL');
  });

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const as =
    (person: Person) =>
    (...args: readonly string[]): Promise<Finished> =>
      perch([...args, '--kubeconfig', cluster.kubeconfigOf(person)]);
  const [ada, vera, eve] = [as('ada'), as('vera'), as('eve')];
  /** A kubeconfig of ada's with changes to its text. */
  const changed = (name: string, change: (text: string) => string): string =>
    file(name, change(readFileSync(cluster.kubeconfigOf('ada'), 'utf8')));
  const begin = (): void => {
    controller = startController(cluster.controllerKubeconfig);
  };

  test('before there is a release', async () => {
    expect(await ada('get')).toEqual({ code: 0, stdout: '', stderr: 'there is no CanaryRelease in namespace default\n' });
    expect(await ada('promote', 'reviews')).toMatchObject({ code: 2, stderr: 'error: there is no CanaryRelease default/reviews\n' });
  });

  test('a file with mistakes: each with its place, and nothing of the apply is done', async () => {
    const bad = file('bad.yaml', readFileSync(release, 'utf8').replace('canary:', 'canray:'));
    const { code, stdout, stderr } = await ada('apply', '-f', `${BOOKINFO}reviews.yaml`, '-f', bad);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${bad}:13:3  PERCH1201  there is no field spec.canray`);
    expect(stderr).toMatch(/nothing was applied\n$/);
    expect((await ada('get', 'vs', '-o', 'name')).stdout).toBe('');
  });

  test('what only the apiserver sees is told at its place too, before anything is written', async () => {
    const labelled = readFileSync(`${BOOKINFO}gateway.yaml`, 'utf8').replace('metadata:', 'metadata:\n  labels: {"not a label": "x"}');
    const bad = file('labelled.yaml', labelled);
    const { code, stderr } = await ada('apply', '-f', bad, '-f', `${BOOKINFO}reviews.yaml`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/labelled\.yaml:\d+:\d+ {2}PERCH4071 {2}the cluster refuses it: .*not a label/);
    expect((await ada('get', 'vs', '-o', 'name')).stdout).toBe('');
  });

  test('apply tells what it did; without a controller a request stands, and it is said that nobody takes it up', async () => {
    const files = ['gateway', 'bookinfo', 'destination-rules', 'endpoints', 'reviews'].flatMap((name) => ['-f', `${BOOKINFO}${name}.yaml`]);
    const { code, stdout } = await ada('apply', ...files, '-f', release);
    expect(code).toBe(0);
    expect(stdout).toContain('gateway/bookinfo-gateway created\n');
    expect(stdout).toMatch(/canaryrelease\/reviews created\n$/);
    const seeing = await perch(['pause', 'reviews', '--timeout', '1s', '--kubeconfig', cluster.kubeconfig]);
    expect(seeing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'no controller has taken it up (there is no Lease perch-system/perch-controller): is perch controller running?',
      ),
    });
    const asked = await ada('rollback', 'reviews', '--timeout', '1s');
    expect(asked).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: reviews: rollback was asked for, but is not in effect yet; no controller has taken it up: is perch controller running? The request stands until one does\n',
    });
    const admin = await perch(['promote', 'reviews', '--timeout', '1s', '--kubeconfig', cluster.kubeconfig]);
    expect(admin).toMatchObject({ code: 1, stderr: expect.stringContaining('a rollback was asked for and is not done yet') });
    expect(await vera('delete', 'release', 'reviews')).toMatchObject({
      code: 2,
      stderr:
        'error: vera may not delete canaryreleases in namespace default: ask whoever runs the cluster for the role perch-author there\n',
    });
  });

  test('a release goes its way: status waits, and follows, by a watch', async () => {
    const waiting = new PerchProcess([
      'status',
      'reviews',
      '--wait',
      'paused',
      '--timeout',
      '60s',
      '--kubeconfig',
      cluster.kubeconfigOf('vera'),
    ]);
    const following = new PerchProcess(['status', 'reviews', '--watch', '--kubeconfig', cluster.kubeconfigOf('vera')]);
    const listing = new PerchProcess(['get', '--watch', '--kubeconfig', cluster.kubeconfigOf('vera')]);
    watching.push(following, listing);
    await following.until(/reviews v1 → v2: Pending/);
    begin();
    expect(await waiting.exited).toBe(0);
    expect(waiting.stdout).toBe('reviews: Paused, step 1 of 4: 10 % of visitors on v2, manual hold: promote to go on\n');
    await following.until(/reviews v1 → v2: Paused, step 1 of 4, 10 %, until perch --kubeconfig \S+ promote reviews/);
    expect(await ada('promote', 'reviews')).toEqual({ code: 0, stdout: 'reviews: step 2 of 4, v2 for 25 % of visitors\n', stderr: '' });
    await following.until(/reviews v1 → v2: Paused, step 2 of 4, 25 %/);
    await listing.until(/reviews +v1 +v2 +Paused +2\/4 +25 %/);
    expect(await vera('promote', 'reviews')).toMatchObject({
      code: 2,
      stderr:
        'error: vera may not change canaryreleases in namespace default: ask whoever runs the cluster for the role perch-author there\n',
    });
  });

  test('reports do without figures, and fit 80 columns but for names', async () => {
    const table = await vera('get');
    expect(table.stdout).toMatch(/^NAME +FROM +TO +PHASE +STEP +WEIGHT +AGE\nreviews +v1 +v2 +Paused +2\/4 +25 % +\w+\n$/);
    const report = await perch(['describe', 'release', 'reviews', '--kubeconfig', cluster.kubeconfig]);
    expect(report).toMatchObject({ code: 0, stderr: '' });
    expect(report.stdout).toMatch(/Last request\n {2}promote by .* done, promoted from 10 % to 25 %/);
    expect(report.stdout).toMatch(/Last events\n {2}TIME +EVENT +WHAT HAPPENED\n/);
    expect(await vera('describe', 'release', 'reviews')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^note: what weaving says is left out: you may read routes of namespace default only\n$/),
    });
    expect(await vera('describe', 'vs', 'reviews')).toMatchObject({ code: 0, stdout: expect.stringContaining('Rules as served') });
  });

  test('routes as served, and their base, which can be applied again and changes nothing', async () => {
    const base = await ada('get', 'vs', 'reviews', '--view', 'base', '-o', 'yaml');
    expect((parse(base.stdout) as { spec: unknown }).spec).toEqual(
      (parse(readFileSync(`${BOOKINFO}reviews.yaml`, 'utf8')) as { spec: unknown }).spec,
    );
    expect((await ada('get', 'vs', 'reviews', '-o', 'yaml')).stdout).toContain('perch:default/reviews:known:canary');
    expect((await ada('apply', '-f', file('base.yaml', base.stdout))).stdout).toBe('virtualservice/reviews unchanged\n');
  });

  test('history, with who asked; the whole story for programs', async () => {
    await expect.poll(async () => (await ada('history', 'reviews')).stdout).toMatch(/StepStarted +step 2 of 4: 25 % \(by \S+\)/);
    const { events } = JSON.parse((await ada('history', 'reviews', '-o', 'json')).stdout) as { events: { reason: string }[] };
    expect(events.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['Started', 'StepStarted', 'Paused']));
  });

  test('what another tool manages is not taken over, unless that is asked for', async () => {
    const gateway = (port: number) => readFileSync(`${BOOKINFO}gateway.yaml`, 'utf8').replace('number: 8080', `number: ${port}`);
    await cluster.apply(parse(gateway(8081)) as Parameters<IstioCluster['apply']>[0]);
    const path = file('gateway.yaml', gateway(8080));
    const refused = await ada('apply', '-f', path);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/gateway\.yaml:\d+:3 {2}PERCH4070 {2}spec\.servers is managed by owner\n/);
    expect(refused.stderr).toContain('--force-conflicts');
    expect((await ada('apply', '-f', path, '--force-conflicts')).stdout).toBe('gateway/bookinfo-gateway configured\n');
  });

  test('what a release needs is not deleted before it; the release leaves its routes first', async () => {
    expect(await ada('delete', 'vs', 'reviews')).toMatchObject({ code: 2, stderr: expect.stringContaining('delete the release first') });
    expect(await ada('rollback', 'reviews')).toMatchObject({
      code: 0,
      stdout: 'reviews: rolled back, everyone is on v1 with their next request\n',
    });
    expect(await ada('delete', 'release', 'reviews', '--restore-base')).toEqual({
      code: 0,
      stdout: 'canaryrelease/reviews deleted, everyone is on v1\n',
      stderr: '',
    });
    expect((await ada('history', 'reviews')).stdout).toMatch(/Deleted/);
  });

  test.skipIf(!HAS_KUBECTL)('kubectl perch: the context’s cluster and namespace, and completion of names', async () => {
    const PATH = await perchOnPath(folder);
    expect((await ada('apply', '-f', release, '--wait', 'paused', '--timeout', '60s')).code).toBe(0);
    const kubectl = (...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync('kubectl', [...args], {
        // PERCH_SERVER is for perch: who types kubectl means a cluster.
        env: { ...process.env, PATH, KUBECONFIG: cluster.kubeconfigOf('ada'), PERCH_SERVER: 'http://127.0.0.1:1', NO_COLOR: '1' },
        encoding: 'utf8',
      });
      return { status, stdout, stderr };
    };
    expect(kubectl('perch', 'get', '-o', 'name')).toEqual({ status: 0, stdout: 'canaryrelease/reviews\n', stderr: '' });
    expect(kubectl('perch', 'status').stdout).toContain('until kubectl perch promote reviews');
    expect(kubectl('perch', '--context', 'test', 'status').stdout).toContain('until kubectl perch --context test promote reviews');
    expect(kubectl('perch', 'promote', '--help').stdout).toMatch(
      /^Usage: kubectl perch promote(?:.*\n)+ {2}kubectl perch promote reviews --full\n/,
    );
    expect(kubectl('perch', 'status', 'revews')).toMatchObject({ status: 2, stderr: expect.stringContaining('did you mean reviews?') });
    const completed = (...words: readonly string[]) =>
      kubectl('__complete', 'perch', ...words)
        .stdout.split('\n')
        .filter(Boolean);
    expect(completed('promote', '')).toEqual(['reviews', ':4']);
    expect(completed('get', 'vs', 'b')).toEqual(['bookinfo', ':4']);
    expect(completed('apply', '-f', '')).toEqual([':0']);
    expect(completed('--context', '')).toEqual(['test', ':4']);
    expect(completed('roll')[0]).toMatch(/^rollback\t/);
  });

  test('the namespace of the context is that of commands, and of files that name none', async () => {
    const admin = readFileSync(cluster.kubeconfig, 'utf8').replace('"context":{', '"context":{"namespace":"shop",');
    const shop = file('shop', admin);
    await cluster.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } });
    const basics = file('basics.yaml', webBasicsYaml({ v1: 9, v2: 9 }));
    expect((await perch(['apply', '-f', basics, '--kubeconfig', shop])).stdout).toContain('gateway/edge (shop) created\n');
    expect((await perch(['get', 'gw', '-o', 'name'], { PERCH_KUBECONFIG: shop })).stdout).toBe('gateway/edge\n');
    const elsewhere = await perch(['get', 'gw', 'edge', '-n', 'default', '--kubeconfig', shop]);
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining('it is in namespace shop (-n shop)') });
  });

  test('who may not, and who is nobody, is told what is missing', async () => {
    expect(await eve('get')).toMatchObject({
      code: 2,
      stderr: 'error: eve may not list canaryreleases in namespace default: ask whoever runs the cluster for the role perch-viewer there\n',
    });
    expect(await ada('get', '-A')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: ada may not list canaryreleases of all namespaces: name a namespace with -n, or ask/),
    });
    const stranger = await perch(['get', '--kubeconfig', changed('stranger', (text) => text.replace('test-of-ada', 'nobody'))]);
    expect(stranger).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: the cluster at \S+ \(context test\) does not know who you are/),
    });
  });

  test('a cluster that is not there, and a kubeconfig that is none: what was tried, and how to name another', async () => {
    const port = await freePort();
    const nowhere = await perch([
      'get',
      '--kubeconfig',
      changed('nowhere', (text) => text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`)),
    ]);
    expect(nowhere).toMatchObject({
      code: 2,
      stderr: `error: cannot reach the cluster at https://127.0.0.1:${port} (context test): nothing listens there; name another with --context NAME, or an embedded runtime with --server URL\n`,
    });
    expect(await ada('get', '--context', 'tset')).toMatchObject({
      code: 2,
      stderr:
        'error: no cluster to talk to: the kubeconfig has no context tset; it has test. --kubeconfig FILE and --context NAME name one\n',
    });
    const none = await perch(['get', '--context', 'any'], { HOME: folder, KUBECONFIG: '', KUBERNETES_SERVICE_HOST: '' });
    expect(none).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^error: no cluster to talk to: there is no kubeconfig: KUBECONFIG is not set/),
    });
    const both = await ada('get', '--server', 'http://127.0.0.1:7070');
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('give one of the two') });
  });

  test('where a policy asks for rights to the routes, an author without them is told which are missing', async () => {
    const admission = '/apis/admissionregistration.k8s.io/v1';
    for (const object of objectsOf(fileURLToPath(new URL('../../deploy/admission-policy.yaml', import.meta.url)))) {
      await cluster.send(
        'POST',
        `${admission}/${object.kind.replace('Policy', 'policies').replace('policiesBinding', 'policybindings').toLowerCase()}`,
        object,
      );
    }
    await cluster.send('DELETE', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/routes-of-ada');
    expect((await perch(['apply', '-f', release, '--kubeconfig', cluster.kubeconfig])).code).toBe(0);
    const denied = expect.stringMatching(
      /^error: the cluster does not allow it: this changes routes that ada may not change: in namespace default they lack the right to update virtualservices\/\w+ \(policy perch-authors\)\n$/,
    );
    // An apiserver takes up a policy a moment after it is there.
    await expect.poll(async () => (await ada('pause', 'reviews', '--no-wait')).stderr, { timeout: 60_000 }).toEqual(denied);
    const slower = file('slower.yaml', readFileSync(release, 'utf8').replace('hold: manual', 'hold: 1h'));
    expect(await ada('apply', '-f', slower)).toMatchObject({ code: 2, stdout: '', stderr: denied });
    expect(await ada('delete', 'release', 'reviews')).toMatchObject({ code: 2, stdout: '', stderr: denied });
    await cluster.send('DELETE', `${admission}/validatingadmissionpolicybindings/perch-authors`);
    await cluster.send('DELETE', `${admission}/validatingadmissionpolicies/perch-authors`);
    await expect.poll(async () => (await ada('pause', 'reviews', '--no-wait')).code, { timeout: 60_000 }).not.toBe(2);
  });

  test('status --watch says that the apiserver is away, and goes on when it is back', async () => {
    expect((await ada('apply', '-f', release)).code).toBe(0);
    const following = new PerchProcess(['status', '--watch', '--kubeconfig', cluster.kubeconfigOf('ada')]);
    watching.push(following);
    await following.until(/reviews v1 → v2/);
    await cluster.restart();
    await following.until(/connection lost, retrying/, 60_000);
    await following.until(/connected again/, 60_000);
    expect((await ada('delete', 'release', 'reviews', '--timeout', '60s')).code).toBe(0);
    await following.until(/reviews: deleted/, 60_000);
  });

  test('a cluster without the CustomResourceDefinition: what to apply', async () => {
    await controller?.stop();
    await cluster.send('DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/canaryreleases.perch.dev');
    await expect
      .poll(async () => (await ada('get')).stderr, { timeout: 60_000 })
      .toMatch(/^error: the cluster at \S+ \(context test\) does not know canaryreleases \(perch\.dev\): apply deploy\/crd\.yaml\n$/);
  });
});
