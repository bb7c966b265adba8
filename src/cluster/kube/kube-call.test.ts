import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { KubeCall } from './kube-call.ts';
import { KubeClient } from './kube-client.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A client of a server that answers with these statuses, one after the other, and what it told of its calls. */
async function clientOf(...statuses: readonly number[]) {
  const left = [...statuses];
  const server = createServer((_, response) => {
    response.writeHead(left.shift() ?? 200).end('{}\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  const calls: KubeCall[] = [];
  const { port } = server.address() as AddressInfo;
  const client = new KubeClient({ url: `http://127.0.0.1:${port}`, authenticate: async () => undefined }, (call) => calls.push(call));
  return { client, calls };
}

const told = (calls: readonly KubeCall[]) => calls.map(({ verb, status }) => `${verb} ${status}`);

test('each request is told of once, by its verb and its answer', async () => {
  const { client, calls } = await clientOf(200, 201, 409, 200, 200, 200);
  await client.request('/apis/x/v1/things/one');
  await client.request('/apis/x/v1/things', { method: 'POST', body: {} });
  await client.request('/apis/x/v1/things/one', { method: 'PUT', body: {} }).catch(() => undefined);
  await client.request('/apis/x/v1/things/one', { method: 'PATCH', body: {} });
  await client.request('/apis/x/v1/things?limit=500&continue=abc');
  for await (const _ of client.lines('/apis/x/v1/things?watch=1', new AbortController().signal));
  expect(told(calls)).toEqual(['get 200', 'create 201', 'update 409', 'patch 200', 'list 200', 'watch 200']);
  for (const { tookMs } of calls) expect(tookMs).toBeGreaterThan(0);
});

test('a request that nobody answers is told of, too', async () => {
  const { client, calls } = await clientOf();
  await closers.pop()?.();
  await expect(client.request('/apis/x/v1/things/one')).rejects.toMatchObject({ status: 0 });
  expect(told(calls)).toEqual(['get 0']);
});
