import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createVisitorSentences, type VisitorSentences } from './visitor-sentence.ts';

let asked: string[] = [];
let status = 200;
let time = 0;
let isSilent = false;
let sentences: VisitorSentences;
let close: () => Promise<unknown>;

beforeEach(async () => {
  asked = [];
  status = 200;
  time = 0;
  isSilent = false;
  const server = createServer((request, response) => {
    const id = request.url?.split('/').at(-1) ?? '';
    asked.push(id);
    if (isSilent) {
      request.socket.destroy();
      return;
    }
    response.writeHead(status).end(JSON.stringify({ sentence: `about ${id}, ${asked.length}`, cohort: 'stable', bucket: 1, weight: 10 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  const perchApi = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sentences = createVisitorSentences({ perchApi, release: 'default/reviews', now: () => time });
});
afterEach(() => close());

test('an id is asked for once a second, also by requests at the same time', async () => {
  const [first, second] = await Promise.all([
    sentences.about({ id: 'a', told: undefined, shown: 'v1' }),
    sentences.about({ id: 'a', told: undefined, shown: 'v1' }),
  ]);
  expect(first?.sentence).toBe('about a, 1');
  expect(second).toEqual(first);
  time = 999;
  expect(await sentences.about({ id: 'a', told: undefined, shown: 'v1' })).toEqual(first);
  time = 1_000;
  expect((await sentences.about({ id: 'a', told: undefined, shown: 'v1' }))?.sentence).toBe('about a, 2');
  expect(asked).toEqual(['a', 'a']);
});

test('a visitor whose version changed is asked for at once', async () => {
  expect((await sentences.about({ id: 'a', told: undefined, shown: 'v1' }))?.sentence).toBe('about a, 1');
  expect((await sentences.about({ id: 'a', told: undefined, shown: 'v2' }))?.sentence).toBe('about a, 2');
  expect((await sentences.about({ id: 'a', told: undefined, shown: undefined }))?.sentence).toBe('about a, 3');
  expect((await sentences.about({ id: 'a', told: undefined, shown: 'v2' }))?.sentence).toBe('about a, 2');
});

test('each id has its own answer', async () => {
  expect((await sentences.about({ id: 'a', told: undefined, shown: 'v1' }))?.sentence).toBe('about a, 1');
  expect((await sentences.about({ id: 'b', told: undefined, shown: 'v1' }))?.sentence).toBe('about b, 2');
});

test('the cache is bounded: the oldest ids are asked for again', async () => {
  for (let index = 0; index <= 2_000; index += 1) await sentences.about({ id: `id${index}`, told: undefined, shown: 'v1' });
  expect(asked).toHaveLength(2_001);
  await sentences.about({ id: 'id2000', told: undefined, shown: 'v1' });
  await sentences.about({ id: 'id1', told: undefined, shown: 'v1' });
  expect(asked).toHaveLength(2_001);
  await sentences.about({ id: 'id0', told: undefined, shown: 'v1' });
  expect(asked).toHaveLength(2_002);
});

test('an error answer says nothing', async () => {
  status = 404;
  expect(await sentences.about({ id: 'a', told: undefined, shown: 'v1' })).toBeUndefined();
});

test('a Perch that twice did not answer is left alone for a second', async () => {
  isSilent = true;
  const ask = (): Promise<unknown> => sentences.about({ id: `id${asked.length}`, told: undefined, shown: 'v1' });
  for (let index = 0; index < 1_000; index += 1) expect(await ask()).toBeUndefined();
  expect(asked).toHaveLength(2);
  time = 999;
  expect(await ask()).toBeUndefined();
  expect(asked).toHaveLength(2);
  time = 1_000;
  isSilent = false;
  expect(await ask()).toMatchObject({ sentence: 'about id2, 3' });
});

test('without Perch there is nothing to ask', async () => {
  const nobody = createVisitorSentences({ perchApi: undefined, release: 'default/reviews' });
  expect(await nobody.about({ id: 'a', told: undefined, shown: 'v1' })).toBeUndefined();
});
