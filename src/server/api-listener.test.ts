import { createServer } from 'node:net';
import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import type { ApiEnv } from './api-guards.ts';
import { type ApiListener, listenForApi } from './api-listener.ts';
import { ListenError } from './listen-error.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(port: number): Promise<ApiListener> {
  const app = new Hono<ApiEnv>();
  app.get('/', (c) => c.text('here'));
  const listener = await listenForApi(app, { port });
  closers.push(() => listener.close());
  return listener;
}

/** Something else that holds a port on one address. */
async function occupy(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('one port on both loopbacks, so that localhost is always us', async () => {
  const { port } = await listen(0);
  for (const host of ['127.0.0.1', '[::1]', 'localhost']) expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('here');
});

test.each(['127.0.0.1', '::1'])('a port that is taken on %s is refused, and nothing stays open', async (host) => {
  const port = await occupy(host, 0);
  const failure = await listen(port).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ListenError);
  expect(failure).toMatchObject({ port, message: `port ${port} is in use by another program` });
  await closers.pop()?.();
  await listen(port);
});

test('closing cuts open connections and frees the port', async () => {
  const { port, close } = await listen(0);
  await fetch(`http://127.0.0.1:${port}/`);
  await close();
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  await listen(port);
});
