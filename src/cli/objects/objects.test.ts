import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Finished, PerchProcess, perch } from '../../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../../test/harness/serve-scene.ts';
import type { Serving } from '../../../test/harness/serving.ts';
import { WEB_ROUTES_YAML, webReleaseYaml } from '../../../test/harness/web-manifests.ts';
import { widthOf } from '../../core/diagnostics/wrap.ts';
import { runCli } from '../run-cli.ts';
import { silentTerminal } from '../terminal/silent-terminal.ts';

// `get`, `describe` and `delete` of a runtime with a release under way in `default`, and routes without one in `shop`.

let scene: Scene;
let served: Serving;
let shopRoutes: string;

beforeAll(async () => {
  scene = await createScene();
  served = await scene.serve('-f', scene.files);
  await run('apply', '-f', await fileWith('release.yaml', webReleaseYaml()), '--wait', 'paused');
  shopRoutes = await fileWith(
    'shop.yaml',
    WEB_ROUTES_YAML.replace('name: web', 'name: shop').replace('*', 'shop.test').replace('edge', 'default/edge'),
  );
  await run('apply', '-n', 'shop', '-f', shopRoutes);
});

afterAll(async () => {
  await scene.close();
});

const run = (...args: readonly string[]): Promise<Finished> => perch(args, { PERCH_SERVER: served.server });

async function fileWith(name: string, text: string): Promise<string> {
  const path = join(scene.dir, name);
  await writeFile(path, text);
  return path;
}

/** Runs a perch command with this text as its standard input. */
function runWithInput(
  input: string,
  ...args: readonly string[]
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const bin = fileURLToPath(new URL('../../../bin/perch.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', bin, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, PERCH_SERVER: served.server, NO_COLOR: '1' },
  });
  return { code: status, stdout, stderr };
}

describe('get', () => {
  test('a table for every kind', async () => {
    const { code, stdout } = await run('get', 'all');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME +FROM +TO +PHASE +STEP +WEIGHT +SEEN BY +AGE\ncanaryrelease\/web +v1 +v2 +Paused +1\/3 +10 % /m);
    expect(stdout).toMatch(/^NAME +GATEWAYS +HOSTS +RELEASES +AGE\nvirtualservice\/web +edge +\* +web /m);
    expect(stdout).toMatch(/^destinationrule\/web +web +v1,v2 /m);
    expect(stdout).toMatch(/^gateway\/edge +8080\/HTTP +\* /m);
    expect(stdout).toMatch(/^serviceentry\/web +web.default.svc.cluster.local +9080 +2 /m);
  });

  test('-o wide has more columns, and no other rows', async () => {
    const [narrow, wide] = await Promise.all([run('get'), run('get', '-o', 'wide')]);
    expect(wide.stdout).toMatch(/^NAME .* AGE +LIVE +ROUTES +UNTIL +MESSAGE\nweb .* v1 +web \(adopt\) +- +step 1 of 3: 10 % of visitors/);
    expect(wide.stdout.split('\n')).toHaveLength(narrow.stdout.split('\n').length);
    expect((await run('get', 'dr', '-o', 'wide')).stdout).toMatch(/LABELS\nweb .*v1:version=v1,v2:version=v2/);
  });

  test('-o name is what other commands take, with the namespace where several are listed', async () => {
    expect((await run('get', 'vs,gw', '-o', 'name')).stdout).toBe('virtualservice/web\ngateway/edge\n');
    const everywhere = await run('get', 'vs', '-A', '-o', 'name');
    expect(everywhere.stdout).toBe('virtualservice/default/web\nvirtualservice/shop/shop\n');
    const again = await run('get', ...everywhere.stdout.trimEnd().split('\n'), '-o', 'name');
    expect(again).toEqual({ code: 0, stdout: 'virtualservice/web\nvirtualservice/shop\n', stderr: '' });
  });

  test.each(['release', 'vs', 'dr', 'gw', 'se', 'all'])('-o yaml and json of %s apply again as no change', async (kind) => {
    for (const format of ['yaml', 'json']) {
      const { stdout } = await run('get', kind, '-o', format);
      const { items } = parse(stdout);
      const applied = runWithInput(stdout, 'apply', '-f', '-');
      expect(applied.code, applied.stderr).toBe(0);
      expect(applied.stdout.match(/ unchanged$/gm)).toHaveLength(items.length);
    }
  });

  test('-A shows namespaces; it does not go with names', async () => {
    const { stdout } = await run('get', 'vs', '-A');
    expect(stdout).toMatch(/^NAMESPACE +NAME +GATEWAYS .*\ndefault +web .*\nshop +shop /);
    expect(await run('get', 'vs', 'web', '-A')).toMatchObject({
      code: 2,
      stderr: 'error: --all-namespaces is for lists: leave it out, or the names\n',
    });
  });

  test('what is not there, with what may be meant: one line each, and what is there all the same', async () => {
    expect(await run('get', 'vs/wbe', 'vs/shop', 'gw/edge', '-o', 'name')).toEqual({
      code: 2,
      stdout: 'gateway/edge\n',
      stderr:
        'error: there is no VirtualService default/wbe: did you mean web?\nerror: there is no VirtualService default/shop: it is in namespace shop (-n shop)\n',
    });
  });

  test('--watch prints the table, then each row that changed, and ends by Ctrl-C', async () => {
    const watch = new PerchProcess(['get', 'vs', '--watch', '-n', 'shop'], { PERCH_SERVER: served.server });
    await watch.until(/^NAME .*\nshop +default\/edge +shop.test /m);
    await run(
      'apply',
      '-n',
      'shop',
      '-f',
      await fileWith('second.yaml', WEB_ROUTES_YAML.replace('name: web', 'name: second').replace('*', 'second.test')),
    );
    await watch.until(/^second +edge /m);
    await run('delete', 'vs', 'second', '-n', 'shop');
    await watch.until(/^VirtualService shop\/second deleted$/m);
    expect(await watch.stop('SIGINT')).toBe(130);
    expect(watch.stdout.match(/^shop /gm)).toHaveLength(1);
    expect(await run('get', 'vs,gw', '--watch')).toMatchObject({ code: 2, stderr: 'error: --watch follows one kind at a time\n' });
    expect(await run('get', 'vs', '--watch', '-o', 'json')).toMatchObject({
      code: 2,
      stderr: 'error: --watch shows tables, not -o json\n',
    });
  });
});

describe('-n and files', () => {
  test('fills the namespace of objects that name none', async () => {
    expect((await run('apply', '-n', 'shop', '-f', shopRoutes)).stdout).toBe('virtualservice/shop (shop) unchanged\n');
  });

  test('contradicts those that name another, at their place', async () => {
    const file = await fileWith('named.yaml', WEB_ROUTES_YAML.replace('{name: web}', '{name: web, namespace: default}'));
    const { code, stdout, stderr } = await run('apply', '-n', 'shop', '-f', file);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`${file}:3:34  PERCH1009  the object is of namespace default, but --namespace asks for shop`);
    expect((await run('apply', '-n', 'default', '-f', file)).code).toBe(0);
  });
});

describe('describe', () => {
  test.each(['release', 'vs', 'dr', 'gw', 'se'])('a report about each %s, in 80 columns', async (kind) => {
    const said: string[] = [];
    const terminal = silentTerminal({ out: (text) => said.push(...text.split('\n')) });
    const context = { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
    expect(await runCli(['describe', kind, '--server', served.server], context)).toBe(0);
    expect(said.length).toBeGreaterThan(5);
    for (const line of said) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  });

  test('nothing is cut or broken where lines are longer, as in a pipe', async () => {
    const name = `a-rule-with-a-${'very-'.repeat(20)}long-name`;
    const hosts = ['one', 'two', 'three'].map((each) => `${each}.of-the-hosts-of-a-department.example.com`).join(', ');
    const routes = WEB_ROUTES_YAML.replace('name: web', 'name: long').replace('"*"', hosts).replace('name: all', `name: ${name}`);
    await run('apply', '-f', await fileWith('long.yaml', routes));
    const { stdout } = await run('describe', 'vs/long');
    expect(stdout).toContain(`hosts    ${hosts}\n`);
    expect(stdout).toMatch(new RegExp(`^ {2}1 +${name} +everything +web:9080/v1$`, 'm'));
    await run('delete', 'vs/long');
  });

  test('a VirtualService: as applied, as served, and by whom', async () => {
    const { stdout } = await run('describe', 'vs', 'web');
    expect(stdout).toMatch(/^ {2}releases +web: v1 → v2, Paused at 10 %; woven in here$/m);
    expect(stdout).toMatch(/^Rules as applied\n.*\n {2}1 +all +everything +web:9080\/v1$/m);
    expect(stdout).toMatch(/^ {2}all +web +known visitors of the canary +web:9080\/v2$/m);
    expect(stdout).toMatch(/^ {2}all +web +everyone else +web:9080\/v1$/m);
    expect((await run('describe', 'vs/shop/shop')).stdout).toMatch(/^Rules\n.*\n {2}1 +all +everything +web:9080\/v1$/m);
  });

  test('what routing and weaving say about it', async () => {
    // In namespace shop the short name `web` means another host.
    expect((await run('describe', 'vs/shop/shop')).stdout).toMatch(
      /^Findings\n {2}warning PERCH1130 +no ServiceEntry declares the host web\.shop\.svc\.cluster\.local/m,
    );
    expect((await run('describe', 'vs', 'web')).stdout).not.toContain('Findings');
  });

  test('a Gateway, a DestinationRule, a ServiceEntry: who is bound, what subsets are to releases, which endpoints', async () => {
    const gateway = (await run('describe', 'gw/edge')).stdout;
    expect(gateway).toMatch(/^ {2}8080 +HTTP +\* +-$/m);
    expect(gateway).toMatch(/^ {2}virtualservice\/web +\* +web$/m);
    expect(gateway).toMatch(/^ {2}virtualservice\/shop \(shop\) +shop.test +-$/m);
    const rule = (await run('describe', 'dr/web')).stdout;
    expect(rule).toMatch(/^ {2}v1 +version=v1 +1 +live and stable of web$/m);
    expect(rule).toMatch(/^ {2}v2 +version=v2 +1 +canary of web$/m);
    expect((await run('describe', 'se/web')).stdout).toMatch(/^ {2}127\.0\.0\.1:\d+ +version=v2 +serviceentry\/web$/m);
  });

  test('several at once, and what is not there', async () => {
    const { code, stdout, stderr } = await run('describe', 'gw/edge', 'release/web', 'vs/none');
    expect([code, stderr]).toEqual([2, 'error: there is no VirtualService default/none (there: web)\n']);
    expect(stdout).toContain('gateway/edge');
    expect(stdout).toMatch(/^Steps$/m);
  });
});

describe('delete', () => {
  test('a VirtualService that a release needs is not deleted before it', async () => {
    expect(await run('delete', 'vs', 'web')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: virtualservice/web is what the release web is woven into: delete the release first (perch delete release web)\n',
    });
    expect((await run('get', 'vs', '-o', 'name')).stdout).toBe('virtualservice/web\n');
  });

  test.each([
    ['nothing', [], /name what to delete/],
    ['a kind alone', ['vs'], /name what to delete: perch delete vs NAME/],
    ['names and files', ['vs', 'web', '-f', 'x.yaml'], /name objects, or give files with -f, not both/],
    ['a base that no release has', ['gw', 'edge', '--restore-base'], /--restore-base is for releases, and none is named/],
    ['what is not there', ['release', 'wbe'], /there is no CanaryRelease default\/wbe: did you mean web\?/],
  ])('%s is refused', async (_, args, message) => {
    const { code, stdout, stderr } = await run('delete', ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('--ignore-not-found: gone is gone', async () => {
    expect(await run('delete', 'vs/none', 'release/none', '--ignore-not-found')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('--restore-base leads everyone back to where the routes led before the release', async () => {
    await run('promote', 'web');
    await run('promote', 'web');
    await run('promote', 'web', '--wait', 'succeeded');
    expect(await (await fetch(served.ingress)).text()).toBe('v2');
    expect(await run('delete', 'release', 'web', '--restore-base')).toEqual({
      code: 0,
      stdout: 'canaryrelease/web deleted, everyone is on v1\n',
      stderr: '',
    });
    expect(await (await fetch(served.ingress)).text()).toBe('v1');
    expect(parse((await run('get', 'vs', 'web', '-o', 'yaml')).stdout).spec).toEqual(parse(WEB_ROUTES_YAML).spec);
  });

  test('-f deletes what files name: the release first, then the routes that it was woven into', async () => {
    const both = await fileWith('both.yaml', `${WEB_ROUTES_YAML}---\n${webReleaseYaml()}`);
    await run('apply', '-f', both, '--wait', 'paused');
    expect(await run('delete', '-f', both)).toEqual({
      code: 0,
      stdout: 'canaryrelease/web deleted, everyone is on v1\nvirtualservice/web deleted\n',
      stderr: '',
    });
    expect((await run('get', 'vs', '-o', 'name')).stdout).toBe('');
  });

  test('--no-wait returns at once', async () => {
    const both = await fileWith('both.yaml', `${WEB_ROUTES_YAML}---\n${webReleaseYaml()}`);
    await run('apply', '-f', both, '--wait', 'paused');
    expect((await run('delete', 'release/web', '--no-wait')).stdout).toBe('canaryrelease/web is being deleted\n');
    await expect.poll(async () => (await run('get', '-o', 'name')).stdout, { timeout: 15_000 }).toBe('');
  });

  test('the VirtualService that a release owns stays, as an ordinary one, and is not deleted before the release', async () => {
    const rule = (match: string, subset: string): string =>
      `{${match}route: [{destination: {host: web, subset: ${subset}, port: {number: 9080}}}]}`;
    const http = `[${rule('match: [{uri: {prefix: /old}}], ', 'v2')}, ${rule('', 'v1')}]`;
    const managed = webReleaseYaml('own')
      .replace('{subset: v2}', '{subset: v3}')
      .replace('{adopt: {virtualService: web}}', `{managed: {hosts: ["own.test"], gateways: [edge], http: ${http}}}`);
    const versions = (await readFile(join(scene.files, 'basics.yaml'), 'utf8')).replace(
      '  - {name: v2, labels: {version: v2}}',
      '  - {name: v2, labels: {version: v2}}\n  - {name: v3, labels: {version: v2}}',
    );
    await run('apply', '-f', await fileWith('versions.yaml', versions));
    await run('apply', '-f', await fileWith('managed.yaml', managed), '--wait', 'paused');
    expect((await run('describe', 'vs/own')).stdout).toContain('own: v1 → v3, Paused at 10 %; it owns this object');
    // What weaving says of a rule that leads to another version on purpose.
    for (const asked of ['vs/own', 'release/own'])
      expect((await run('describe', asked)).stdout).toMatch(/spec\.route\.managed\.http\[0\]\S*\s+info\s+PERCH2008/);
    expect(await run('delete', 'vs/own')).toMatchObject({
      code: 2,
      stderr: 'error: virtualservice/own belongs to the release own: delete the release first (perch delete release own)\n',
    });
    // Nothing is said of everyone: one rule leads to v2.
    expect(await run('delete', 'release/own')).toEqual({
      code: 0,
      stdout: 'canaryrelease/own deleted; virtualservice/own, which it owned, stays\n',
      stderr: '',
    });
    expect((await run('delete', 'vs/own')).stdout).toBe('virtualservice/own deleted\n');
  });
});
