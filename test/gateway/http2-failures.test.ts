// What must neither end the gateway's process nor leave anything behind, over HTTP/2.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ask, openHttp2, read } from './http2-client.ts';
import { block, END_HEADERS, END_STREAM, FRAME, FrameClient, frame, PREFACE } from './http2-frames.ts';
import { everythingToYaml, gatewayYaml, type HttpsScene, httpsScenes, serverYaml } from './https-scene.ts';
import { digest, MEGABYTE, writeAll } from './large-body.ts';
import { type Origin, startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';

const scenes = httpsScenes();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function at(origin: Origin, limits = {}): Promise<HttpsScene> {
  cleanups.push(() => origin.close());
  return scenes.start({ web: ['shop.test'] }, [gatewayYaml(serverYaml('web', 443, "['*']")), everythingToYaml(origin.port)], { limits });
}

async function client(scene: HttpsScene) {
  const opened = await openHttp2(scene.port(443));
  cleanups.push(() => opened.destroy());
  return opened;
}

/** A client that is written frame by frame. `settings`: the payload of its SETTINGS. */
async function frames(scene: HttpsScene, settings?: Uint8Array): Promise<FrameClient> {
  const opened = await FrameClient.open(scene.port(443));
  cleanups.push(() => opened.destroy());
  return opened.send(PREFACE, frame(FRAME.settings, 0, 0, settings));
}

function get(stream: number): Buffer {
  const fields = [':method GET', ':scheme https', ':authority shop.test', ':path /'].map((field) => field.split(' ') as [string, string]);
  return frame(FRAME.headers, END_HEADERS | END_STREAM, stream, block(fields));
}

test.each(['600', '999'])('status %s of an upstream, which is none of HTTP: 502', async (status) => {
  const scene = await at(await startScriptedOrigin(() => `HTTP/1.1 ${status} Odd\r\ncontent-length: 2\r\n\r\nok`));
  const asking = await client(scene);
  for (const _round of [1, 2]) expect((await ask(asking, {})).headers[':status']).toBe(502);
  expect(scene.requests[1]).toMatchObject({ response_code: 502, response_flags: 'UPE' });
});

test('of a field that may stand once only the first is sent, in 1xx responses and trailers, too; of others all', async () => {
  const tags = 'etag: "a"\r\netag: "b"\r\n';
  const links = 'link: </a>\r\nlink: </b>\r\n';
  const interim = `HTTP/1.1 103 Early Hints\r\n${tags}${links}\r\n`;
  const whole = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n${tags}${links}\r\n2\r\nok\r\n0\r\n${tags}x-sum: 1\r\nx-sum: 2\r\n\r\n`;
  const asking = await client(await at(await startScriptedOrigin(() => interim + whole)));
  const answer = await ask(asking, {});
  expect(answer).toMatchObject({ body: 'ok', interim: [103], trailers: { etag: '"a"', 'x-sum': '1, 2' }, code: 0 });
  expect(answer.headers).toMatchObject({ ':status': 200, etag: '"a"', link: '</a>, </b>' });
});

test('a 205 with a body, which it may not have, goes out without', async () => {
  const asking = await client(await at(await startScriptedOrigin(() => 'HTTP/1.1 205 Reset Content\r\ncontent-length: 2\r\n\r\nok')));
  expect(await ask(asking, {})).toMatchObject({ headers: { ':status': 205 }, body: '', code: 0 });
});

test('an answer to an upload that nobody takes ends its exchange', async () => {
  let respond = (): void => undefined;
  const origin = await startTcpOrigin((socket) => {
    socket.pause();
    respond = () => void socket.write('HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!');
  });
  const scene = await at(origin);
  const asking = await client(scene);
  const stream = asking.request({ ':authority': 'shop.test', ':method': 'POST' });
  const answer = read(stream);
  stream.write(Buffer.alloc(8 * 1024 * 1024));
  let before = -1;
  const standsStill = (): boolean => {
    const last = before;
    before = asking.socket.bytesWritten;
    return before === last && before > 1_000_000;
  };
  await expect.poll(standsStill, { interval: 300, timeout: 20_000 }).toBe(true);
  respond();
  expect(await answer).toMatchObject({ headers: { ':status': 413 }, body: 'no!', code: 0 });
  await expect.poll(() => scene.requests, { timeout: 5_000 }).toMatchObject([{ response_code: 413, response_flags: '-' }]);
});

test('a client that is gone after its FIN leaves no request at work', async () => {
  let gone = false;
  const origin = await startHttpOrigin((_request, response) => void response.on('close', () => (gone = true)));
  const scene = await at(origin, { halfClosedMs: 500 });
  const leaving = await frames(scene);
  leaving.send(get(1));
  await expect.poll(origin.connections).toBe(1);
  leaving.end();
  await expect.poll(() => gone, { timeout: 10_000 }).toBe(true);
  await expect.poll(() => scene.requests).toMatchObject([{ response_flags: 'DC' }]);
  await expect.poll(() => leaving.closed).toBe(true);
  const idle = (await frames(scene)).end();
  await expect.poll(() => idle.closed).toBe(true);
});

test('a client that sends its FIN within a body is not waited for', async () => {
  const ended: boolean[] = [];
  const origin = await startHttpOrigin((request) => void request.resume().on('close', () => ended.push(request.complete)));
  // Would be waited for otherwise.
  const scene = await at(origin, { halfClosedMs: 60_000 });
  const asking = await client(scene);
  const stream = asking.request({ ':authority': 'shop.test', ':method': 'POST' });
  stream.on('error', () => undefined);
  stream.write('a part');
  await expect.poll(origin.connections).toBe(1);
  asking.destroy();
  await expect.poll(() => ended).toEqual([false]);
  await expect.poll(() => scene.requests).toMatchObject([{ response_flags: 'DC' }]);
});

test('a client that has sent its FIN still gets what flows', async () => {
  const pieces = 10;
  const origin = await startHttpOrigin((_request, response) => {
    let left = pieces;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) response.write('piece');
      else response.end('piece');
      if (left === 0) clearInterval(timer);
    }, 300);
  });
  const scene = await at(origin, { halfClosedMs: 2_000 });
  const waiting = (await frames(scene)).send(get(1)).end();
  await expect.poll(() => waiting.fate(1), { timeout: 10_000 }).toMatch(/^END$|^GOAWAY NO_ERROR$/);
  await expect.poll(() => waiting.frames.filter(({ type, payload }) => type === FRAME.data && payload.length === 5).length).toBe(pieces);
});

test('a client that reads nothing of its connection any more is cut', async () => {
  const origin = await startHttpOrigin((_request, response) => void response.end(Buffer.alloc(4 * 1024 * 1024)));
  const scene = await at(origin, { responseStallMs: 500 });
  // As much as it wants: it is TCP that is full.
  const window = Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]);
  const stuck = (await frames(scene, window)).pause();
  stuck.send(frame(FRAME.window, 0, 0, Buffer.from([0x7f, 0, 0, 0])));
  for (let stream = 1; stream < 21; stream += 2) stuck.send(get(stream));
  await expect.poll(() => scene.requests.length, { timeout: 15_000 }).toBe(10);
  expect(scene.requests.some(({ response_flags: flags }) => flags === 'DC')).toBe(true);
});

test('large bodies of streams side by side arrive as they are, up and down, at slow readers and quick ones', async () => {
  // Each gets back what it sends.
  const origin = await startHttpOrigin((request, response) => void request.pipe(response));
  const asking = await client(await at(origin));
  const echoed = async (index: number): Promise<string> => {
    const stream = asking.request({ ':authority': 'shop.test', ':method': 'POST' });
    const total = (3 + index) * MEGABYTE + 1000 * index;
    void writeAll(
      (piece) => stream.write(piece),
      () => once(stream, 'drain'),
      total,
    ).then(() => stream.end());
    const hash = createHash('sha1');
    let count = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      count += 1;
      if (index % 2 === 0 && count % 50 === 0) await sleep(2);
    }
    return hash.digest('hex') === digest(total) ? 'as it was' : `another: ${index}`;
  };
  expect(new Set(await Promise.all(Array.from({ length: 6 }, (_, index) => echoed(index))))).toEqual(new Set(['as it was']));
});
