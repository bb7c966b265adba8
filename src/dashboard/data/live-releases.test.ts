import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Release } from '../model/release.ts';
import { ApiClient } from './api-client.ts';
import { LiveReleases } from './live-releases.ts';

/** A release that is told apart by its generation. */
const release = (name: string, generation: number): Release => ({
  metadata: { name, namespace: 'default', generation, creationTimestamp: '2026-11-30T12:00:00.000Z' },
  spec: { service: { host: name }, canary: { subset: 'v2' }, steps: [] },
});

let server: Server;
let base = '';
/** Event streams that are open, and lists that wait for their answer. */
let streams: ServerResponse[];
let lists: ServerResponse[];
let live: LiveReleases;

const tell = (stream: ServerResponse | undefined, event: string, data: unknown) =>
  stream?.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
const answerList = (...items: readonly Release[]) => lists.shift()?.end(JSON.stringify({ items }));
const known = () => [...(live.store.state.releases ?? [])].map(([key, { metadata }]) => `${key} ${metadata.generation}`);

beforeEach(async () => {
  streams = [];
  lists = [];
  server = createServer((request, response) => {
    if (request.url?.endsWith('/events') === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      streams.push(response);
    } else lists.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const tokens = new Map<string, string>();
  live = new LiveReleases(
    new ApiClient(base, {
      getItem: (key) => tokens.get(key) ?? null,
      setItem: (key, value) => tokens.set(key, value),
      removeItem: (key) => tokens.delete(key),
    }),
  );
  live.connect();
  await expect.poll(() => [streams.length, lists.length]).toEqual([1, 1]);
});
afterEach(() => {
  live.rest();
  server.closeAllConnections();
  server.close();
});

test('what the stream tells is never older than the list beside it; what it says is gone stays gone', async () => {
  tell(streams[0], 'release', release('web', 2));
  tell(streams[0], 'release', release('old', 1));
  tell(streams[0], 'deleted', { namespace: 'default', name: 'old' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(live.store.state.releases).toBeUndefined();
  answerList(release('web', 1), release('old', 1), release('api', 1));
  await expect.poll(() => live.store.state.connection.kind).toBe('live');
  await expect.poll(known).toEqual(['default/api 1', 'default/web 2']);
});

test('a stream that ends is opened again, and its state taken whole', async () => {
  answerList(release('web', 5), release('api', 1));
  await expect.poll(known).toEqual(['default/api 1', 'default/web 5']);
  const { epoch } = live.store.state;
  streams[0]?.end();
  await expect.poll(() => live.store.state.connection.kind).toBe('lost');
  // What was known stays until there is something newer.
  expect(known()).toEqual(['default/api 1', 'default/web 5']);
  await expect.poll(() => [streams.length, lists.length]).toEqual([2, 1]);
  answerList(release('web', 6));
  await expect.poll(known).toEqual(['default/web 6']);
  expect(live.store.state.connection).toEqual({ kind: 'live' });
  expect(live.store.state.epoch).toBe(epoch + 1);
});

test('what an older connection still brings is dropped', async () => {
  answerList(release('web', 5));
  await expect.poll(known).toEqual(['default/web 5']);
  live.connect();
  await expect.poll(() => streams.length).toBe(2);
  await expect.poll(() => lists.length).toBe(1);
  tell(streams[0], 'release', release('web', 4));
  tell(streams[1], 'release', release('web', 7));
  answerList(release('web', 7));
  await expect.poll(known).toEqual(['default/web 7']);
  tell(streams[0], 'release', release('web', 4));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(known()).toEqual(['default/web 7']);
});

test('at rest it holds no connection; afterwards its state is taken whole again', async () => {
  answerList(release('web', 5));
  await expect.poll(known).toEqual(['default/web 5']);
  const { epoch } = live.store.state;
  live.rest();
  expect(live.store.state.connection).toEqual({ kind: 'resting' });
  await expect.poll(() => streams[0]?.destroyed).toBe(true);
  // What was known stays to be seen for the moment until there is something newer.
  expect(known()).toEqual(['default/web 5']);
  live.resume();
  live.resume();
  expect(live.store.state.connection).toEqual({ kind: 'connecting' });
  await expect.poll(() => [streams.length, lists.length]).toEqual([2, 1]);
  answerList(release('web', 9));
  await expect.poll(known).toEqual(['default/web 9']);
  expect(live.store.state).toMatchObject({ connection: { kind: 'live' }, epoch: epoch + 1 });
});

test('a server that is gone after a rest is lost since the rest began, and is not tried during one', async () => {
  answerList(release('web', 5));
  await expect.poll(() => live.store.state.connection.kind).toBe('live');
  const before = Date.now();
  live.rest();
  server.closeAllConnections();
  server.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const after = Date.now();
  live.resume();
  await expect.poll(() => live.store.state.connection.kind).toBe('lost');
  const { connection } = live.store.state;
  const since = connection.kind === 'lost' ? connection.since : 0;
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThan(after - 50);
  live.rest();
  // Longer than the first wait before another try.
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect(live.store.state.connection.kind).toBe('resting');
});
