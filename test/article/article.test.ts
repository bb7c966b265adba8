import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, perch } from '../harness/perch-process.ts';
import { type Serving, startServing } from '../harness/serving.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections } from '../harness/visitor.ts';
import { type ArticleSite, callReviews, expectShare, lastStagesCases, thirdStageCases } from './article-stages.cases.ts';

// The article's five files, byte for byte, in the order of the article. Only the endpoints have the ports of this run.
// The tests build on each other: stages 1 to 3 are served, 4 and 5 are applied.

const ARTICLE = fileURLToPath(new URL('../../examples/article', import.meta.url));
/** Ports of the endpoints in the example, in the order of the versions. */
const EXAMPLE_PORTS = { v1: 19083, v2: 19084, v3: 19085 };

let dir: string;
let agent: Agent;
let served: Serving;
const versions: VersionServer[] = [];

const stage = (name: string): string => join(ARTICLE, name);
const run = (...args: readonly string[]): Promise<Finished> => perch(args, { PERCH_SERVER: served.server });
const portOf = (origin: string): number => Number(new URL(origin).port);
const site = (): ArticleSite => ({
  agent,
  meshPort: portOf(served.mesh),
  ingressPort: portOf(served.ingress),
  async apply(file, edit = (text) => text) {
    const path = join(dir, file);
    writeFileSync(path, edit(readFileSync(stage(file), 'utf8')));
    expect((await run('apply', '-f', path)).stdout).toBe('virtualservice/reviews configured\n');
  },
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'perch-article-'));
  agent = connections();
  let endpoints = readFileSync(stage('endpoints.yaml'), 'utf8');
  for (const [version, port] of Object.entries(EXAMPLE_PORTS)) {
    const server = await startVersion(version);
    versions.push(server);
    expect(endpoints).toContain(`http: ${port}\n`);
    endpoints = endpoints.replace(`http: ${port}\n`, `http: ${server.port}\n`);
  }
  writeFileSync(join(dir, 'endpoints.yaml'), endpoints);
  const files = [...['1-gateway.yaml', '2-destination-rule.yaml', '3-ten-percent.yaml'].map(stage), join(dir, 'endpoints.yaml')];
  served = await startServing(['--data', join(dir, 'data'), ...files.flatMap((file) => ['-f', file])]);
});

afterAll(async () => {
  await served.process.stop('SIGKILL');
  agent.destroy();
  await Promise.all(versions.map((server) => server.close()));
  rmSync(dir, { recursive: true, force: true });
});

thirdStageCases(site);

test('a bad file changes nothing, and the error names file, line and column', async () => {
  const before = await run('get', 'vs', '-o', 'json');
  const [good, bad] = [join(dir, 'good.yaml'), join(dir, 'bad.yaml')];
  const widen = readFileSync(stage('4-widen.yaml'), 'utf8');
  writeFileSync(good, widen.replace('name: reviews', 'name: other').replace('- reviews', '- other'));
  writeFileSync(bad, widen.replace('subset: v2', 'subste: v2'));
  const { code, stdout, stderr } = await run('apply', '-f', good, '-f', bad);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${bad}:16:9  PERCH`);
  expect(stderr).toContain('did you mean subset');
  expect(await run('get', 'vs', '-o', 'json')).toEqual(before);
  expectShare(await callReviews(site(), 2000), 0.1);
});

lastStagesCases(site);

test('after a restart with the files of stage 3, stage 5 is still what is served', async () => {
  await served.process.stop('SIGKILL');
  const files = ['1-gateway.yaml', '2-destination-rule.yaml', '3-ten-percent.yaml'].map(stage);
  served = await startServing(['--data', join(dir, 'data'), ...files.flatMap((file) => ['-f', file])]);
  expect((await callReviews(site(), 200)).filter(({ body }) => body === 'v2')).toHaveLength(200);
});
