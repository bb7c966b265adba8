import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ClientConnection, type QueuedExchange } from './client-connection.ts';
import { DEFAULT_LIMITS } from './limits.ts';

const open: { destroy(): void }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.destroy();
});

/** The server's end of a real connection. */
async function acceptedSocket(): Promise<Socket> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  open.push({ destroy: () => server.close() }, client, socket);
  return socket;
}

/** An exchange that writes down when its turn comes. */
function exchange(name: string, begun: string[]): QueuedExchange {
  return { bodyComplete: true, begin: () => begun.push(name), malformed: () => undefined, sweep: () => undefined };
}

test('requests take turns in their order', async () => {
  const begun: string[] = [];
  const connection = new ClientConnection(await acceptedSocket(), DEFAULT_LIMITS);
  const [first, second] = [exchange('first', begun), exchange('second', begun)];
  connection.enter(first);
  connection.enter(second);
  expect(begun).toEqual(['first']);
  connection.leave(first);
  expect(begun).toEqual(['first', 'second']);
});

// Before Node 22.21 the parser hands over what was pipelined behind a request whose answer closed the connection.
test.each(['before', 'after'])(
  'what was sent behind a request that ends the connection never gets its turn, if it comes %s the answer',
  async (when) => {
    const begun: string[] = [];
    const connection = new ClientConnection(await acceptedSocket(), DEFAULT_LIMITS);
    const [refused, smuggled] = [exchange('refused', begun), exchange('smuggled', begun)];
    connection.enter(refused);
    connection.closing = true;
    if (when === 'before') connection.enter(smuggled);
    connection.leave(refused);
    if (when === 'after') connection.enter(smuggled);
    expect(begun).toEqual(['refused']);
  },
);
