import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import { everythingToYaml, gatewayYaml, type HttpsScene, httpsScenes, serverYaml } from './https-scene.ts';
import { type Origin, startHttpOrigin } from './origins.ts';

const scenes = httpsScenes();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function at(tls: string, options: GatewayOptions = {}, origin?: Origin): Promise<HttpsScene> {
  const to = origin ?? (await scenes.echo());
  const yaml = [gatewayYaml(serverYaml('web', 443, "['*']", `{mode: SIMPLE, credentialName: web, ${tls}}`)), everythingToYaml(to.port)];
  return scenes.start({ web: ['shop.test'] }, yaml, options);
}

/** A handshake; where it fails, its error. */
function shake(scene: HttpsScene, options: ConnectionOptions): Promise<TLSSocket | Error> {
  return new Promise((resolve) => {
    const socket = connect(
      { host: '127.0.0.1', port: scene.port(443), servername: 'shop.test', rejectUnauthorized: false, ...options },
      () => resolve(socket),
    );
    cleanups.push(() => socket.destroy());
    socket.on('error', resolve);
  });
}

/** A handshake that may be tried again: where clients have little time, the machine may be busy. */
async function shakeAtLast(scene: HttpsScene): Promise<TLSSocket> {
  for (;;) {
    const made = await shake(scene, {});
    if (!(made instanceof Error)) return made;
  }
}

/** What was agreed on: `TLSv1.3 h2`; `refused`. */
async function agreed(scene: HttpsScene, options: ConnectionOptions): Promise<string> {
  const made = await shake(scene, options);
  return made instanceof Error ? 'refused' : `${made.getProtocol()} ${made.alpnProtocol || '-'}`;
}

const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
const V12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const V13 = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;

test.each([
  ['', 'refused', 'TLSv1.2 -', 'TLSv1.3 -'],
  ['minProtocolVersion: TLS_AUTO', 'refused', 'TLSv1.2 -', 'TLSv1.3 -'],
  ['minProtocolVersion: TLSV1_3', 'refused', 'refused', 'TLSv1.3 -'],
  ['maxProtocolVersion: TLSV1_2', 'refused', 'TLSv1.2 -', 'refused'],
])('versions with {%s}: 1.1 %s, 1.2 %s, 1.3 %s', async (tls, old, v12, v13) => {
  const scene = await at(tls);
  expect([await agreed(scene, OLD), await agreed(scene, V12), await agreed(scene, V13)]).toEqual([old, v12, v13]);
});

test('ALPN: h2 before http/1.1, whatever the client’s order; nothing else is agreed to', async () => {
  const scene = await at('');
  expect(await agreed(scene, { ALPNProtocols: ['h2', 'http/1.1'] })).toBe('TLSv1.3 h2');
  expect(await agreed(scene, { ALPNProtocols: ['http/1.1', 'h2'] })).toBe('TLSv1.3 h2');
  expect(await agreed(scene, { ALPNProtocols: ['http/1.1'] })).toBe('TLSv1.3 http/1.1');
  expect(await agreed(scene, { ALPNProtocols: ['spdy/3'] })).toBe('refused');
});

test('cipher suites of TLS 1.2: with forward secrecy and AEAD, or those that are named', async () => {
  const usual = await at('');
  const suite = async (scene: HttpsScene, ciphers: string): Promise<string> => {
    const made = await shake(scene, { ...V12, ciphers });
    return made instanceof Error ? 'refused' : made.getCipher().name;
  };
  expect(await suite(usual, 'ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
  expect(await suite(usual, 'ECDHE-ECDSA-CHACHA20-POLY1305')).toBe('ECDHE-ECDSA-CHACHA20-POLY1305');
  expect(await suite(usual, 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA256')).toBe('refused');
  const named = await at('cipherSuites: [ECDHE-ECDSA-AES256-GCM-SHA384]');
  expect(await suite(named, 'ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('refused');
  expect(await suite(named, 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
  expect(await agreed(named, V13)).toBe('TLSv1.3 -');
});

test('settings are those of the server that is asked for, also where several share the port', async () => {
  const origin = await scenes.echo();
  const servers = [
    serverYaml('web', 443, "['old.test']", '{mode: SIMPLE, credentialName: web, maxProtocolVersion: TLSV1_2}'),
    serverYaml('new', 443, "['new.test']", '{mode: SIMPLE, credentialName: web, minProtocolVersion: TLSV1_3}'),
  ];
  const scene = await scenes.start({ web: ['old.test', 'new.test'] }, [gatewayYaml(...servers), everythingToYaml(origin.port)]);
  expect(await agreed(scene, { servername: 'old.test' })).toBe('TLSv1.2 -');
  expect(await agreed(scene, { servername: 'new.test' })).toBe('TLSv1.3 -');
  expect(await agreed(scene, { servername: 'new.test', ...V12 })).toBe('refused');
});

test('no renegotiation', async () => {
  const scene = await at('');
  const made = await shake(scene, { ...V12 });
  if (made instanceof Error) throw made;
  const outcome = await new Promise((resolve) => {
    made.on('error', resolve);
    made.on('close', () => resolve('closed'));
    made.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error ?? 'renegotiated'));
  });
  expect(outcome).not.toBe('renegotiated');
  expect(outcome).not.toBeNull();
});

test('a session is taken up again, at the same server', async () => {
  const scene = await at('');
  const first = await shake(scene, V12);
  if (first instanceof Error) throw first;
  const session = first.getSession();
  const second = await shake(scene, { ...V12, ...(session && { session }) });
  expect(second instanceof Error ? second : second.isSessionReused()).toBe(true);
});

test.each([
  ['says nothing', Buffer.alloc(0)],
  ['begins and stops', Buffer.from([22, 3, 1, 2, 0, 1])],
  ['drips a message that never ends', Buffer.from([22, 3, 1, 0x20, 0, 1, 0, 0x1f, 0xfc])],
])('a client that %s is cut', async (_what, bytes) => {
  const scene = await at('', { limits: { tlsHandshakeMs: 200 } });
  const socket = connectTcp(scene.port(443), '127.0.0.1');
  cleanups.push(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(bytes);
  await once(socket, 'close');
  await shakeAtLast(scene);
});

test('one that stops in the middle of the handshake is cut; so is one that sends HTTP', async () => {
  const scene = await at('', { limits: { tlsHandshakeMs: 200 } });
  const made = await shakeAtLast(scene);
  const plain = connectTcp(scene.port(443), '127.0.0.1');
  plain.on('error', () => undefined);
  plain.resume();
  plain.write('GET / HTTP/1.1\r\nhost: shop.test\r\n\r\n');
  await once(plain, 'close');
  // The client's first message, and then nothing.
  const relay = connectTcp(scene.port(443), '127.0.0.1');
  relay.on('error', () => undefined);
  const hello = await firstMessage();
  relay.resume();
  relay.write(hello);
  await once(relay, 'close');
  expect(made.destroyed).toBe(false);
});

/** What a client of TLS sends first. */
async function firstMessage(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0, servername: 'shop.test' });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

test('connections count from their first byte: where there are too many, those without a handshake make room', async () => {
  const scene = await at('', { limits: { clientConnections: 8 } });
  const idle = Array.from({ length: 8 }, () => connectTcp(scene.port(443), '127.0.0.1'));
  for (const socket of idle) {
    socket.on('error', () => undefined);
    cleanups.push(() => socket.destroy());
  }
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  expect((await shake(scene, {})) instanceof Error).toBe(false);
});

test('a head that does not end is answered 408 behind TLS, too', async () => {
  const made = await shake(await at('', { limits: { requestHeadMs: 700 } }), {});
  if (made instanceof Error) throw made;
  let received = '';
  made.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  made.write('GET / HTTP/1.1\r\nhost: ');
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 408 /);
});

test('a WebSocket over TLS', async () => {
  const origin = await startHttpOrigin((_request, response) => response.end());
  cleanups.push(() => origin.close());
  const { createServer } = await import('node:http');
  const server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const address = server.address();
  const scene = await at('', {}, { ...origin, port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
  const made = await shake(scene, { ALPNProtocols: ['http/1.1'] });
  if (made instanceof Error) throw made;
  let received = '';
  made.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  made.write('GET / HTTP/1.1\r\nhost: shop.test\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a\r\n\r\n');
  await expect.poll(() => received).toMatch(/^HTTP\/1.1 101 /);
  made.write('echo');
  await expect.poll(() => received).toMatch(/echo$/);
});

test('openssl s_client sees the same', async () => {
  const scene = await at('');
  const run = promisify(execFile);
  const sClient = (...args: readonly string[]): Promise<string> =>
    run('sh', [
      '-c',
      `echo | openssl s_client -connect 127.0.0.1:${scene.port(443)} -servername shop.test ${args.join(' ')} 2>&1 || true`,
    ]).then(({ stdout }) => stdout);
  expect(await sClient('-alpn h2')).toMatch(/ALPN protocol: h2/);
  expect(await sClient('-tls1_1 -cipher DEFAULT@SECLEVEL=0')).toMatch(/alert|error/i);
  expect(await sClient('-tls1_2')).toMatch(/Secure Renegotiation IS supported[\s\S]*Compression: NONE|Compression: NONE[\s\S]*/);
});
