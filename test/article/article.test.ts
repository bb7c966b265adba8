import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, perch } from '../harness/perch-process.ts';
import { type Serving, startServing } from '../harness/serving.ts';
import { startVersion, type VersionServer } from '../harness/version-server.ts';
import { connections, inParallel, type Visit, Visitor } from '../harness/visitor.ts';

// The article's five files, byte for byte, in the order of the article. Only the endpoints have the ports of this run.
// The tests build on each other: stages 1 to 3 are served, 4 and 5 are applied.

const ARTICLE = fileURLToPath(new URL('../../examples/article', import.meta.url));
const COOKIE = 'reviews-cookie=REVIRES-V2';
const GIVEN = `${COOKIE}; Max-Age=21600`;
const TAKEN = `${COOKIE}; Max-Age=-1`;
/** Ports of the endpoints in the example, in the order of the versions. */
const EXAMPLE_PORTS = { v1: 19083, v2: 19084, v3: 19085 };

let dir: string;
let agent: Agent;
let served: Serving;
const versions: VersionServer[] = [];

const stage = (name: string): string => join(ARTICLE, name);
const run = (...args: readonly string[]): Promise<Finished> => perch(args, { PERCH_SERVER: served.server });
const portOf = (origin: string): number => Number(new URL(origin).port);
const setCookies = ({ headers }: Visit): readonly string[] => headers['set-cookie'] ?? [];

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

/** Calls of `reviews` inside the mesh, as productpage makes them; `cookie`: what its caller carries. */
async function calls(count: number, cookie?: string): Promise<readonly Visit[]> {
  const headers = { host: 'reviews', ...(cookie === undefined ? {} : { cookie }) };
  const answers = await inParallel(Array.from({ length: count }), 16, () =>
    new Visitor(agent, portOf(served.mesh)).get('/reviews/0', headers),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  return answers;
}

/** That v2 answers with this share, within 5 standard deviations of the binomial distribution. */
function expectShare(answers: readonly Visit[], share: number): void {
  const found = answers.filter(({ body }) => body === 'v2').length / answers.length;
  const sd = Math.sqrt((share * (1 - share)) / answers.length);
  expect(Math.abs(found - share), `${found} on v2, wanted ${share}`).toBeLessThan(5 * sd);
  expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['v1', 'v2']));
}

/** The cookie comes with every answer of v2, exactly as the file has it, and with none of v1. */
function expectCookieOnV2(answers: readonly Visit[]): void {
  for (const answer of answers) expect(setCookies(answer)).toEqual(answer.body === 'v2' ? [GIVEN] : []);
}

async function expectNothingAtIngress(): Promise<void> {
  const visitor = new Visitor(agent, portOf(served.ingress));
  for (const headers of [{}, { host: 'reviews' }, { host: 'reviews', cookie: COOKIE }]) {
    const answer = await visitor.visit('/reviews/0', headers);
    expect([answer.status, answer.body, setCookies(answer)]).toEqual([404, '', []]);
  }
}

test('stage 3: nine of ten calls go to v1; v2 answers the others and gives its cookie', async () => {
  const answers = await calls(3000);
  expectShare(answers, 0.1);
  expectCookieOnV2(answers);
});

test('stage 3: the cookie leads to v2 for good, and is not given again', async () => {
  for (const cookie of [COOKIE, `session=1; ${COOKIE}; theme=dark`]) {
    const answers = await calls(200, cookie);
    expect(answers.filter(({ body }) => body === 'v2')).toHaveLength(200);
    expect(answers.flatMap(setCookies)).toEqual([]);
  }
});

test('stage 3: whoever has no cookie is drawn anew with each call, until v2 keeps them', async () => {
  const visitors = Array.from({ length: 50 }, () => new Visitor(agent, portOf(served.mesh)));
  const seen = await inParallel(visitors, 16, async (visitor) => {
    const bodies: string[] = [];
    for (let call = 0; call < 40; call++) bodies.push((await visitor.get('/reviews/0', { host: 'reviews' })).body);
    return bodies.join('');
  });
  for (const bodies of seen) expect(bodies).toMatch(/^(v1)*(v2)*$/);
  // 1 - 0.9^40 = 98.5 % of them: the canary of 10 % that reaches nearly everyone.
  expect(seen.filter((bodies) => bodies.endsWith('v2')).length).toBeGreaterThan(40);
});

test('every name of the service means the same, another service is not there', async () => {
  const visitor = new Visitor(agent, portOf(served.mesh));
  for (const host of ['reviews', 'reviews:9080', 'reviews.default', 'reviews.default.svc', 'reviews.default.svc.cluster.local:9080']) {
    expect((await visitor.get('/reviews/0', { host, cookie: COOKIE })).body).toBe('v2');
  }
  expect((await visitor.get('/', { host: 'ratings' })).status).toBe(502);
});

test('at the ingress there is nothing: the VirtualService names no gateways', expectNothingAtIngress);

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
  expectShare(await calls(2000), 0.1);
});

test.each([20, 40, 60, 80])('stage 4, edited as its comment says: %i of 100 calls go to v2', async (weight) => {
  const text = readFileSync(stage('4-widen.yaml'), 'utf8');
  const edited = text.replace('weight: 0 ', `weight: ${100 - weight} `).replace('weight: 100 ', `weight: ${weight} `);
  expect(edited).not.toBe(text);
  writeFileSync(join(dir, 'widen.yaml'), edited);
  expect((await run('apply', '-f', join(dir, 'widen.yaml'))).stdout).toBe('virtualservice/reviews configured\n');
  const answers = await calls(2000);
  expectShare(answers, weight / 100);
  expectCookieOnV2(answers);
});

test('stage 4: everyone is on v2 and is given the cookie, also who has it', async () => {
  expect((await run('apply', '-f', stage('4-widen.yaml'))).stdout).toBe('virtualservice/reviews configured\n');
  for (const answer of [...(await calls(500)), ...(await calls(100, COOKIE))]) {
    expect([answer.body, setCookies(answer)]).toEqual(['v2', [GIVEN]]);
  }
  await expectNothingAtIngress();
});

test('stage 5: everyone is on v2; the cookie is taken from those who have it', async () => {
  expect((await run('apply', '-f', stage('5-finish.yaml'))).stdout).toBe('virtualservice/reviews configured\n');
  for (const answer of await calls(500)) expect([answer.body, setCookies(answer)]).toEqual(['v2', []]);
  for (const answer of await calls(100, COOKIE)) expect([answer.body, setCookies(answer)]).toEqual(['v2', [TAKEN]]);
  const visitor = new Visitor(agent, portOf(served.mesh));
  visitor.cookies.set('reviews-cookie', 'REVIRES-V2');
  await visitor.get('/reviews/0', { host: 'reviews' });
  expect([...visitor.cookies]).toEqual([]);
  await expectNothingAtIngress();
});

test('after a restart with the files of stage 3, stage 5 is still what is served', async () => {
  await served.process.stop('SIGKILL');
  const files = ['1-gateway.yaml', '2-destination-rule.yaml', '3-ten-percent.yaml'].map(stage);
  served = await startServing(['--data', join(dir, 'data'), ...files.flatMap((file) => ['-f', file])]);
  expect((await calls(200)).filter(({ body }) => body === 'v2')).toHaveLength(200);
});
