import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type ClientHttp2Session, constants } from 'node:http2';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import { ask, openHttp2, read } from './http2-client.ts';
import { block, END_HEADERS, END_STREAM, FRAME, FrameClient, frame, PREFACE } from './http2-frames.ts';
import { type Echo, everythingToYaml, gatewayYaml, type HttpsScene, httpsScenes, serverYaml } from './https-scene.ts';
import { type Origin, startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';

const scenes = httpsScenes();
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function at(origin: Origin, options = {}, hosts = "['*']"): Promise<HttpsScene> {
  cleanups.push(() => origin.close());
  return scenes.start({ web: ['shop.test'] }, [gatewayYaml(serverYaml('web', 443, hosts)), everythingToYaml(origin.port)], options);
}

/** An HTTP/2 client of Node. */
async function session(scene: HttpsScene): Promise<ClientHttp2Session> {
  const client = await openHttp2(scene.port(443));
  cleanups.push(() => client.destroy());
  return client;
}

test('a request of HTTP/2 is sent on as HTTP/1.1: cookies in one line, Host, https', async () => {
  const scene = await at(await scenes.echo());
  const client = await session(scene);
  const { headers, body } = await ask(client, { ':path': '/a?b=c', cookie: ['a=1', 'b=2'], 'x-own': ['1', '2'] });
  expect(headers[':status']).toBe(200);
  const echo = JSON.parse(body) as Echo;
  expect(echo).toMatchObject({ method: 'GET', url: '/a?b=c', body: '' });
  expect(echo.headers).toMatchObject({ host: 'shop.test', cookie: 'a=1; b=2', 'x-own': '1, 2', 'x-forwarded-proto': 'https' });
  expect(echo.headers['transfer-encoding']).toBeUndefined();
  expect(scene.requests[0]).toMatchObject({ protocol: 'HTTP/2', response_code: 200, requested_server_name: 'shop.test' });
});

test.each([
  ['of a length', { 'content-length': '5' }, undefined],
  ['of unknown length', {}, 'chunked'],
])('a body %s', async (_what, more, coding) => {
  const client = await session(await at(await scenes.echo()));
  const { body } = await ask(client, { ':method': 'POST', ...more }, 'hello');
  const echo = JSON.parse(body) as Echo;
  expect(echo.body).toBe('hello');
  expect(echo.headers['transfer-encoding']).toBe(coding);
});

test('trailers pass behind a header whose value is the name of another', async () => {
  const origin = await startScriptedOrigin(
    () => 'HTTP/1.1 200 OK\r\nVary: content-length\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n',
  );
  const client = await session(await at(origin));
  expect(await ask(client, {})).toMatchObject({ body: 'ok', trailers: { 'x-sum': '1' } });
});

test('trailers pass in both directions', async () => {
  const origin = await startHttpOrigin((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('body');
      response.addTrailers({ 'x-sum': `got ${request.trailers['x-told']}` });
      response.end();
    });
  });
  const client = await session(await at(origin));
  const stream = client.request({ ':authority': 'shop.test', ':method': 'POST' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-told': 'all' }));
  const answer = read(stream);
  stream.end('abc');
  expect(await answer).toMatchObject({ body: 'body', trailers: { 'x-sum': 'got all' }, code: 0 });
});

test.each([
  ['HEAD', { ':method': 'HEAD' }, 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n', 200, '10'],
  ['204', {}, 'HTTP/1.1 204 No Content\r\n\r\n', 204, undefined],
  ['304', {}, 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n', 304, undefined],
])('an answer without a body: %s', async (_what, headers, text, status, length) => {
  const client = await session(await at(await startScriptedOrigin(() => text)));
  const answer = await ask(client, headers);
  expect(answer).toMatchObject({ body: '', code: 0 });
  expect(answer.headers[':status']).toBe(status);
  expect(answer.headers['content-length']).toBe(length);
});

test('several lines of a field, also of one that may stand once only, and bytes beyond ASCII', async () => {
  const text =
    'HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-odd: \xe4\r\netag: "a"\r\netag: "b"\r\ncontent-length: 2\r\n\r\nok';
  const client = await session(await at(await startScriptedOrigin(() => text)));
  const { headers, body } = await ask(client, {});
  expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(headers).toMatchObject({ 'x-odd': '\xe4', etag: '"a"' });
  expect(body).toBe('ok');
});

test('1xx responses are passed on; 100 to who asked', async () => {
  const origin = await startHttpOrigin((request, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const client = await session(await at(origin));
  expect((await ask(client, { ':method': 'POST' }, 'a')).interim).toEqual([103]);
  const stream = client.request({ ':authority': 'shop.test', ':method': 'POST', expect: '100-continue', 'content-length': '1' });
  const answer = read(stream);
  await once(stream, 'continue');
  stream.end('a');
  expect((await answer).body).toBe('ok');
});

test('streams are served at the same time, and one that is reset leaves the others alone', async () => {
  const waiting: (() => void)[] = [];
  let gone = 0;
  const origin = await startHttpOrigin((request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) gone += 1;
    });
    if (request.url === '/slow') waiting.push(() => response.end('slow'));
    else response.end('fast');
  });
  const scene = await at(origin);
  const client = await session(scene);
  const slow = ask(client, { ':path': '/slow' });
  const dropped = client.request({ ':authority': 'shop.test', ':path': '/slow' });
  dropped.on('error', () => undefined);
  await expect.poll(() => waiting.length).toBe(2);
  dropped.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => gone).toBe(1);
  expect((await ask(client, { ':path': '/fast' })).body).toBe('fast');
  for (const answer of waiting) answer();
  expect((await slow).body).toBe('slow');
  expect(scene.requests.find(({ response_flags: flags }) => flags === 'DC')).toBeDefined();
});

test('an upstream that breaks off resets the stream: the client does not take a part for the whole', async () => {
  const origin = await startTcpOrigin((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n', () => socket.destroy()));
  });
  const client = await session(await at(origin));
  const answer = await ask(client, {});
  expect(answer.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect((await ask(client, {})).code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
});

test('an answer before the end of the body ends the stream without an error', async () => {
  const client = await session(await at(await startScriptedOrigin(() => 'HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!')));
  const stream = client.request({ ':authority': 'shop.test', ':method': 'POST' });
  const answer = read(stream);
  stream.write('a');
  expect(await answer).toMatchObject({ body: 'no!', code: 0 });
  expect((await ask(client, {})).headers[':status']).toBe(413);
});

test('a client that stops reading holds the upstream back, and gets all of it in the end', async () => {
  const size = 32 * 1024 * 1024;
  let written = 0;
  const origin = await startHttpOrigin((_request, response) => {
    response.writeHead(200, { 'content-length': size });
    const piece = Buffer.alloc(64 * 1024, 'x');
    const more = (): void => {
      while (written < size) {
        written += piece.length;
        if (!response.write(piece)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const client = await session(await at(origin));
  const stream = client.request({ ':authority': 'shop.test' });
  await once(stream, 'response');
  let before = -1;
  const standsStill = (): boolean => {
    const last = before;
    before = written;
    return written === last;
  };
  await expect.poll(standsStill, { interval: 300, timeout: 20_000 }).toBe(true);
  expect(written).toBeLessThan(size / 2);
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(stream, 'end');
  expect(received).toBe(size);
});

test('an upstream that stops reading holds the client back', async () => {
  let upstream: { resume(): unknown } | undefined;
  let got = 0;
  const origin = await startHttpOrigin((request, response) => {
    upstream = request;
    request.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    request.pause();
    request.on('end', () => response.end(String(got)));
  });
  const client = await session(await at(origin));
  const stream = client.request({ ':authority': 'shop.test', ':method': 'POST' });
  const answer = read(stream);
  const size = 16 * 1024 * 1024;
  let taken = false;
  stream.write(Buffer.alloc(size), () => {
    taken = true;
  });
  await expect.poll(() => upstream).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(taken).toBe(false);
  upstream?.resume();
  stream.end();
  expect((await answer).body).toBe(String(size));
});

test('the end of the gateway: GOAWAY, and the streams at work are answered', async () => {
  let finish = (): void => undefined;
  const origin = await startHttpOrigin((_request, response) => {
    finish = () => response.end('late');
  });
  const scene = await at(origin);
  const client = await session(scene);
  const answer = ask(client, {});
  await expect.poll(() => String(finish)).toContain('late');
  const goaway = once(client, 'goaway');
  const closed = scene.gateway.close(10_000);
  expect((await goaway)[0]).toBe(constants.NGHTTP2_NO_ERROR);
  finish();
  expect((await answer).body).toBe('late');
  await closed;
});

test('a server whose TLS settings change sends its connections away', async () => {
  const origin = await scenes.echo();
  const scene = await at(origin);
  const client = await session(scene);
  expect((await ask(client, {})).headers[':status']).toBe(200);
  const goaway = once(client, 'goaway');
  const stricter = serverYaml('web', 443, "['*']", '{mode: SIMPLE, credentialName: web, minProtocolVersion: TLSV1_3}');
  await scene.apply(gatewayYaml(stricter), everythingToYaml(origin.port));
  await goaway;
  expect((await ask(await session(scene), {})).headers[':status']).toBe(200);
});

test('routes change under a connection that stays', async () => {
  const [one, two] = [
    await startHttpOrigin((_request, response) => response.end('one')),
    await startHttpOrigin((_request, response) => response.end('two')),
  ];
  cleanups.push(() => two.close());
  const scene = await at(one);
  const client = await session(scene);
  expect((await ask(client, {})).body).toBe('one');
  await scene.apply(gatewayYaml(serverYaml('web', 443, "['*']")), everythingToYaml(two.port));
  expect((await ask(client, {})).body).toBe('two');
});

test('a connection without requests is sent away, and cut where it does not go', async () => {
  const scene = await at(await scenes.echo(), { limits: { clientIdleMs: 600, requestHeadMs: 600 } });
  const client = await session(scene);
  expect((await ask(client, {})).headers[':status']).toBe(200);
  await once(client, 'close');
  const silent = await FrameClient.open(scene.port(443));
  cleanups.push(() => silent.destroy());
  silent.send(PREFACE, frame(FRAME.settings, 0, 0));
  await expect.poll(() => silent.fate(1)).toBe('GOAWAY NO_ERROR');
  await expect.poll(() => silent.closed).toBe(true);
});

test('a client that takes nothing of an answer is reset, and its upstream let go', async () => {
  let gone = false;
  const origin = await startHttpOrigin((_request, response) => {
    response.on('close', () => {
      gone = true;
    });
    response.end(Buffer.alloc(8 * 1024 * 1024));
  });
  const scene = await at(origin, { limits: { responseStallMs: 300 } });
  const client = await session(scene);
  const stream = client.request({ ':authority': 'shop.test' });
  stream.on('error', () => undefined);
  await once(stream, 'response');
  await expect.poll(() => gone).toBe(true);
  await expect.poll(() => scene.requests).toMatchObject([{ response_flags: 'DC' }]);
  stream.resume();
  await expect.poll(() => stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
});

test('CONNECT and upgrades are refused', async () => {
  const client = await session(await at(await scenes.echo()));
  const stream = client.request({ ':method': 'CONNECT', ':authority': 'shop.test:443' });
  expect((await read(stream)).headers[':status']).toBe(501);
  expect(client.remoteSettings.enableConnectProtocol).toBe(false);
});

test('more streams than may be at work are refused, a flood of resets ends the connection', async () => {
  const origin = await startTcpOrigin(() => undefined);
  const scene = await at(origin, { limits: { http2Streams: 10 } });
  const client = await FrameClient.open(scene.port(443));
  cleanups.push(() => client.destroy());
  const get = (stream: number): Buffer =>
    frame(
      FRAME.headers,
      END_HEADERS | END_STREAM,
      stream,
      block([
        [':method', 'GET'],
        [':scheme', 'https'],
        [':authority', 'shop.test'],
        [':path', '/'],
      ]),
    );
  client.send(PREFACE, frame(FRAME.settings, 0, 0));
  for (let stream = 1; stream <= 21; stream += 2) client.send(get(stream));
  await expect.poll(() => client.fate(21)).toBe('RST REFUSED_STREAM');
  expect(client.fate(19)).toBeUndefined();
  // A client that has said that it knows the limit breaks the protocol.
  client.send(frame(FRAME.settings, 1, 0), get(23));
  await expect.poll(() => client.fate(0)).toBe('GOAWAY PROTOCOL_ERROR');
  // CVE-2023-44487.
  const flood = await FrameClient.open(scene.port(443));
  cleanups.push(() => flood.destroy());
  flood.send(PREFACE, frame(FRAME.settings, 0, 0));
  let stream = 1;
  for (; stream < 6000 && flood.fate(0) === undefined; stream += 2) {
    flood.send(get(stream), frame(FRAME.rst, 0, stream, Buffer.from([0, 0, 0, 8])));
    if (stream % 100 === 1) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => flood.fate(0)).toMatch(/^(GOAWAY (INTERNAL_ERROR|ENHANCE_YOUR_CALM)|CLOSED)$/);
});

test('heads that are too large are refused, floods of control frames end the connection', async () => {
  const scene = await at(await scenes.echo());
  const client = await session(scene);
  expect((await ask(client, { 'x-large': 'a'.repeat(61 * 1024) })).headers[':status']).toBe(431);
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, 'a']));
  expect((await ask(client, many)).headers[':status']).toBe(431);
  expect((await ask(client, { cookie: Array.from({ length: 200 }, (_, index) => `c${index}=1`) })).headers[':status']).toBe(200);
  // Heads without an end (CONTINUATION), and what has to be answered, while no answer is read.
  const endless = await FrameClient.open(scene.port(443));
  cleanups.push(() => endless.destroy());
  endless.send(PREFACE, frame(FRAME.settings, 0, 0), frame(FRAME.headers, END_STREAM, 1, block([[':method', 'GET']])));
  for (let count = 0; count < 100; count += 1) endless.send(frame(FRAME.continuation, 0, 1, block([['x-a', 'a'.repeat(8000)]])));
  await expect.poll(() => endless.fate(1)).toMatch(/^(RST|GOAWAY) (ENHANCE_YOUR_CALM|PROTOCOL_ERROR|INTERNAL_ERROR)$|^CLOSED$/);
});

test('observers are told that it was HTTP/2', async () => {
  const versions: string[] = [];
  const observe: GatewayOptions['observe'] = ({ version }) => void versions.push(version);
  const client = await session(await at(await startHttpOrigin((_request, response) => response.end('ok')), { observe }));
  expect((await read(client.request({ ':authority': 'shop.test' }))).body).toBe('ok');
  await expect.poll(() => versions).toEqual(['2']);
});

test.skipIf(!hasCurl)(`curl speaks HTTP/2, and HTTP/1.1 where it asks for that${hasCurl ? '' : ' (needs curl)'}`, async () => {
  const scene = await at(await scenes.echo());
  const run = promisify(execFile);
  const curl = async (...args: readonly string[]): Promise<string> => {
    const resolve = ['--resolve', `shop.test:${scene.port(443)}:127.0.0.1`];
    const { stdout } = await run('curl', [
      '-sk',
      '-w',
      '\n%{http_version} %{http_code}',
      ...resolve,
      ...args,
      `https://shop.test:${scene.port(443)}/a`,
    ]);
    return stdout;
  };
  expect(await curl('--http2', '-d', 'hello')).toMatch(/"method":"POST".*"body":"hello".*\n2 200$/s);
  expect(await curl('--http1.1')).toMatch(/\n1.1 200$/);
});

test('requests that a client may not ask for get no answer but their own: 400, 404', async () => {
  const scene = await at(await scenes.echo(), {}, "['shop.test']");
  const client = await session(scene);
  expect((await ask(client, { ':authority': 'other.test' })).headers[':status']).toBe(404);
  expect((await ask(client, { ':method': 'BREW' })).headers[':status']).toBe(400);
  expect((await ask(client, { ':authority': 'user@shop.test' })).code).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  expect((await ask(client, {})).headers[':status']).toBe(200);
});
