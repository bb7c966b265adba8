import { expect, test } from 'vitest';
import { readEvents, type ServerEvent } from './read-events.ts';

async function collect(stream: ReadableStream<Uint8Array>): Promise<readonly ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of readEvents(stream)) events.push(event);
  return events;
}

async function read(...chunks: readonly string[]): Promise<readonly ServerEvent[]> {
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
  return await collect(stream);
}

test('events end with an empty line; comments and unknown fields are skipped', async () => {
  expect(await read(': hello\n\nevent: release\nid: 7\ndata: {"a":1}\n\ndata: second\n\n')).toEqual([
    { event: 'release', data: '{"a":1}' },
    { event: 'message', data: 'second' },
  ]);
});

test('lines may be torn anywhere, even inside a character, and end in CRLF', async () => {
  const whole = new TextEncoder().encode('event: release\r\ndata: v1 → v2\r\ndata: more\r\n\r\n');
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of whole) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  expect(await collect(stream)).toEqual([{ event: 'release', data: 'v1 → v2\nmore' }]);
});

test('an event that is not finished is not there', async () => {
  expect(await read('data: half\n')).toEqual([]);
});
