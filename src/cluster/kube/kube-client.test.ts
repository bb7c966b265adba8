import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { KubeClient, KubeError } from './kube-client.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function clientOf(listener: RequestListener): Promise<KubeClient> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  return new KubeClient({ url: `http://127.0.0.1:${port}`, authenticate: async () => undefined }, undefined, 'perch/1 (test)');
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );

test('an answer that is cut off in the middle is an error like any other, at whatever byte', async () => {
  const client = await clientOf((_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{"kind": ', () => response.socket?.resetAndDestroy());
  });
  const error = await failure(client.request('/api/v1/things'));
  expect(error).toBeInstanceOf(KubeError);
  expect(error).toMatchObject({ status: 0, message: expect.stringMatching(/^\/api\/v1\/things: /) });
});

test('says who asks', async () => {
  let agent: string | undefined;
  const client = await clientOf((request, response) => {
    agent = request.headers['user-agent'];
    response.end('{}');
  });
  await client.request('/api/v1/things');
  expect(agent).toBe('perch/1 (test)');
});

test('what may not leave any more once the connection is there is not sent', async () => {
  let came = 0;
  const client = await clientOf((_, response) => {
    came += 1;
    response.end('{}');
  });
  let mayLeave = true;
  const write = () => client.request('/api/v1/things', { method: 'POST', body: {}, mayLeave: () => mayLeave });
  await write();
  const late = write();
  mayLeave = false;
  expect(await failure(late)).toMatchObject({ status: 0, message: expect.stringContaining('may not be sent any more') });
  await sleep(50);
  expect(came).toBe(1);
});

test('what is broken off ends at once, whatever the server does', async () => {
  const client = await clientOf(() => undefined);
  const abort = new AbortController();
  const write = failure(client.request('/api/v1/things', { method: 'PUT', body: {}, signal: abort.signal }));
  await sleep(50);
  abort.abort();
  expect(await write).toBeInstanceOf(KubeError);
});

test.each([
  ['an hour ahead', 3600_000, 3600_000],
  ['a day behind', -86_400_000, -86_400_000],
  ['a second ahead, which is within what a header tells', 1000, 0],
])('goes by the clock of a server that is %s', async (_, ahead, expected) => {
  const client = await clientOf((__, response) => {
    response.setHeader('date', new Date(Date.now() + ahead).toUTCString());
    response.end('{}');
  });
  expect(client.serverAheadMs).toBe(0);
  await client.request('/api/v1/things');
  expect(Math.abs(client.serverAheadMs - expected)).toBeLessThanOrEqual(600);
  expect(Math.abs(client.now() - Date.now() - expected)).toBeLessThanOrEqual(600);
});

test('an answer that took its time says nothing of what time it is', async () => {
  const client = await clientOf((_, response) => {
    response.setHeader('date', new Date(Date.now() - 3600_000).toUTCString());
    setTimeout(() => response.end('{}'), 1100);
  });
  await client.request('/api/v1/things');
  expect(client.serverAheadMs).toBe(0);
});
