import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeSelfSigned } from '../../../test/harness/self-signed.ts';
import { ACT, AccessScene, LOOK } from './access-scene.cases.ts';
import { ApiPlaceError } from './api-place.ts';

let scene: AccessScene;

beforeEach(async () => {
  scene = await AccessScene.create();
});
afterEach(() => scene.close());

const JSON_BODY = { 'content-type': 'application/json' };
const NO_OBJECTS = '{"objects":[]}';

describe('where it opens', () => {
  test.each([
    ['neither TLS nor tokens', {}, /takes TLS: --api-tls-cert FILE .* and tokens: --api-token-file FILE$/],
    ['no tokens', { tls: true }, /takes tokens: --api-token-file FILE$/],
    ['no TLS, and nobody said so', { tokens: true }, /takes TLS: --api-tls-cert [^:]*encrypts\)$/],
  ] as const)('on another address with %s it refuses', async (_, { tls, tokens }: { tls?: boolean; tokens?: boolean }, message) => {
    for (const bind of ['0.0.0.0', '::', '192.0.2.7']) {
      const failure = await scene
        .open({ bind, ...(tls === true ? { tls: scene.tls } : {}), ...(tokens === true ? { tokenFile: scene.tokenFile } : {}) })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ApiPlaceError);
      expect(failure).toMatchObject({ code: 'PERCH4092', message: expect.stringMatching(message) });
    }
  });

  test('files that are of no use are refused, each with its code', async () => {
    const [tls, tokenFile, none] = [scene.tls, scene.tokenFile, join(scene.folder, 'none')];
    await expect(scene.open({ bind: '0.0.0.0', tls: { ...tls, key: none }, tokenFile })).rejects.toMatchObject({ code: 'PERCH4094' });
    await expect(scene.open({ bind: '0.0.0.0', tls, tokenFile: none })).rejects.toMatchObject({ code: 'PERCH4093' });
    await expect(scene.open({ bind: '192.0.2.7', tls, tokenFile })).rejects.toThrow(/192\.0\.2\.7.*EADDRNOTAVAIL|cannot be opened/);
  });

  test('a loopback address of its own needs neither, and is the only one', async () => {
    const { port, origin } = await scene.open({ bind: '127.0.0.2' });
    expect(origin).toBe(`http://127.0.0.2:${port}`);
    expect((await fetch(`${origin}/api/v1/releases`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/api/v1/releases`)).rejects.toThrow();
  });
});

describe('tokens', () => {
  test('nobody without one sees anything but probes; who may look looks, who may act acts', async () => {
    await scene.open({ bind: '0.0.0.0', tls: scene.tls, tokenFile: scene.tokenFile });
    const calls = [
      ['GET', '/api/v1/releases', 200],
      ['HEAD', '/api/v1/objects', 200],
      ['GET', '/api/v1/nothing', 404],
      ['GET', '/metrics', 200],
      ['PUT', '/api/v1/objects', 400],
      ['DELETE', '/api/v1/releases/default/none', 404],
      ['POST', '/api/v1/releases/default/none/requests', 400],
      ['PATCH', '/api/v1/objects', 405],
    ] as const;
    for (const [method, path, status] of calls) {
      const hasBody = method === 'PUT' || method === 'POST';
      const body: readonly [Record<string, string>, string | undefined] = hasBody ? [JSON_BODY, NO_OBJECTS] : [{}, undefined];
      const without = await scene.ask(method, path, ...body);
      expect([method, path, without.status, without.headers['www-authenticate']]).toEqual([method, path, 401, 'Bearer realm="perch"']);
      if (method !== 'HEAD') expect(without.code).toBe('PERCH4090');
      const wrong = await scene.as(`${ACT}x`, method, path, ...body);
      expect([wrong.status, wrong.headers['www-authenticate']]).toEqual([401, 'Bearer realm="perch", error="invalid_token"']);
      const looking = await scene.as(LOOK, method, path, ...body);
      const mayLook = method === 'GET' || method === 'HEAD' || status === 405;
      expect([method, path, looking.status]).toEqual([method, path, mayLook ? status : 403]);
      if (!mayLook) expect(looking.code).toBe('PERCH4091');
      expect([method, path, (await scene.as(ACT, method, path, ...body)).status]).toEqual([method, path, status]);
    }
    for (const path of ['/healthz', '/readyz']) expect((await scene.ask('GET', path)).status).toBe(200);
    // The page, or that it was not bundled: either way nobody is asked for a token.
    expect([200, 503]).toContain((await scene.ask('GET', '/')).status);
  });

  test('no other spelling of a path goes past it', async () => {
    await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile });
    const spellings = [
      '/%61pi/v1/releases',
      '/API/v1/releases',
      '//api/v1/releases',
      '/x/../api/v1/releases',
      '/api/v1/releases/',
      '/./metrics',
    ];
    for (const path of [...spellings, '/%6detrics', '/metrics/', '/api%2fv1/releases', '/api/../metrics', '/api/v1/../v1/events']) {
      const { status } = await scene.ask('GET', path);
      expect([path, status === 401 || status === 404]).toEqual([path, true]);
    }
  });

  test('a token elsewhere than in the header, or of another scheme, counts for nothing', async () => {
    await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile });
    expect((await scene.ask('GET', `/api/v1/releases?access_token=${ACT}`)).status).toBe(401);
    expect((await scene.ask('GET', '/api/v1/releases', { cookie: `token=${ACT}` })).status).toBe(401);
    expect((await scene.ask('GET', '/api/v1/releases', { authorization: `Basic ${ACT}` })).status).toBe(401);
    expect((await scene.ask('GET', '/api/v1/releases', { authorization: ACT })).status).toBe(401);
    expect((await scene.ask('GET', '/api/v1/releases', { authorization: `bearer  ${ACT}` })).status).toBe(200);
  });

  test('they count on loopback too, where a file is given', async () => {
    await scene.open({ tokenFile: scene.tokenFile });
    expect((await scene.ask('GET', '/api/v1/releases')).status).toBe(401);
    expect((await scene.as(LOOK, 'GET', '/api/v1/releases')).status).toBe(200);
  });

  test('a changed file counts from now on; one that cannot be used is passed over, and said once', async () => {
    await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile });
    const next = 'next-0f0e4a7c9a5b8d2e4f6071826f1c1d3b';
    writeFileSync(scene.tokenFile, `act ${next}\nact short\n`);
    await expect.poll(() => scene.said.filter((line) => line.startsWith('warning: the API goes on')).length).toBe(1);
    expect((await scene.as(ACT, 'GET', '/api/v1/releases')).status).toBe(200);
    writeFileSync(scene.tokenFile, `act ${next}\n`);
    await expect.poll(async () => (await scene.as(next, 'GET', '/api/v1/releases')).status).toBe(200);
    expect((await scene.as(ACT, 'GET', '/api/v1/releases')).status).toBe(401);
    expect(scene.said.filter((line) => line.startsWith('warning: '))).toHaveLength(1);
    for (const token of [LOOK, ACT, next, 'short']) expect(scene.said.join('\n')).not.toContain(token);
  });

  test('an event stream ends once its token is taken away', async () => {
    await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile });
    const ended: string[] = [];
    for (const token of [LOOK, ACT]) void scene.as(token, 'GET', '/api/v1/events').then(({ status }) => ended.push(`${token} ${status}`));
    await expect.poll(() => scene.scene.context.streams.taken).toBe(2);
    writeFileSync(scene.tokenFile, `act ${ACT}\n`);
    await expect.poll(() => ended).toEqual([`${LOOK} 200`]);
    expect(scene.scene.context.streams.taken).toBe(1);
  });
});

describe('TLS', () => {
  test('a new certificate is shown, and connections that are open go on', async () => {
    const { port } = await scene.open({ bind: '127.0.0.1', tls: scene.tls });
    const before = (await scene.ask('GET', '/healthz')).socket.getPeerCertificate().fingerprint256;
    const { Agent, request } = await import('node:https');
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(scene.tls.cert) });
    const askKept = () =>
      new Promise((resolve, reject) => {
        const outgoing = request({ host: '127.0.0.1', port, path: '/healthz', agent }, (answer) => {
          answer.resume().on('end', () => resolve(outgoing.socket));
        });
        outgoing.on('error', reject).end();
      });
    const open = await askKept();
    makeSelfSigned(scene.folder);
    await expect.poll(() => scene.said.filter((line) => line.startsWith('the API’s certificate is valid until')).length).toBe(2);
    expect(await askKept()).toBe(open);
    agent.destroy();
    expect((await scene.ask('GET', '/healthz')).socket.getPeerCertificate().fingerprint256).not.toBe(before);
  });

  test('plain HTTP at a port of TLS is cut, and old TLS is not spoken', async () => {
    const { port } = await scene.open({ bind: '127.0.0.1', tls: scene.tls });
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    const { connect } = await import('node:tls');
    const old = connect({ host: '127.0.0.1', port, ca: readFileSync(scene.tls.cert), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
    await expect(new Promise((resolve, reject) => old.on('error', reject).on('secureConnect', resolve))).rejects.toThrow();
    expect((await scene.ask('GET', '/healthz')).status).toBe(200);
  });
});

describe('names and pages', () => {
  test('it is asked for by its own address, a loopback name, or a name that was given; with any port only the last', async () => {
    const { port } = await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile, hosts: ['Perch.Example'] });
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'perch.example', 'PERCH.example:8443', `perch.example:${port}`]) {
      expect([host, (await scene.as(LOOK, 'GET', '/api/v1/releases', { host })).status]).toEqual([host, 200]);
    }
    const foreign = [
      'evil.example',
      'perch.example.evil.example',
      '127.0.0.1',
      `127.0.0.9:${port}`,
      `192.0.2.1:${port}`,
      `[::1]:${port + 1}`,
    ];
    for (const host of foreign) {
      const { status, code } = await scene.as(LOOK, 'GET', '/api/v1/releases', { host });
      expect([host, status, code]).toEqual([host, 403, 'PERCH4001']);
    }
    for (const host of ['perch.example:', 'perch.example/', `evil.example@127.0.0.1:${port}`, 'evil.example#perch.example']) {
      const { status, code } = await scene.as(LOOK, 'GET', '/api/v1/releases', { host });
      expect([host, ['PERCH4001', 'PERCH4095'].includes(code ?? ''), status === 400 || status === 403]).toEqual([host, true, true]);
    }
  });

  test('an address of this machine is its own name, when it is asked there', async () => {
    const [address] = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    if (address === undefined) return;
    const { port } = await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile });
    const headers = { authorization: `Bearer ${LOOK}` };
    expect((await fetch(`http://${address.address}:${port}/api/v1/releases`, { headers })).status).toBe(200);
    expect((await scene.ask('GET', '/api/v1/releases', { ...headers, host: `${address.address}:${port}` })).status).toBe(403);
  });

  test('behind TLS of something else, its own pages are of https', async () => {
    await scene.open({ bind: '0.0.0.0', insecureHttp: true, tokenFile: scene.tokenFile, hosts: ['perch.example'] });
    const from = async (origin: string) => (await scene.as(ACT, 'GET', '/api/v1/releases', { host: 'perch.example', origin })).status;
    expect(await from('https://perch.example')).toBe(200);
    expect(await from('http://perch.example')).toBe(200);
    expect(await from('https://evil.example')).toBe(403);
    expect(await from('https://perch.example:8443')).toBe(403);
  });

  test('with TLS, its own pages are of https only', async () => {
    const { port } = await scene.open({ bind: '127.0.0.1', tls: scene.tls });
    const from = async (origin: string) => (await scene.ask('GET', '/api/v1/releases', { origin })).status;
    expect(await from(`https://127.0.0.1:${port}`)).toBe(200);
    expect(await from(`http://127.0.0.1:${port}`)).toBe(403);
  });
});
