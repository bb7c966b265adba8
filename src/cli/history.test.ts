import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Finished, perch } from '../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../test/harness/serve-scene.ts';
import type { Serving } from '../../test/harness/serving.ts';
import { webReleaseYaml } from '../../test/harness/web-manifests.ts';
import { widthOf } from '../core/diagnostics/wrap.ts';
import { runCli } from './run-cli.ts';
import { silentTerminal } from './terminal/silent-terminal.ts';
import { colourStyle } from './terminal/style.ts';

// `perch history` of one release in a real runtime. The tests build on each other, as its life goes on.

let scene: Scene;
let served: Serving;

beforeAll(async () => {
  scene = await createScene();
  served = await scene.serve('-f', scene.files);
  await run('apply', '-f', await releaseFile(), '--by', 'ann', '--wait', 'paused');
});

afterAll(() => scene.close());

/** Runs a command within this process, with a pipe for its output. */
async function run(...args: readonly string[]): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  const terminal = silentTerminal({
    out: (text) => (said.stdout += `${text}\n`),
    err: (text) => (said.stderr += `${text}\n`),
    outColumns: () => Number.POSITIVE_INFINITY,
  });
  const context = { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
  return { code: await runCli([...args, '--server', served.server], context), ...said };
}

async function releaseFile(change: (yaml: string) => string = (yaml) => yaml): Promise<string> {
  const path = join(scene.dir, 'release.yaml');
  await writeFile(path, change(webReleaseYaml()));
  return path;
}

/** What a command prints on a terminal of 80 columns. */
async function onTerminal(...args: readonly string[]): Promise<readonly string[]> {
  const said: string[] = [];
  const terminal = silentTerminal({ style: colourStyle, out: (text) => said.push(...text.split('\n')) });
  const context = { terminal, signal: new AbortController().signal, environment: {}, runsUntilEnded: () => {} };
  expect(await runCli([...args, '--server', served.server], context)).toBe(0);
  return said;
}

/** The events of a text: reason and what happened, without their times. */
function eventsIn(text: string): readonly string[] {
  return [...text.matchAll(/^ {2}20\S+Z +([A-Z]\w+) +(.*)$/gm)].map(([, reason = '', message = '']) => `${reason}: ${message}`);
}

const START = [
  'Created: canary v2, stable v1, steps 10/50/100 (by ann)',
  'Started: release from v1 to v2 starts',
  'StepStarted: step 1 of 3: 10 %',
  'StepConfirmed: 10 % is served',
  'Paused: manual hold at 10 %: promote to go on',
];

test('what happened, the newest at the end; a line each in a pipe, without colours', async () => {
  const { code, stdout, stderr } = await perch(['history', 'web'], { PERCH_SERVER: served.server });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Events\n {2}TIME +EVENT +WHAT HAPPENED\n/);
  expect(eventsIn(stdout)).toEqual(START);
});

test('who asked for what, and what came of it; the release that ended, in a summary', async () => {
  await run('pause', 'web', '--by', 'bob');
  await run('apply', '-f', await releaseFile((yaml) => yaml.replace('weight: 50', 'weight: 60')), '--by', 'ann');
  await run('rollback', 'web', '--by', 'on-call: errors');
  const { stdout } = await run('history', 'web');
  expect(stdout).toMatch(/^Past releases\n.*\n {2}20\S+Z +RolledBack +\d+s +v1 → v2, requested \(by on-call: errors\)\n\nEvents\n/);
  const told = eventsIn(stdout.slice(stdout.indexOf('\nEvents\n'))).slice(START.length);
  expect(told).toEqual([
    'Requested: pause asked for (by bob)',
    'RequestRefused: pause refused: the release is paused already (by bob)',
    'SpecChanged: steps 10/50/100 → 10/60/100 (by ann)',
    'Requested: rollback asked for (by on-call: errors)',
    'RollingBack: rolling back to v1 from 10 %: requested (by on-call: errors)',
    'RolledBack: everyone is on v1 (by on-call: errors)',
  ]);
});

test('on a terminal no line is wider than it: what is too long goes on below itself; warnings have a colour', async () => {
  for (const command of ['history', 'describe release']) {
    const lines = await onTerminal(...command.split(' '), 'web');
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(80);
    const text = stripVTControlCharacters(lines.join('\n'));
    expect(text).toMatch(/^ {2}20\S+Z +RollingBack +rolling back to v1 from 10 %:\n {42}requested \(by on-call: errors\)$/m);
    expect(lines.join('\n')).toContain('\u001b[33mRollingBack\u001b[39m');
  }
});

test('the last so many; the rest is not kept back in silence', async () => {
  const { code, stdout, stderr } = await run('history', 'web', '--limit', '2');
  expect([code, stderr]).toEqual([0, 'there are earlier events: --limit 200 shows all that are kept\n']);
  expect(eventsIn(stdout.slice(stdout.indexOf('\nEvents\n')))).toHaveLength(2);
  expect((await run('history', 'web', '--limit', '200')).stderr).toBe('');
});

test('for programs: everything, in the same order', async () => {
  const { code, stdout } = await run('history', 'web', '-o', 'json');
  const json = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(json).toMatchObject({
    namespace: 'default',
    name: 'web',
    releases: [{ outcome: 'RolledBack', stable: { subset: 'v1' }, canary: { subset: 'v2' }, by: 'on-call: errors' }],
  });
  expect(json.events[0]).toMatchObject({ id: expect.any(Number), type: 'Normal', reason: 'Created', by: 'ann' });
  expect(json.events.at(-1)).toMatchObject({ type: 'Warning', reason: 'RolledBack', by: 'on-call: errors' });
  expect(parse((await run('history', 'web', '-o', 'yaml')).stdout)).toEqual(json);
  const { events: _, ...releases } = json;
  expect(JSON.parse((await run('history', 'web', '--releases', '-o', 'json')).stdout)).toEqual(releases);
  expect((await run('history', 'web', '--releases')).stdout).not.toContain('Events');
});

test('the report shows the last ones', async () => {
  const { stdout } = await run('describe', 'release', 'web');
  const [, last = ''] = stdout.split('\nLast events\n');
  expect(eventsIn(last)).toHaveLength(5);
  expect(eventsIn(last).at(-1)).toBe('RolledBack: everyone is on v1 (by on-call: errors)');
});

test('a release that was deleted, by whom; and one that never was', async () => {
  await run('delete', 'release', 'web', '--by', 'eve');
  const { code, stdout } = await run('history', 'web');
  expect(code).toBe(0);
  expect(eventsIn(stdout).slice(-2)).toEqual([
    'DeletionRequested: deletion asked for: its routes go to the live version first (by eve)',
    'Deleted: the release was deleted; its routes lead to v1',
  ]);
  expect(await run('history', 'web', '--releases')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('was deleted') });
  expect(await run('history', 'wbe')).toEqual({ code: 2, stdout: '', stderr: 'error: there is no CanaryRelease default/wbe\n' });
});

test('a runtime that is killed then has all of it, and its log has had a line for each change that was asked for', async () => {
  const before = (await run('history', 'web')).stdout;
  await served.process.stop('SIGKILL');
  const audit = [...served.process.stderr.matchAll(/^audit: 20\S+Z (.*)$/gm)].map(([, line]) => line);
  expect(audit).toEqual([
    expect.stringMatching(/^files apply: Gateway default\/edge created, .*VirtualService default\/web created$/),
    'ann (api) apply: CanaryRelease default/web created',
    expect.stringMatching(/^bob pause CanaryRelease default\/web \(request [0-9a-f-]{36}\): accepted$/),
    'ann (api) apply: CanaryRelease default/web configured',
    expect.stringMatching(/^on-call: errors rollback CanaryRelease default\/web \(request [0-9a-f-]{36}\): accepted$/),
    'eve (api) delete CanaryRelease default/web: accepted',
  ]);
  served = await scene.serve();
  expect((await run('history', 'web')).stdout).toBe(before);
});
