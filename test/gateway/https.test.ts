import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { makeCertificate } from '../harness/certificates.ts';
import { type Echo, everythingToYaml, gatewayYaml, httpsScenes, serverYaml } from './https-scene.ts';

const scenes = httpsScenes();

interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Names of the certificate that was shown. */
  readonly shown: string | undefined;
}

/** Asks by HTTP/1.1 over TLS on a connection of its own. */
function ask(port: number, servername: string, host = servername, more: object = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, servername, headers: { host }, rejectUnauthorized: false, agent: false, ...more },
      (response) => {
        const shown = (response.socket as TLSSocket).getPeerCertificate().subjectaltname;
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body, shown }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

/** Makes a TLS connection; the error's code where that fails. */
function handshake(port: number, options: object): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

test('a request comes in by HTTPS and is sent on as https', async () => {
  const origin = await scenes.echo();
  const yaml = [gatewayYaml(serverYaml('web', 443, "['*']")), everythingToYaml(origin.port)];
  const scene = await scenes.start({ web: ['shop.test'] }, yaml);
  const answer = await ask(scene.port(443), 'shop.test');
  expect(answer.status).toBe(200);
  expect(answer.shown).toBe('DNS:shop.test');
  const echo = JSON.parse(answer.body) as Echo;
  expect(echo.headers['x-forwarded-proto']).toBe('https');
  expect(echo.headers['host']).toBe('shop.test');
  expect(scene.gateway.addresses().map(({ port, tls }) => [port, tls])).toContainEqual([443, true]);
  expect(scene.log).toEqual([expect.stringMatching(/^Gateway default\/edge, server web’s certificate is valid until /)]);
});

test('each name gets its server’s certificate and routes, and no other server’s', async () => {
  const origin = await scenes.echo();
  const servers = [serverYaml('one', 443, "['a.test']"), serverYaml('wild', 443, "['*.b.test']"), serverYaml('exact', 443, "['x.b.test']")];
  const yaml = [gatewayYaml(...servers), everythingToYaml(origin.port)];
  const scene = await scenes.start({ one: ['a.test'], wild: ['*.b.test'], exact: ['x.b.test'] }, yaml);
  const port = scene.port(443);
  expect(await ask(port, 'A.Test', 'a.test')).toMatchObject({ shown: 'DNS:a.test', status: 200 });
  expect(await ask(port, 'y.b.test')).toMatchObject({ shown: 'DNS:*.b.test', status: 200 });
  expect(await ask(port, 'x.b.test')).toMatchObject({ shown: 'DNS:x.b.test', status: 200 });
  // A Host of another server than the connection is for: no route, as in Istio.
  expect((await ask(port, 'a.test', 'x.b.test')).status).toBe(404);
  expect((await ask(port, 'a.test', 'a.test:8443')).status).toBe(200);
  await expect(ask(port, 'c.test')).rejects.toThrow(/socket disconnected|ECONNRESET/);
  await expect(ask(port, '', 'a.test')).rejects.toThrow(/socket disconnected|ECONNRESET/);
});

test('a certificate that is missing or broken refuses its server only, and is taken when it comes', async () => {
  const origin = await scenes.echo();
  const servers = [serverYaml('one', 443, "['a.test']"), serverYaml('two', 443, "['b.test']"), serverYaml('three', 443, "['c.test']")];
  const scene = await scenes.start({ one: ['a.test'] }, [gatewayYaml(...servers), everythingToYaml(origin.port)]);
  const port = scene.port(443);
  expect((await ask(port, 'a.test')).status).toBe(200);
  await expect(ask(port, 'b.test')).rejects.toThrow(/socket disconnected|ECONNRESET/);
  expect(scene.log.filter((line) => line.startsWith('warning:'))).toEqual([
    expect.stringMatching(
      /^warning: Gateway default\/edge, server two refuses connections: .*two\/tls.crt cannot be read: .*\(PERCH4075\)$/,
    ),
    expect.stringMatching(/server three refuses connections/),
  ]);
  makeCertificate(join(scene.folder, 'two'), { names: ['DNS:b.test'] });
  await expect
    .poll(() =>
      ask(port, 'b.test').then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(200);
});

test('a renewed certificate is shown to new connections; those that are open go on', async () => {
  const origin = await scenes.echo();
  const yaml = [gatewayYaml(serverYaml('web', 443, "['*']")), everythingToYaml(origin.port)];
  const scene = await scenes.start({ web: ['old.test'] }, yaml);
  const open = await handshake(scene.port(443), { servername: 'shop.test' });
  if (typeof open === 'string') throw new Error(open);
  makeCertificate(join(scene.folder, 'web'), { names: ['DNS:new.test'] });
  await expect.poll(async () => (await ask(scene.port(443), 'shop.test')).shown).toBe('DNS:new.test');
  let received = '';
  open.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  open.write('GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n');
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 200 /);
  open.destroy();
});

test('httpsRedirect answers 301 for every host of its server, with routes or without', async () => {
  const origin = await scenes.echo();
  const plain = "- {port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.test'], tls: {httpsRedirect: true}}";
  const yaml = [gatewayYaml(plain, serverYaml('web', 443, "['*']")), everythingToYaml(origin.port, "['a.test']")];
  const scene = await scenes.start({ web: ['a.test'] }, yaml);
  const get = async (host: string, path: string) => {
    const { exchange } = await import('./raw-client.ts');
    return exchange(scene.port(80), `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\nx-forwarded-proto: https\r\n\r\n`);
  };
  expect(await get('a.test', '/x?y=1')).toMatch(/^HTTP\/1.1 301 Moved Permanently\r\n(.*\r\n)*location: https:\/\/a.test\/x\?y=1\r\n/);
  expect(await get('other.test:8080', '/')).toMatch(/\r\nlocation: https:\/\/other.test:8080\/\r\n/);
  expect(await get('elsewhere.org', '/')).toMatch(/^HTTP\/1.1 404 /);
  expect((await ask(scene.port(443), 'a.test')).status).toBe(200);
});

test('a server goes from HTTP to HTTPS at its port, and back', async () => {
  const origin = await scenes.echo();
  const plain = "- {port: {number: 443, name: web, protocol: HTTP}, hosts: ['*']}";
  const routes = everythingToYaml(origin.port);
  const scene = await scenes.start({ web: ['a.test'] }, [gatewayYaml(plain), routes]);
  const { exchange } = await import('./raw-client.ts');
  const get = () => exchange(scene.port(443), 'GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n');
  expect(await get()).toMatch(/^HTTP\/1.1 200 /);
  await scene.apply(gatewayYaml(serverYaml('web', 443, "['*']")), routes);
  expect((await ask(scene.port(443), 'a.test')).status).toBe(200);
  await scene.apply(gatewayYaml(plain), routes);
  expect(await get()).toMatch(/^HTTP\/1.1 200 /);
});

test('MUTUAL: clients need a certificate of the authority', async () => {
  const origin = await scenes.echo();
  const scene = await scenes.start({ web: ['a.test'] }, []);
  const at = (name: string) => join(scene.folder, name);
  makeCertificate(at('authority'));
  makeCertificate(at('client'), { signer: at('authority') });
  makeCertificate(at('stranger'));
  const files = `{mode: MUTUAL, serverCertificate: ${at('web')}/tls.crt, privateKey: ${at('web')}/tls.key, caCertificates: ${at('authority')}/tls.crt}`;
  await scene.apply(gatewayYaml(serverYaml('web', 443, "['*']", files)), everythingToYaml(origin.port));
  const as = (name: string) => ({ cert: readFileSync(`${at(name)}/tls.crt`), key: readFileSync(`${at(name)}/tls.key`) });
  expect((await ask(scene.port(443), 'a.test', 'a.test', as('client'))).status).toBe(200);
  await expect(ask(scene.port(443), 'a.test')).rejects.toThrow();
  await expect(ask(scene.port(443), 'a.test', 'a.test', as('stranger'))).rejects.toThrow();
});

test('MUTUAL: a certificate that is renewed while the authorities cannot be read is shown once they can', async () => {
  const origin = await scenes.echo();
  const scene = await scenes.start({ web: ['old.test'] }, []);
  const at = (name: string) => join(scene.folder, name);
  makeCertificate(at('authority'));
  makeCertificate(at('client'), { signer: at('authority') });
  const files = `{mode: MUTUAL, serverCertificate: ${at('web')}/tls.crt, privateKey: ${at('web')}/tls.key, caCertificates: ${at('authority')}/tls.crt}`;
  await scene.apply(gatewayYaml(serverYaml('web', 443, "['*']", files)), everythingToYaml(origin.port));
  const client = { cert: readFileSync(`${at('client')}/tls.crt`), key: readFileSync(`${at('client')}/tls.key`) };
  const shown = async () => (await ask(scene.port(443), 'shop.test', 'shop.test', client)).shown;
  expect(await shown()).toBe('DNS:old.test');
  const authority = readFileSync(`${at('authority')}/tls.crt`);
  writeFileSync(`${at('authority')}/tls.crt`, 'nothing');
  await expect.poll(() => scene.log).toContainEqual(expect.stringMatching(/authority\/tls.crt cannot be used/));
  const taken = () => scene.log.filter((line) => line.includes('certificate is valid until')).length;
  const before = taken();
  makeCertificate(at('web'), { names: ['DNS:new.test'] });
  await expect.poll(taken).toBe(before + 1);
  // It is looked at them once more for the new certificate.
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await shown()).toBe('DNS:old.test');
  writeFileSync(`${at('authority')}/tls.crt`, authority);
  await expect.poll(shown).toBe('DNS:new.test');
});

test('a server whose settings change answers what its connections still ask, and says that they close', async () => {
  const origin = await scenes.echo();
  const routes = everythingToYaml(origin.port);
  const scene = await scenes.start({ web: ['a.test'] }, [gatewayYaml(serverYaml('web', 443, "['a.test']")), routes]);
  const open = await handshake(scene.port(443), { servername: 'a.test' });
  if (typeof open === 'string') throw new Error(open);
  let received = '';
  open.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  open.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 200 .*\}$/s);
  received = '';
  const changed = scene.apply(gatewayYaml(serverYaml('web', 443, "['a.test', 'b.test']")), routes);
  open.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
  await changed;
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 200 .*\}$/s);
  received = '';
  open.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 200 .*\r\nconnection: close\r\n.*\}$/s);
  await expect.poll(() => open.destroyed).toBe(true);
});
