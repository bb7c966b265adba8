import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { type HttpRouteRule, rulesOf } from '../../core/gateway-api/http-route.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { unweaveHttpRoute } from '../../core/weave-http-route/unweave-http-route.ts';
import { runCli } from '../run-cli.ts';
import { silentTerminal } from '../terminal/silent-terminal.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perch-plan-http-'));
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

const to = (name: string) => [{ name, port: 80 }];
const path = (value: string) => ({ path: { type: 'PathPrefix' as const, value } });
const PAGES: HttpRouteRule = { name: 'pages', backendRefs: to('web-v1') };
const PINNED: HttpRouteRule = { matches: [{ ...path('/'), headers: [{ name: 'x-pin', value: 'old' }] }], backendRefs: to('web-v0') };
const API: HttpRouteRule = { matches: [path('/api')], backendRefs: to('api') };
const DRAWN: HttpRouteRule = { matches: [path('/drawn')], backendRefs: [...to('web-v1'), ...to('web-v2')] };

const httpRoute = (rules: readonly object[]): KubeObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'web' },
  spec: { parentRefs: [{ name: 'edge' }], hostnames: ['shop.test'], rules },
});
const release = (changes: object = {}): KubeObject => ({
  apiVersion: 'perch.dev/v1alpha1',
  kind: 'CanaryRelease',
  metadata: { name: 'web' },
  spec: {
    service: { host: 'web', port: 80 },
    stable: { host: 'web-v1' },
    canary: { host: 'web-v2' },
    route: { adopt: { httpRoute: 'web' } },
    cohort: 0,
    steps: [
      { weight: 10, hold: '1h' },
      { weight: 100, hold: 'manual' },
    ],
    ...changes,
  },
});
const GATEWAY = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: 'edge' }, spec: {} };

/** The objects in one file, and how it is named. */
async function files(...objects: readonly KubeObject[]): Promise<readonly string[]> {
  const file = join(dir, 'all.yaml');
  await writeFile(file, objects.map((object) => stringify(object)).join('---\n'));
  return ['-f', file];
}

async function rendered(step: string, ...objects: readonly KubeObject[]): Promise<KubeObject> {
  const { code, stdout, stderr } = await run('render', ...(await files(...objects)), '--step', step);
  expect([code, stderr]).toEqual([0, '']);
  const all = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject);
  expect(all.map(({ kind }) => kind)).toEqual(['HTTPRoute']);
  return all[0] ?? expect.fail();
}

describe('perch plan', () => {
  test('tells steps and what becomes of the rules; what is not about HTTPRoutes is left out', async () => {
    const { code, stdout, stderr } = await run('plan', ...(await files(GATEWAY, httpRoute([PINNED, PAGES, API]), release())));
    expect([code, stderr]).toEqual([0, 'note: skipped 1 Gateway: not about routing\n']);
    expect(stdout).toMatchInlineSnapshot(`
      "web  web-v1 → web-v2    2 steps, live after 1h + hold 2

        service  web:80
        draw     at digit 0 of the id's last group: spec.cohort fixes it

      Steps
        STEP   STARTS        HOLD     WEIGHT   CUTOFF
        1      0s            1h       10 %     410
        2      1h            manual   100 %    4096
        end    1h + hold 2

      Objects
        httproute/web, adopted
          step 1      pages becomes 5 rules; 2 others stay as they are
          step 2      pages becomes 3 rules; 2 others stay as they are
          end         pages becomes 3 rules; 2 others stay as they are; everyone on
                      web-v2
      "
    `);
  });

  test('says with the place why a rule is not woven, and shows what changes', async () => {
    const { code, stdout, stderr } = await run('plan', ...(await files(httpRoute([PAGES, DRAWN]), release())), '--diff');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/all\.yaml:\d+:\d+.*PERCH2003/s)]);
    expect(stdout).toContain('--- httproute/web base\n+++ httproute/web step 1\n');
    expect(stdout).toContain('+    - name: perch.default.web.known.canary.0-0\n');
  });

  test('of what cannot be woven at all it says that it would not start', async () => {
    const { code, stdout } = await run('plan', ...(await files(httpRoute([API]), release())));
    expect([code, stdout]).toEqual([1, expect.stringContaining('would not start')]);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('no rule of HTTPRoute default/web leads to web:80 or one of its versions');
  });

  test('--live names a Service', async () => {
    const { stable: _, ...spec } = release().spec as Readonly<Record<string, unknown>>;
    const given = await files(httpRoute([PAGES]), { ...release(), spec });
    const { stdout } = await run('plan', ...given, '--live', 'web-v1', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ releases: [{ outcome: 'starts', stable: { host: 'web-v1' } }] });
  });
});

describe('perch render', () => {
  test('gives the base, each step and the end, the same bytes each time', async () => {
    const objects = [httpRoute([PINNED, PAGES, API]), release()] as const;
    expect(rulesOf(await rendered('base', ...objects))).toEqual([PINNED, PAGES, API]);
    const step = await rendered('1', ...objects);
    expect(rulesOf(step).map(({ name }) => name)).toMatchInlineSnapshot(`
      [
        "perch.default.web.beside.stable.0-0",
        "perch.default.web.known.canary.1-0",
        "perch.default.web.known.stable.1-0",
        "perch.default.web.new.canary.1-0",
        "perch.default.web.new.stable.1-0",
        "perch.default.web.rest.stable.1-0.1.web-v1.80.named.pages",
        undefined,
      ]
    `);
    expect(rulesOf(unweaveHttpRoute(step))).toEqual([PINNED, PAGES, API]);
    const end = await rendered('end', ...objects);
    expect(rulesOf(unweaveHttpRoute(end))).toEqual([PINNED, PAGES, API]);
    expect(rulesOf(end).flatMap(({ backendRefs = [] }) => backendRefs.map(({ name }) => name))).not.toContain('web-v1');
    const given = await files(...objects);
    const [one, other] = [await run('render', ...given, '--step', '1'), await run('render', ...given, '--step', '1')];
    expect(one.stdout).toBe(other.stdout);
    expect(await rendered('1', step, release()), 'what was rendered is taken for its base').toEqual(step);
  });
});

test.each([
  ['a field that does not exist', [{ backendRef: to('web-v1') }], 'PERCH1101', 'did you mean backendRefs?'],
  ['no name', [{ backendRefs: [{ port: 80 }] }], 'PERCH1102', 'spec.rules[0].backendRefs[0].name is missing'],
  ['another kind of value', [{ backendRefs: 'web-v1' }], 'PERCH1103', 'spec.rules[0].backendRefs must be a list'],
  ['a Service without a port', [{ backendRefs: [{ name: 'web-v1' }] }], 'PERCH1104', 'names a Service without a port'],
])('%s: an HTTPRoute in a file is checked as far as weaving reads it', async (_, rules, code, text) => {
  const { code: exit, stderr } = await run('plan', ...(await files(httpRoute(rules), release())));
  expect([exit, stderr]).toEqual([2, expect.stringContaining(code)]);
  expect(stderr).toContain(text);
});
