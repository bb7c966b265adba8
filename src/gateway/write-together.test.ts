import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeTogether } from './write-together.ts';

const server = createServer();
const opened: Socket[] = [];
beforeEach(async () => {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
  server.close();
});

/** A connection: the end that writes, and what the other end has received so far. */
async function pair(): Promise<{ readonly socket: Socket; received(): string; until(length: number): Promise<void> }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[other]] = await Promise.all([accepted, once(socket, 'connect')]);
  opened.push(socket, other);
  let text = '';
  other.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  const until = async (length: number): Promise<void> => {
    while (text.length < length) await once(other, 'data');
  };
  return { socket, received: () => text, until };
}

test('what is written to a socket meanwhile keeps its order', async () => {
  const { socket, received, until } = await pair();
  writeTogether(socket, 'head \xe9 ');
  socket.write('body ');
  writeTogether(socket, 'next ');
  socket.write('end');
  await until(20);
  expect(received()).toBe('head \xe9 body next end');
});

test('nothing leaves before the turn is over, then all of it does', async () => {
  const pairs = [await pair(), await pair()];
  const done: number[] = [];
  for (const [index, { socket }] of pairs.entries()) writeTogether(socket, 'text', () => done.push(index));
  await Promise.resolve();
  expect(pairs.map(({ socket }) => [socket.bytesWritten, socket.writableLength])).toEqual([
    [4, 4],
    [4, 4],
  ]);
  await Promise.all(pairs.map(({ until }) => until(4)));
  expect(done).toEqual([0, 1]);
  expect(pairs.map(({ socket }) => socket.writableLength)).toEqual([0, 0]);
});

test('a socket that is destroyed meanwhile is told so, and holds up nobody', async () => {
  const [gone, there] = [await pair(), await pair()];
  const failed = new Promise<unknown>((resolve) => writeTogether(gone.socket, 'lost', resolve));
  writeTogether(there.socket, 'kept');
  gone.socket.destroy();
  expect(await failed).toBeInstanceOf(Error);
  await there.until(4);
  expect([gone.received(), there.received()]).toEqual(['', 'kept']);
});
