import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../test/harness/seeded-random.ts';
import { MAXIMUM_HELLO, readClientHello } from './client-hello.ts';

/** What OpenSSL sends first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0, ...options });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same message in records of `size` bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, piece.length >> 8, piece.length & 255]), piece);
  }
  return Buffer.concat(records);
}

test.each([{ maxVersion: 'TLSv1.2' }, { maxVersion: 'TLSv1.3' }, { ALPNProtocols: ['h2'] }] as const)(
  'the name that OpenSSL asks for, whatever else it sends: %j',
  async (options) => {
    expect(readClientHello(await helloOf({ ...options, servername: 'Shop.Test' }))).toEqual({ serverName: 'shop.test' });
    expect(readClientHello(await helloOf(options))).toEqual({ serverName: undefined });
  },
);

test('a message that is not there yet, or in many records', async () => {
  const hello = await helloOf({ servername: 'shop.test' });
  for (let length = 0; length < hello.length; length += 1) expect(readClientHello(hello.subarray(0, length))).toBe('incomplete');
  for (const size of [1, 3, 7, 100]) {
    const records = inRecords(hello, size);
    expect(readClientHello(records.subarray(0, -1))).toBe('incomplete');
    expect(readClientHello(records)).toEqual({ serverName: 'shop.test' });
  }
  expect(readClientHello(Buffer.concat([hello, Buffer.from('more')]))).toEqual({ serverName: 'shop.test' });
});

test.each([
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
  ['another record', Buffer.from([23, 3, 1, 0, 5])],
  ['SSL 2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
  ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
  ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
  ['another message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
  ['a message that is too long', Buffer.from([22, 3, 1, 0, 4, 1, 0, MAXIMUM_HELLO >> 8, 0])],
  ['a message without its fields', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
])('no ClientHello: %s', (_what, bytes) => {
  expect(readClientHello(bytes)).toBe('invalid');
});

test('bytes that are changed anywhere are read without an error, and never as a longer message', async () => {
  const hello = await helloOf({ servername: 'shop.test', ALPNProtocols: ['h2', 'http/1.1'] });
  const random = seededRandom(7);
  for (let run = 0; run < 20_000; run += 1) {
    const bytes = Buffer.from(hello);
    for (let count = 0; count < 3; count += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const read = readClientHello(bytes.subarray(0, Math.ceil(random() * bytes.length)));
    if (typeof read === 'object' && read.serverName !== undefined) expect(read.serverName.length).toBeLessThanOrEqual(255);
  }
});
