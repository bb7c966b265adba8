import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ApiClient } from './api-client.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(answer: RequestListener): Promise<ApiClient> {
  const opened = createServer(answer);
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  return new ApiClient(`http://127.0.0.1:${(opened.address() as AddressInfo).port}`, new AbortController().signal);
}

const answering =
  (status: number, type: string, body: string): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': type, location: '/elsewhere' }).end(body);
  };

const json = 'application/json';
const problem = 'application/problem+json';

test.each([
  ['a page', answering(200, 'text/html', '<h1>It works!</h1>')],
  ['nothing', answering(204, 'text/html', '')],
  ['an empty object', answering(200, json, '{}')],
  ['a list', answering(200, json, '[]')],
  ['null', answering(200, json, 'null')],
  ['items of another kind', answering(200, json, '{"items": [{"kind": "Pod"}], "id": "1"}')],
  ['half an answer', answering(200, json, '{"items": [')],
  ['another address', answering(302, 'text/html', '')],
  ['an error page', answering(500, 'text/html', '<h1>500</h1>')],
  ['a problem of its own', answering(500, problem, '{"detail": "broken"}')],
  ['a problem that is none', answering(404, problem, 'not found')],
])('another program that answers with %s is not taken for Perch', async (_, answer) => {
  const client = await listening(answer);
  const foreign = {
    name: 'CommandError',
    exitCode: 2,
    message: expect.stringMatching(/ answered \d+, but not as Perch does: .*--server URL$/),
  };
  await expect(client.releases(undefined)).rejects.toMatchObject(foreign);
  await expect(client.release('default', 'web')).rejects.toMatchObject(foreign);
  const trial = { listener: 'ingress', method: 'GET', url: 'http://a/', headers: [] } as const;
  await expect(client.tryRequest({ ...trial, headers: [] })).rejects.toMatchObject(foreign);
  await expect(client.apply([], { by: 'me' })).rejects.toMatchObject(foreign);
  await expect(client.request('default', 'web', { id: 'r1', action: 'promote', by: 'me' }, 0)).rejects.toMatchObject(foreign);
});

test('an answer that breaks off is said as a lost connection', async () => {
  const client = await listening((_, response) => {
    response.writeHead(200, { 'content-type': json });
    response.write('{"items": [', () => response.destroy());
  });
  const lost = { name: 'CommandError', message: expect.stringMatching(/^cannot reach Perch at .* \(it closed the connection\)/) };
  await expect(client.releases(undefined)).rejects.toMatchObject(lost);
});

test('an outcome is waited for in calls that fetch does not give up, with the same id', async () => {
  const asked: string[] = [];
  const client = await listening(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push(`${request.url} ${body}`);
    const done = asked.length < 3 ? {} : { outcome: 'done', message: 'promoted' };
    response.writeHead(done.outcome === undefined ? 202 : 200, { 'content-type': json });
    response.end(JSON.stringify({ id: 'r1', ...done }));
  });
  const answer = await client.request('default', 'web', { id: 'r1', action: 'promote', by: 'me' }, 3_600_000);
  expect(answer).toEqual({ id: 'r1', state: 'done', message: 'promoted' });
  expect(asked).toHaveLength(3);
  for (const each of asked) expect(each).toMatch(/\/requests\?wait=60000 \{"id":"r1"/);
});
