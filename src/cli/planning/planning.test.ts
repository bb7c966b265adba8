import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../../../test/harness/web-manifests.ts';
import { runCli } from '../run-cli.ts';
import { silentTerminal } from '../terminal/silent-terminal.ts';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perch-plan-'));
  await writeFile(join(dir, 'a.yaml'), webBasicsYaml({ v1: 9001, v2: 9002 }));
  await writeFile(join(dir, 'b.yaml'), WEB_ROUTES_YAML);
  await writeFile(join(dir, 'release.yaml'), webReleaseYaml());
});

afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs a command line in this process. */
async function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [written, said]: [string[], string[]] = [[], []];
  const terminal = silentTerminal({
    out: (text) => written.push(`${text}\n`),
    raw: (text) => written.push(text),
    err: (text) => said.push(`${text}\n`),
  });
  const code = await runCli(args, { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} });
  return { code, stdout: written.join(''), stderr: said.join('') };
}

const all = () => ['-f', join(dir, 'a.yaml'), join(dir, 'b.yaml'), join(dir, 'release.yaml')];

/** The release with parts of its text replaced, among the other files. */
async function changed(from: string | RegExp, to: string): Promise<readonly string[]> {
  await writeFile(join(dir, 'changed.yaml'), webReleaseYaml().replace(from, to));
  return ['-f', join(dir, 'a.yaml'), join(dir, 'b.yaml'), join(dir, 'changed.yaml')];
}

describe('perch plan', () => {
  test('tells steps, visitors and objects', async () => {
    const { code, stdout, stderr } = await run('plan', ...all(), '--visitors-per-minute', '100');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatchInlineSnapshot(`
      "web  v1 → v2    3 steps, live after 1h + holds 1, 3

        service  web:9080
        draw     at digit 3 of the id's last group, with 0 releases started on web
                 before (--started); a whole-number spec.revision, or spec.cohort,
                 would fix it

      Steps
        STEP   STARTS            HOLD     WEIGHT   CUTOFF
        1      0s                manual   10 %     410
        2      hold 1            1h       50 %     2048
        3      1h + hold 1       manual   100 %    4096
        end    1h + holds 1, 3

      Visitors, at 100 new visitors a minute (in brackets: 95 of 100 releases)
        STEP   NEW     ON CANARY               ON STABLE               MOVE TO CANARY
        1      -       -                       -                       -
        2      6,000   3,000 (2,924 … 3,076)   3,000 (2,924 … 3,076)   -
        3      -       -                       -                       -
        -: depends on how long a manual hold lasts; --manual-hold says how long.

      Objects
        virtualservice/web, adopted
          step 1      all becomes 5 rules
          step 2      the same rules, with the step’s weight
          step 3      all becomes 3 rules
          end         all becomes 3 rules; everyone on v2
      "
    `);
  });

  test('with --manual-hold all times and counts are known; with a whole-number revision the draw depends on nothing else', async () => {
    const files = await changed('spec:\n', 'spec:\n  revision: 3\n');
    const { stdout } = await run('plan', ...files, '--visitors-per-minute', '100', '--manual-hold', '10m');
    expect(stdout).toMatch(/the name web and spec\.revision fix\s+it/);
    expect(stdout).toMatch(/^ {2}2 {6}10m {6}1h /m);
    expect(stdout).toMatch(/^ {2}2 {6}6,000 {3}3,000 \(2,924 … 3,076\) /m);
    expect(stdout).not.toContain('--manual-hold');
  });

  test('of draws counts first draws, never visitors', async () => {
    const files = await changed('steps:', 'affinity: {mode: canaryOnly}\n  steps:');
    const { stdout } = await run('plan', ...files, '--visitors-per-minute', '100', '--manual-hold', '1m');
    expect(stdout).toContain('First draws, at 100 new visitors a minute');
    expect(stdout).toMatch(/^ {2}1 {6}100 {5}10 \(5 … 16\)/m);
    expect(stdout).not.toMatch(/CUTOFF|MOVE TO/);
    expect(stdout).toContain('the cookie perch-web=v2-');
  });

  test('--diff: from base to step to step to end', async () => {
    const { stdout } = await run('plan', ...all(), '--diff');
    expect(stdout.match(/^(?:---|\+\+\+) .*/gm)).toEqual(
      ['base', 'step 1', 'step 1', 'step 2', 'step 2', 'step 3', 'step 3', 'end'].map(
        (at, index) => `${index % 2 === 0 ? '---' : '+++'} virtualservice/web ${at}`,
      ),
    );
    expect(stdout).toContain('\n+    - name: perch:default/web:known:canary:v1:all\n');
  });

  test('says which rules are not woven, and why, at their place', async () => {
    const to = (subset: string, weight = ''): string => `{destination: {host: web, subset: ${subset}, port: {number: 9080}}${weight}}`;
    const routes = `${WEB_ROUTES_YAML.slice(0, WEB_ROUTES_YAML.indexOf('  http:'))}  http:
  - {match: [{uri: {prefix: /a}}], route: [${to('v1')}]}
  - {name: split, match: [{uri: {prefix: /b}}], route: [${to('v1', ', weight: 90')}, ${to('v2', ', weight: 10')}]}
  - {match: [{uri: {prefix: /c}}], route: [${to('v1')}]}
`;
    await writeFile(join(dir, 'routes.yaml'), routes);
    const { code, stdout, stderr } = await run('plan', '-f', ...['a', 'routes', 'release'].map((name) => join(dir, `${name}.yaml`)));
    expect(code).toBe(0);
    expect(stdout).toContain('step 1      rule 1, rule 3 become 5 rules each; 1 other stays as it is');
    expect(stderr).toMatch(/routes\.yaml:9:49 {2}warning PERCH2003/);
  });

  test('releases that cannot be there together are refused, at their place', async () => {
    await writeFile(join(dir, 'second.yaml'), webReleaseYaml('other'));
    const { code, stdout, stderr } = await run('plan', ...all(), join(dir, 'second.yaml'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/second\.yaml:\d+:\d+ {2}PERCH3050[\s\S]*nothing was planned/);
  });

  test('for programs: everything, with places in files', async () => {
    const { code, stdout } = await run('plan', ...(await changed('virtualService: web', 'virtualService: wep')), '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      releases: [
        {
          name: 'web',
          outcome: 'waits',
          findings: [{ code: 'PERCH3051', source: { file: join(dir, 'changed.yaml'), line: 8 } }],
          steps: [{ step: 1, weight: 10, hold: 'manual' }, { weight: 50 }, { weight: 100 }],
        },
      ],
    });
  });

  test.each([
    ['a version that the files do not declare', 'subset: v2', 'subset: v9', 1, /web would not start as things stand/],
    ['a mistake in a file', 'weight: 50', 'weight: 5', 2, /changed\.yaml:11:14 {2}PERCH1204 [\s\S]*1 error; nothing was planned/],
    ['no release', 'CanaryRelease', 'Deployment', 2, /the files hold no CanaryRelease|PERCH/],
  ])('%s', async (_what, from, to, expected, message) => {
    const { code, stderr } = await run('plan', ...(await changed(from, to)));
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
  });
});

describe('perch render', () => {
  test('the same files give the same bytes', async () => {
    const [first, second] = [await run('render', ...all(), '--step', '2'), await run('render', ...all(), '--step', '2')];
    expect(first).toEqual(second);
    expect(first).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('perch:default/web:known:canary:v1:all') });
  });

  test('base is the file’s own, end leads to the canary', async () => {
    expect((await run('render', ...all(), '--step', 'base')).stdout).toContain(
      '    - name: all\n      route:\n        - destination:\n            host: web\n            subset: v1\n',
    );
    const { stdout } = await run('render', ...all(), '--step', 'end');
    expect(stdout).toContain('subset: v2');
    expect(stdout).not.toContain('subset: v1');
  });

  test('what was rendered can be rendered again: it is taken for the base that it was made of', async () => {
    const { stdout } = await run('render', ...all(), '--step', '1');
    await writeFile(join(dir, 'rendered.yaml'), stdout);
    const again = ['-f', join(dir, 'a.yaml'), join(dir, 'rendered.yaml'), join(dir, 'release.yaml')];
    expect((await run('render', ...again, '--step', '2')).stdout).toBe((await run('render', ...all(), '--step', '2')).stdout);
    expect((await run('render', ...again, '--step', 'base')).stdout).toBe((await run('render', ...all(), '--step', 'base')).stdout);
  });

  test.each([
    [['--step', '4'], 2, /web has 3 steps: there is no step 4; after the last comes end/],
    [['--step', '0'], 2, /not a step: a number from 1, base or end/],
    [['wep', '--step', '1'], 2, /the files hold no release wep: did you mean web\?/],
  ])('%j', async (args, expected, message) => {
    const { code, stdout, stderr } = await run('render', ...args, ...all());
    expect([code, stdout]).toEqual([expected, '']);
    expect(stderr).toMatch(message);
  });

  test('a release that would not start: nothing on stdout, why on stderr', async () => {
    const { code, stdout, stderr } = await run('render', ...(await changed('virtualService: web', 'virtualService: wep')), '--step', '1');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/changed\.yaml:8:35 {2}PERCH3051[\s\S]*web would not start: VirtualService default\/wep/);
  });
});
