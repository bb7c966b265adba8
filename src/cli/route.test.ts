import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createScene, type Scene } from '../../test/harness/serve-scene.ts';
import { WEB_ROUTES_YAML, webBasicsYaml, webReleaseYaml } from '../../test/harness/web-manifests.ts';
import { widthOf } from '../core/diagnostics/wrap.ts';
import { routeTrialView } from '../core/view/route-trial-view.ts';
import { runCli } from './run-cli.ts';
import { silentTerminal } from './terminal/silent-terminal.ts';
import { colourStyle } from './terminal/style.ts';
import type { Terminal } from './terminal/terminal.ts';

let dir: string;
let files: readonly string[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'perch-route-'));
  files = [
    ...(await file('basics.yaml', webBasicsYaml({ v1: 9001, v2: 9002 }))),
    ...(await file('routes.yaml', WEB_ROUTES_YAML)),
    ...(await file('release.yaml', webReleaseYaml())),
  ];
});

afterAll(() => rm(dir, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<readonly string[]> {
  await writeFile(join(dir, name), text);
  return ['-f', join(dir, name)];
}

/** Runs `perch route` in this process. */
async function route(args: readonly string[], environment = {}, terminal: Partial<Terminal> = {}) {
  const [written, said]: [string[], string[]] = [[], []];
  const listening = silentTerminal({ out: (text) => written.push(`${text}\n`), err: (text) => said.push(`${text}\n`), ...terminal });
  const context = { terminal: listening, signal: new AbortController().signal, environment, runsUntilEnded: () => {} };
  const code = await runCli(['route', ...args], context);
  return { code, stdout: written.join(''), stderr: said.join('') };
}

/** Of 10 % in buckets, whichever digits the draw looks at. */
const FIRST = '3e4666bf-d5e5-4aa7-b8ce-000000000000';
const LAST = '3e4666bf-d5e5-4aa7-b8ce-ffffffffffff';

describe('in files', () => {
  test('the way of a request, in 80 columns', async () => {
    const { code, stdout, stderr } = await route([...files, 'GET http://localhost:8080/', '--visitor', LAST, '--step', '1']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatchInlineSnapshot(`
      "Goes to web.default.svc.cluster.local:9080, subset v1, by rule “all other known
      visitors (default/web)” of VirtualService default/web.

        ✓ listener    a Gateway, port 8080
        ✓ host        *
        ✗ rule        default/web perch:default/web:known:canary:v1:all
                      known visitors of the canary (default/web): header cookie is
                      "perch=3e4666bf-d5e5-4aa7-b8ce-ffffffffffff", and does not match
                      "(?:.*;
                      ?)?perch=[0-9a-f-]*-[0-9a-f]{3}(?:0|1(?:[0-8]|9[0-9]))[0-9a-f]*(?:;.*)?"
        ✓ rule        default/web perch:default/web:known:stable:v1:all
                      all other known visitors (default/web): header cookie matches
                      "(?:.*; ?)?perch=[0-9a-f-]*-[0-9a-f]{12}(?:;.*)?"
        ✓ destination web.default.svc.cluster.local, port 9080, subset v1: 1 endpoint
      "
    `);
    for (const line of stdout.split('\n')) if (!/\S{60}/.test(line)) expect(widthOf(line), line).toBeLessThanOrEqual(80);
  });

  test('at each step a visitor is where the release has them; before it nothing is woven, which is said', async () => {
    const at = async (visitor: string, ...step: readonly string[]) =>
      (await route([...files, 'http://localhost:8080/', '--visitor', visitor, ...step])).stdout;
    expect(await at(FIRST, '--step', '1')).toMatch(/^Goes to web\.default\.svc\.cluster\.local:9080, subset v2,/);
    expect(await at(LAST, '--step', '1')).toMatch(/^Goes to .*, subset v1,/);
    expect(await at(LAST, '--step', 'end')).toMatch(/^Goes to .*, subset v2,/);
    const before = await at(FIRST);
    expect(before).toMatch(/^Goes to .*, subset v1,/);
    expect(before).toContain('note: The releases of the files have not begun here: --step N');
  });

  test('match blocks of one rule stand together', async () => {
    const many = WEB_ROUTES_YAML.replace('    route:', '    match: [{uri: {exact: /a}}, {uri: {prefix: /b}}]\n    route:');
    const given = [...(await file('many.yaml', many)), ...(await file('basics.yaml', webBasicsYaml({ v1: 9001, v2: 9002 })))];
    const { stdout } = await route([...given, 'http://localhost:8080/c']);
    expect(stdout).toContain('match 1: path is "/c", not "/a"\n                match 2: path is "/c", and does not begin with "/b"\n');
    expect(stdout.match(/✗ rule/g)).toHaveLength(1);
    expect(stdout).toMatch(/^Answered 404/);
  });

  test('files without ServiceEntry are taken as for a cluster, and HTTPRoutes are left out: both are said', async () => {
    const edge = webBasicsYaml({ v1: 1, v2: 2 })
      .split('---\n')
      .filter((text) => !text.includes('kind: ServiceEntry'))
      .join('---\n');
    const httpRoute = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: other}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web, port: 80}]}]}
`;
    const given = await file('cluster.yaml', `${edge}\n---\n${WEB_ROUTES_YAML}\n${httpRoute}`);
    const { code, stdout } = await route([...given, 'http://localhost:8080/', '-o', 'json']);
    const { notes, outcome } = routeTrialView.parse(JSON.parse(stdout));
    expect([code, outcome.kind]).toEqual([0, 'forward']);
    expect(notes).toEqual([
      expect.stringMatching(/^The files declare no ServiceEntry, as for a cluster/),
      'Left out: HTTPRoute default/other, because trials know Istio’s own kinds only.',
    ]);
  });
});

describe('of a runtime', () => {
  let scene: Scene;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    scene = await createScene();
    environment = { PERCH_SERVER: (await scene.serve('-f', scene.files)).server };
  });
  afterAll(() => scene.close());

  test('the routes that it serves decide, at the declared port; headers are sent as given', async () => {
    const { code, stdout } = await route(['GET', 'http://shop.test:8080/', '-H', 'Accept: text/html', '-H', 'x-a:  b '], environment);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Goes to web\.default\.svc\.cluster\.local:9080/)]);
    expect(stdout).not.toContain('note:');
    const refused = await route(['http://shop.test:8080/', '-H', 'host: a', '-H', 'Host: b'], environment);
    expect([refused.code, refused.stdout]).toEqual([0, expect.stringContaining('✗ request     several Host headers')]);
  });

  test('as text, as JSON and as YAML', async () => {
    const asked = ['http://web:9080/', '--mesh', '-H', 'x-request-id: mine'];
    const [text, json, yaml] = await Promise.all(
      [[], ['-o', 'json'], ['-o', 'yaml']].map((form) => route([...asked, ...form], environment)),
    );
    const view = routeTrialView.parse(JSON.parse(json?.stdout ?? ''));
    expect(text?.stdout).toContain(view.sentence);
    expect(parse(yaml?.stdout ?? '')).toEqual(view);
  });

  test('colours only where the terminal has them', async () => {
    const [plain, coloured] = [
      await route(['http://nobody/'], environment),
      await route(['http://nobody/'], environment, { style: colourStyle }),
    ];
    expect(plain.stdout).not.toContain('\u001b');
    expect(coloured.stdout).toContain('\u001b[31mNobody answers.\u001b[39m');
  });
});

test.each([
  ['nothing but a method', ['GET'], '"GET" is no request such as GET http://localhost:8080/|GET is no http or https address'],
  ['three words', ['GET', 'http://a/', 'HTTP/1.1'], 'is no request such as'],
  ['no scheme', ['localhost:8080/a'], 'did you mean http://localhost:8080/a\\?'],
  ['another scheme', ['ftp://a/b'], 'did you mean http://a/b\\?'],
  ['a fragment', ['http://a/#b'], 'has a fragment'],
  ['a header without a colon', ['http://a/', '-H', 'accept'], '-H "accept" is no header: write "Name: value"'],
  ['a header whose name is none', ['http://a/', '-H', 'a(b: c'], '-H "a\\(b: c": a header name'],
  ['what is no visitor id', ['http://a/', '--visitor', 'anna'], '--visitor anna is no visitor id'],
  ['a step without files', ['http://a/', '--step', '1'], '--step is about releases in files: name them with -f'],
  ['a file that does not exist', ['http://a/', '-f', '/nowhere.yaml'], 'nothing was tried'],
  ['no runtime', ['http://a/', '--server', 'http://127.0.0.1:1'], 'cannot reach Perch'],
])('%s: exit 2, and why', async (_, args, message) => {
  const { code, stdout, stderr } = await route(args);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(new RegExp(message));
});

test('a step that the releases of the files do not have', async () => {
  const { code, stderr } = await route([...files, 'http://localhost:8080/', '--step', '9']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no step 9')]);
});
