import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../test/harness/seeded-random.ts';
import { makeSelfSigned } from '../../test/harness/self-signed.ts';
import { filesOfSecret, readCertificate } from '../cluster/certificates/certificate-files.ts';
import { createApi } from './api.ts';
import { type ApiListener, listenForApi } from './api-listener.ts';
import { ApiScene, RELEASE, ROUTES } from './api-scene.cases.ts';
import { BOUNDS } from './bounded-server.ts';
import type { Problem } from './problem.ts';

/** Short, so that the tests are. */
const SHORT = { ...BOUNDS, connections: 8, headMs: 300, requestMs: 600, idleMs: 300, stallMs: 300, checkMs: 50 };

let scene: ApiScene;
let api: ApiListener;
const sockets: Socket[] = [];

beforeEach(async () => {
  scene = await ApiScene.open();
  api = await listenForApi(createApi(scene.context), { port: 0, bind: '127.0.0.1', bounds: SHORT });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await api.close();
  await scene.close();
});

/** A client that says exactly that, and what it hears until it is cut. */
class Client {
  heard = '';
  readonly socket: Socket;
  readonly cut: Promise<void>;

  constructor(text: string) {
    this.socket = connect(api.port, '127.0.0.1');
    sockets.push(this.socket);
    this.socket.on('data', (part: Buffer) => {
      this.heard += part.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.cut = new Promise((resolve) => this.socket.on('close', () => resolve()));
    this.socket.write(text);
  }

  /** The last problem document, after the answers before it. */
  get problem(): (Problem & { readonly line: string }) | undefined {
    const head = this.heard.lastIndexOf('HTTP/1.1 ');
    const text = this.heard.slice(head);
    if (!/^content-type: application\/problem\+json\r$/im.test(text)) return undefined;
    return { line: text.slice(0, text.indexOf('\r\n')), ...(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as Problem) };
  }
}

const host = () => `Host: 127.0.0.1:${api.port}\r\n`;
const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\n${host()}${more}\r\n`;
const CLOSE = 'Connection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';

describe('whatever is wrong, the answer is a problem document with a code', () => {
  test.each<[string, () => string, number, string]>([
    ['no HTTP', () => 'hello\r\n\r\n', 400, 'PERCH4095'],
    ['TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'PERCH4095'],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'PERCH4095'],
    ['another version', () => `GET / HTTP/3.0\r\n${host()}\r\n`, 400, 'PERCH4095'],
    ['a space before a colon', () => get('/', 'X : y\r\n'), 400, 'PERCH4095'],
    ['two lengths', () => get('/', 'Content-Length: 1\r\nContent-Length: 2\r\n'), 400, 'PERCH4095'],
    ['a length beside chunks', () => get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), 400, 'PERCH4095'],
    ['a length that is none', () => get('/', 'Content-Length: +1\r\n'), 400, 'PERCH4095'],
    ['a control character in a header', () => get('/', 'X: a\x00b\r\n'), 400, 'PERCH4095'],
    ['a bare line feed in a header', () => get('/', 'X: a\nY: b\r\n'), 400, 'PERCH4095'],
    [
      'a chunk whose size is none',
      () => `PUT /api/v1/objects HTTP/1.1\r\n${host()}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'PERCH4095',
    ],
    ['a head of more than 16 KiB', () => get('/', `X: ${'a'.repeat(17_000)}\r\n`), 431, 'PERCH4097'],
    ['an address of more than 16 KiB', () => get(`/${'a'.repeat(17_000)}`), 431, 'PERCH4097'],
    ['more than 100 headers', () => get('/api/v1/releases', `${'A: b\r\n'.repeat(100)}${CLOSE}`), 431, 'PERCH4097'],
    ['an expectation that nobody knows', () => get('/api/v1/releases', 'Expect: miracles\r\n'), 417, 'PERCH4095'],
    ['no Host', () => `GET /api/v1/releases HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'PERCH4095'],
    ['no Host in HTTP/1.0', () => 'GET /api/v1/releases HTTP/1.0\r\n\r\n', 400, 'PERCH4095'],
    ['an address of a proxy, and a foreign Host', () => `GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: evil\r\n${CLOSE}\r\n`, 403, 'PERCH4001'],
    ['a backslash in the address', () => get('/api\\v1', CLOSE), 400, 'PERCH4095'],
    ['CONNECT', () => `CONNECT example.org:443 HTTP/1.1\r\n${host()}\r\n`, 405, 'PERCH4004'],
    ['TRACE', () => `TRACE /api/v1/releases HTTP/1.1\r\n${host()}${CLOSE}\r\n`, 405, 'PERCH4004'],
    ['OPTIONS *', () => `OPTIONS * HTTP/1.1\r\n${host()}${CLOSE}\r\n`, 400, 'PERCH4095'],
    ['an upgrade of nothing', () => get('/nothing', 'Connection: upgrade, close\r\nUpgrade: websocket\r\n'), 404, 'PERCH4004'],
    ['a path that is nowhere', () => get('/api/v2', CLOSE), 404, 'PERCH4004'],
    ['a method that is not allowed', () => `PATCH /api/v1/objects HTTP/1.1\r\n${host()}${CLOSE}\r\n`, 405, 'PERCH4004'],
    ['no type', () => `PUT /api/v1/objects HTTP/1.1\r\n${host()}${CLOSE}Content-Length: 2\r\n\r\n{}`, 415, 'PERCH4009'],
    [
      'a body that is declared too large',
      () => `PUT /api/v1/objects HTTP/1.1\r\n${host()}${JSON_TYPE}Content-Length: 4194305\r\n\r\n`,
      413,
      'PERCH4003',
    ],
    ['a head that does not end', () => 'GET / HTTP/1.1\r\nHos', 408, 'PERCH4096'],
    ['nothing', () => '', 408, 'PERCH4096'],
    [
      'a body that does not end',
      () => `PUT /api/v1/objects HTTP/1.1\r\n${host()}${JSON_TYPE}Content-Length: 100\r\n\r\n{"obj`,
      408,
      'PERCH4096',
    ],
  ])('%s', async (_, text, status, code) => {
    const client = new Client(text());
    await client.cut;
    expect(client.problem).toMatchObject({ status, code, type: `tag:perch.dev,2026:${code}`, detail: expect.any(String) });
    expect(client.problem?.line).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
    expect(client.heard.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(client.heard).toMatch(/^cache-control: no-store\r$/im);
    expect(client.heard).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(scene.logged).toEqual([]);
  });

  test('HEAD has the head alone, and OPTIONS says what is allowed', async () => {
    const head = new Client(`HEAD /api/v1/nothing HTTP/1.1\r\n${host()}${CLOSE}\r\n`);
    await head.cut;
    expect(head.heard).toMatch(/^HTTP\/1\.1 404 /);
    expect(head.heard).toMatch(/\r\n\r\n$/);
    const options = new Client(`OPTIONS /api/v1/objects HTTP/1.1\r\n${host()}${CLOSE}\r\n`);
    await options.cut;
    expect(options.problem).toMatchObject({ status: 405 });
    expect(options.heard).toMatch(/^allow: GET, HEAD, PUT\r$/im);
  });

  test('what follows an answer that has begun cannot spoil it', async () => {
    const client = new Client(get('/api/v1/events'));
    await expect.poll(() => client.heard).toMatch(/^HTTP\/1\.1 200 /);
    client.socket.write('nonsense\r\n\r\n');
    await client.cut;
    expect(client.heard.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(client.heard).not.toContain('PERCH4095');
  });
});

describe('slow and greedy clients', () => {
  test('a head that trickles is cut by the clock, however often something comes', async () => {
    const client = new Client('GET / HTTP/1.1\r\n');
    const began = performance.now();
    const trickle = setInterval(() => client.socket.write('x: y\r\n'), 20);
    await client.cut;
    clearInterval(trickle);
    expect(client.problem?.code).toBe('PERCH4096');
    expect(performance.now() - began).toBeLessThan(SHORT.headMs * 10);
  });

  test('a TLS handshake that does not begin, or is none, is cut', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perch-bounds-'));
    makeSelfSigned(folder);
    const certificate = await readCertificate(filesOfSecret(folder));
    const plain = api;
    api = await listenForApi(createApi(scene.context), { port: 0, bind: '127.0.0.1', certificate, bounds: SHORT });
    for (const text of ['', '\x16\x03\x01\x02\x00\x01\x00', get('/healthz')]) {
      const client = new Client(text);
      await client.cut;
      expect(client.heard).not.toMatch(/HTTP/);
    }
    await api.close();
    api = plain;
    rmSync(folder, { recursive: true });
  });

  test('whatever bytes come, the answer is one of HTTP or none, and the listener lives', async () => {
    const words = [
      'GET ',
      '/',
      ' HTTP/1.1',
      '\r\n',
      host(),
      'Content-Length: 5',
      'Transfer-Encoding: chunked',
      ': ',
      'a',
      '\0',
      '\xff',
      '{}',
      '0\r\n\r\n',
    ];
    const random = seededRandom(11);
    const pick = (): string => words[Math.floor(random() * words.length)] ?? '';
    const texts = Array.from({ length: 400 }, () => Array.from({ length: 1 + Math.floor(random() * 16) }, pick).join(''));
    for (const [index] of texts.entries()) {
      if (index % SHORT.connections !== 0) continue;
      await Promise.all(
        texts.slice(index, index + SHORT.connections).map(async (text) => {
          const client = new Client(`${text}\r\n\r\n`);
          client.socket.end();
          await client.cut;
          expect(client.heard).toMatch(/^(HTTP\/1\.1 \d{3} |$)/);
        }),
      );
    }
    const after = new Client(get('/healthz', CLOSE));
    await after.cut;
    expect(after.heard).toMatch(/^HTTP\/1\.1 200 /);
    expect(scene.logged).toEqual([]);
  });

  test('clients that ask for a tunnel and are gone at once do no harm', async () => {
    for (let count = 0; count < 50; count++) {
      const client = new Client(`CONNECT example.org:443 HTTP/1.1\r\n${host()}\r\n`);
      // The server reads the request, and finds the connection reset as it answers.
      client.socket.once('connect', () => setImmediate(() => client.socket.resetAndDestroy()));
      await client.cut;
    }
    const after = new Client(get('/healthz', CLOSE));
    await after.cut;
    expect(after.heard).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('connections are bounded; others are closed as they come, and those that are idle make room', async () => {
    const clients = Array.from({ length: SHORT.connections }, () => new Client(get('/healthz')));
    await expect.poll(() => clients.every(({ heard }) => heard.endsWith('ok'))).toBe(true);
    const late = new Client(get('/healthz'));
    await late.cut;
    expect(late.heard).toBe('');
    await Promise.all(clients.map(({ cut }) => cut));
    const next = new Client(get('/healthz', CLOSE));
    await next.cut;
    expect(next.heard).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('a call that waits for a release is not cut for being silent', async () => {
    await scene.applyExample();
    const body = '{"action":"promote","by":"me"}';
    const wait = SHORT.requestMs + SHORT.idleMs;
    const client = new Client(
      `POST /api/v1/releases/default/reviews/requests?wait=${wait} HTTP/1.1\r\n${host()}${CLOSE}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    await client.cut;
    expect(client.heard).toMatch(/^HTTP\/1\.1 202 /);
  });

  test('event streams are bounded, and one that ends makes room', async () => {
    const streams = Array.from({ length: scene.context.streams.most }, () => new Client(get('/api/v1/events')));
    await expect.poll(() => scene.context.streams.taken).toBe(streams.length);
    const more = new Client(get('/api/v1/events', CLOSE));
    await more.cut;
    expect(more.problem).toMatchObject({ status: 503, code: 'PERCH4098' });
    streams[0]?.socket.destroy();
    await expect.poll(() => scene.context.streams.taken).toBe(streams.length - 1);
    // A head alone is no stream: it must not take that room, least of all for ever.
    for (let count = 0; count < streams.length; count++) {
      const head = new Client(`HEAD /api/v1/events HTTP/1.1\r\n${host()}${CLOSE}\r\n`);
      await head.cut;
      expect(head.heard).toMatch(/^HTTP\/1\.1 200 .*^content-type: text\/event-stream\r$/ims);
    }
    const again = new Client(get('/api/v1/events'));
    await expect.poll(() => again.heard).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ['an answer', '/api/v1/objects'],
    ['an event stream', '/api/v1/events'],
  ])('who reads nothing of %s is cut, and what waits for them is bounded', async (_, path) => {
    await scene.store.apply('api', [ROUTES, RELEASE]);
    // More than the sockets of both ends hold by themselves.
    const large = 'x'.repeat(8 * 1024 * 1024);
    let turn = 0;
    const list = scene.store.list.bind(scene.store);
    scene.store.list = async (...of) =>
      (await list(...of)).map((stored) => ({
        ...stored,
        base: { ...stored.base, large, turn: ++turn },
        served: { ...stored.served, large },
      }));
    const client = new Client('');
    client.socket.pause();
    client.socket.write(get(path));
    const began = performance.now();
    const before = process.memoryUsage().rss;
    await expect.poll(() => turn).toBeGreaterThan(0);
    // Only the client's own end is left: it has not noticed.
    await expect.poll(openSockets, { timeout: 20_000 }).toBe(1);
    expect(performance.now() - began).toBeGreaterThan(SHORT.stallMs);
    // A few copies of one answer, not one for each second or change.
    expect(process.memoryUsage().rss - before).toBeLessThan(30 * large.length);
    await expect.poll(() => scene.context.streams.taken).toBe(0);
  });

  test('who reads slowly gets everything', async () => {
    await scene.applyExample();
    const large = 'x'.repeat(16 * 1024 * 1024);
    const list = scene.store.list.bind(scene.store);
    scene.store.list = async (...of) => (await list(...of)).map((stored) => ({ ...stored, served: { ...stored.served, large } }));
    const client = new Client(get('/api/v1/objects', CLOSE));
    const slow = setInterval(() => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 100);
    }, 150);
    await client.cut;
    clearInterval(slow);
    expect(client.heard.length).toBeGreaterThan(2 * large.length);
    expect(client.heard).toMatch(/\]\}$/);
  });
});

/** Of this process: what the test opened, and what the listeners accepted. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}
