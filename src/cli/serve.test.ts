import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { get } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeCertificate } from '../../test/harness/certificates.ts';
import { PerchProcess, perch } from '../../test/harness/perch-process.ts';
import { createScene, type Scene } from '../../test/harness/serve-scene.ts';
import { FREE_PORTS } from '../../test/harness/serving.ts';
import { startVersion } from '../../test/harness/version-server.ts';
import { WEB_ROUTES_YAML, webReleaseYaml } from '../../test/harness/web-manifests.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await createScene();
});

afterEach(async () => {
  await scene.close();
});

/** Holds a port, as another program would. */
async function occupied<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    return await use(address.port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test('serves the files, says where, and ends by Ctrl-C with everything closed', async () => {
  const { process, ingress, server } = await scene.serve('-f', scene.files);
  expect(process.stdout).toContain('gateway/edge created\n');
  expect(process.stdout).toMatch(
    / data +\S+\n {2}dashboard +http:\/\/127.0.0.1:\d+\n {2}API +http:\/\/127.0.0.1:\d+\/api\/v1\/releases\n {2}ingress +http:\/\/localhost:\d+ +\(declared 8080\)\n/,
  );
  expect(await (await fetch(ingress)).text()).toBe('v1');
  expect((await fetch(`${server}/readyz`)).status).toBe(200);
  expect(await process.stop('SIGINT')).toBe(130);
  await expect(fetch(server)).rejects.toThrow();
  await expect(fetch(ingress)).rejects.toThrow();
  expect(process.stderr).toMatch(/^audit: 20\S+Z files apply: Gateway default\/edge created, [^\n]+\n$/);
});

test('Prometheus is told of the release, and of the visitors whom the API counts', async () => {
  await writeFile(join(scene.files, 'release.yaml'), webReleaseYaml());
  const { server, ingress } = await scene.serve('-f', scene.files);
  const metrics = async () => (await fetch(`${server}/metrics`)).text();
  await expect.poll(metrics).toContain('perch_release_weight{namespace="default",name="web"} 10');
  for (let visitor = 0; visitor < 20; visitor += 1) await (await fetch(ingress, { headers: { accept: 'text/html' } })).text();
  const counted = async () => {
    const view = (await (await fetch(`${server}/api/v1/releases/default/web`)).json()) as {
      readonly exposure: { readonly real: { readonly requests: { readonly stable: number; readonly canary: number } } };
    };
    return view.exposure.real.requests;
  };
  await expect.poll(async () => (await counted()).stable + (await counted()).canary).toBe(20);
  const { canary } = await counted();
  expect(await metrics()).toContain(`perch_release_exposure_requests{namespace="default",name="web",cohort="canary"} ${canary}\n`);
  expect(await metrics()).toMatch(/^perch_reconcile_total\{result="done"\} [1-9]/m);
});

test('a restart serves what is stored, without files, before anything else', async () => {
  const first = await scene.serve('-f', scene.files);
  await first.process.stop('SIGTERM');
  const second = await scene.serve();
  expect(await (await fetch(second.ingress)).text()).toBe('v1');
  expect((await perch(['get', 'vs', '-o', 'name'], { PERCH_SERVER: second.server })).stdout).toBe('virtualservice/web\n');
});

test('the same files change nothing at the next start, not even what was applied later', async () => {
  const first = await scene.serve('-f', scene.files);
  const moved = join(scene.dir, 'moved.yaml');
  await writeFile(moved, WEB_ROUTES_YAML.replace('subset: v1', 'subset: v2'));
  await perch(['apply', '-f', moved], { PERCH_SERVER: first.server });
  await expect.poll(async () => (await fetch(first.ingress)).text()).toBe('v2');
  await first.process.stop('SIGKILL');
  const second = await scene.serve('-f', scene.files);
  expect(await (await fetch(second.ingress)).text()).toBe('v2');
  expect(second.process.stdout).not.toContain('configured');
});

test('a second instance on the same data is refused in one line; the first goes on', async () => {
  const first = await scene.serve('-f', scene.files);
  const { code, stderr, stdout } = await perch(['serve', ...FREE_PORTS, '--data', scene.data]);
  expect([code, stdout]).toEqual([2, '']);
  // Linux tells who it is.
  const who = process.platform === 'linux' ? ` (process ${first.process.pid})` : '';
  expect(stderr).toBe(`error: another perch${who} uses ${scene.data}: stop it, or choose another directory with --data\n`);
  expect(await (await fetch(first.ingress)).text()).toBe('v1');
});

test('a port in use: which, and the option that moves it', async () => {
  await occupied(async (port) => {
    const api = await perch(['serve', ...FREE_PORTS, '--data', scene.data, '--api-port', String(port)]);
    expect([api.code, api.stderr]).toEqual([
      2,
      `error: port ${port} is in use by another program: stop it, or run perch serve --api-port ${port + 10} ...\n`,
    ]);
    const proxy = await perch(['serve', ...FREE_PORTS, '--data', scene.data, '--proxy-port', String(port)]);
    expect(proxy.stderr).toBe(
      `error: port ${port} is in use by another program: stop it, or run perch serve --proxy-port ${port + 10} ...\n`,
    );
    const ingress = await perch(['serve', ...FREE_PORTS, '--data', scene.data, '--map', `8080=${port}`, '-f', scene.files]);
    expect(ingress.code).toBe(2);
    expect(ingress.stderr).toContain(
      `error: port ${port} is in use by another program: stop it, or run perch serve --map 8080=${port + 10} ...\n`,
    );
  });
  // Nothing was left half done: the same directory serves.
  expect(await (await fetch((await scene.serve('-f', scene.files)).ingress)).text()).toBe('v1');
});

test('a port that was taken can be given up in the files: the next start serves them', async () => {
  await occupied(async (port) => {
    const basics = await readFile(join(scene.files, 'basics.yaml'), 'utf8');
    const onPort = (wanted: number): Promise<void> =>
      writeFile(join(scene.files, 'basics.yaml'), basics.replace('number: 8080', `number: ${wanted}`));
    await onPort(port);
    expect((await perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files])).code).toBe(2);
    expect((await perch(['serve', ...FREE_PORTS, '--data', scene.data])).stderr).toContain(`port ${port} is in use by another program`);
    await onPort(8080);
    expect(await (await fetch((await scene.serve('-f', scene.files)).ingress)).text()).toBe('v1');
  });
});

test('status --watch says when the runtime is gone, and goes on when it is back', async () => {
  const first = await scene.serve('-f', scene.files);
  const release = join(scene.dir, 'release.yaml');
  await writeFile(release, webReleaseYaml());
  await perch(['apply', '-f', release], { PERCH_SERVER: first.server });
  const watch = new PerchProcess(['status', '--watch'], { PERCH_SERVER: first.server });
  await watch.until(/web v1 → v2: Paused, step 1 of 3/);
  await first.process.stop('SIGKILL');
  await watch.until(/connection lost, retrying/);
  await scene.serve('--api-port', new URL(first.server).port);
  await watch.until(/connected again/);
  await perch(['promote', 'web'], { PERCH_SERVER: first.server });
  await watch.until(/web v1 → v2: Progressing, step 2 of 3/);
  expect(await watch.stop('SIGTERM')).toBe(130);
});

test('a bad file: every mistake with its place, exit 2', async () => {
  await writeFile(join(scene.files, 'release.yaml'), webReleaseYaml().replace('hold: 1h', 'hold: soon'));
  const { code, stdout, stderr } = await perch(['serve', ...FREE_PORTS, '--data', scene.data, '-f', scene.files]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`${join(scene.files, 'release.yaml')}:11:`);
  expect(stderr).toMatch(/error: 1 error; nothing was applied\n$/);
});

test('--watch applies a change, keeps what was applied before when it is bad, and --prune lets go of what left', async () => {
  const { process, ingress } = await scene.serve('-f', scene.files, '--watch', '--prune');
  const routes = join(scene.files, 'routes.yaml');
  await writeFile(routes, WEB_ROUTES_YAML.replace('subset: v1', 'subset: v2'));
  await process.until(/virtualservice\/web configured/);
  await expect.poll(async () => (await fetch(ingress)).text()).toBe('v2');

  await writeFile(routes, WEB_ROUTES_YAML.replace('subset: v1', 'sbset: v1'));
  await process.until(/did you mean subset/);
  await process.until(/what was applied before stays/);
  expect(await (await fetch(ingress)).text()).toBe('v2');

  await rm(routes);
  await process.until(/virtualservice\/web pruned/);
  await expect.poll(async () => (await fetch(ingress)).status).toBe(404);
});

test('--access-log writes a line of JSON for each request', async () => {
  const log = join(scene.dir, 'access.log');
  const { process, ingress } = await scene.serve('-f', scene.files, '--access-log', log);
  await (await fetch(`${ingress}/hello`)).text();
  await process.stop('SIGTERM');
  const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ method: 'GET' });
});

test('Prometheus is told of requests as Istio’s proxies tell of them, and a collector of spans', async () => {
  const posted: { readonly path: string | undefined; readonly text: string }[] = [];
  const collector = createHttpServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => {
      text += part.toString();
    });
    request.on('end', () => {
      posted.push({ path: request.url, text });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  try {
    const { process, ingress, server } = await scene.serve('-f', scene.files, '--otlp-endpoint', url);
    for (let count = 0; count < 3; count += 1) await (await fetch(`${ingress}/hello`)).text();
    await (await fetch(`${ingress.replace('localhost', '127.0.0.1')}/hello`, { headers: { host: 'other.test' } })).text();
    const metrics = await (await fetch(`${server}/metrics`)).text();
    const labels = [
      'reporter="source"',
      'destination_service="web.default.svc.cluster.local"',
      'response_code="200"',
      'response_flags="-"',
    ];
    const line = metrics
      .split('\n')
      .find((each) => each.startsWith('istio_requests_total{') && labels.every((label) => each.includes(label)));
    expect(line).toMatch(/destination_version="v1".* [34]$/);
    expect(metrics).toContain('# TYPE istio_request_duration_milliseconds histogram\n');
    expect(metrics).toContain('perch_spans_total{result="dropped"} 0\n');
    expect(await process.stop('SIGTERM')).toBe(0);
    // What waited is sent at the end.
    expect(posted.map(({ path }) => path)).toContain('/v1/traces');
    expect(posted.map(({ text }) => text).join('')).toContain('"url.path","value":{"stringValue":"/hello"}');
  } finally {
    collector.close();
    collector.closeAllConnections();
  }
});

test('an address that is no collector’s is said at once', async () => {
  const { code, stderr } = await perch(['serve', ...FREE_PORTS, '--data', join(scene.dir, 'data2'), '--otlp-endpoint', 'localhost:4318']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: localhost:4318 is no address of a collector[^\n]*\n$/);
});

test('SIGHUP opens the access log anew, and the gateway serves on', async () => {
  const log = join(scene.dir, 'access.log');
  const { process, ingress } = await scene.serve('-f', scene.files, '--access-log', log);
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  await (await fetch(`${ingress}/one`)).text();
  await expect.poll(() => read(log)).toContain('/one');
  await rename(log, `${log}.1`);
  process.signal('SIGHUP');
  await expect.poll(() => read(log).then(() => readdir(scene.dir))).toContain('access.log');
  await (await fetch(`${ingress}/two`)).text();
  await expect.poll(() => read(log)).toContain('/two');
  expect(await process.stop('SIGTERM')).toBe(0);
});

test('--access-log - has stdout for its lines alone; a log that cannot be opened is said at once', async () => {
  const { process } = await scene.serve('-f', scene.files, '--access-log', '-');
  const [, ingress = ''] = await process.until(/ingress +(http:\S+)/);
  await (await fetch(`${ingress}/hello`)).text();
  await expect.poll(() => process.stdout).toContain('/hello');
  expect(JSON.parse(process.stdout)).toMatchObject({ path: '/hello', response_code: 200 });
  const { code, stderr } = await perch(['serve', ...FREE_PORTS, '--data', join(scene.dir, 'data2'), '--access-log', '/none/log']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: the access log cannot be opened \(ENOENT[^\n]*\n$/);
});

test('a data directory that cannot be made is one clear line', async () => {
  const file = join(scene.dir, 'a-file');
  await writeFile(file, '');
  const { code, stderr } = await perch(['serve', ...FREE_PORTS, '--data', join(file, 'data')]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: [^\n]*a-file[^\n]*\n$/);
});

test('state stays in the data directory', async () => {
  const { process } = await scene.serve('-f', scene.files);
  await process.stop('SIGTERM');
  expect((await readdir(scene.dir)).sort()).toEqual(['data', 'manifests']);
});

test('an endpoint that its health check finds unhealthy gets no visitor while there is another, and some once it is well', async () => {
  const state = { isHealthy: false, visits: 0 };
  const sick = await startVersion('v1', (request, response) => {
    if (request.url === '/healthz') response.writeHead(state.isHealthy ? 200 : 503).end();
    else {
      state.visits += 1;
      response.end('sick');
    }
  });
  try {
    const basics = join(scene.files, 'basics.yaml');
    const endpoint = `  - {address: 127.0.0.1, ports: {http: ${sick.port}}, labels: {version: v1}}\n`;
    await writeFile(basics, `${await readFile(basics, 'utf8')}${endpoint}`);
    const release = webReleaseYaml().replace('  steps:', '  readiness: {healthCheck: {path: /healthz, interval: 100ms}}\n  steps:');
    await writeFile(join(scene.files, 'release.yaml'), release);
    const { ingress } = await scene.serve('-f', scene.files);
    const visit = async (): Promise<string> => (await fetch(ingress)).text();
    const twenty = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (let count = 0; count < 20; count += 1) seen.push(await visit());
      return seen;
    };
    await expect.poll(async () => (await twenty()).includes('sick'), { timeout: 20_000 }).toBe(false);
    const before = state.visits;
    await twenty();
    expect(state.visits).toBe(before);
    state.isHealthy = true;
    await expect.poll(async () => (await twenty()).includes('sick'), { timeout: 20_000 }).toBe(true);
  } finally {
    await sick.close();
  }
});

test('serves HTTPS with the certificates of --credentials, also with several workers, and says so once', async () => {
  const credentials = join(scene.dir, 'credentials');
  makeCertificate(join(credentials, 'web'));
  const basics = await readFile(join(scene.files, 'basics.yaml'), 'utf8');
  const https = 'name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: web}';
  await writeFile(join(scene.files, 'basics.yaml'), basics.replace('name: http, protocol: HTTP}', https));
  for (const workers of ['1', '2']) {
    const { process, ingress } = await scene.serve('-f', scene.files, '--credentials', credentials, '--workers', workers);
    expect(ingress).toMatch(/^https:\/\/localhost:\d+$/);
    const options = { rejectUnauthorized: false, agent: false };
    const body = await new Promise((resolve, reject) => {
      get(ingress, options, (response) => response.on('data', (chunk: Buffer) => resolve(String(chunk)))).on('error', reject);
    });
    expect(body).toBe('v1');
    expect(await process.stop('SIGTERM')).not.toBe(1);
  }
  const { process, ingress } = await scene.serve('-f', scene.files, '--workers', '2');
  await process.until(
    /server https refuses connections: there is no folder with the credential web: name it with --credentials \(PERCH4075\)/,
  );
  const refused = new Promise((resolve) => get(ingress, { rejectUnauthorized: false, agent: false }).on('error', resolve));
  expect(await refused).toBeInstanceOf(Error);
  expect(process.stderr.match(/PERCH4075/g)).toHaveLength(1);
});
