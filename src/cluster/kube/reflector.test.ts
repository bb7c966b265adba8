import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { KubeObject } from '../../core/istio/resources.ts';
import { KubeClient, type KubeError } from './kube-client.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';

/** What a server that is no apiserver says, or an apiserver in trouble; the real one is in test/real. */

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const object = (name: string, resourceVersion: string): KubeObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', resourceVersion } }) as KubeObject;
const list = (items: readonly KubeObject[], resourceVersion: string, next = '') => ({
  metadata: { resourceVersion, continue: next },
  items,
});
const json =
  (body: unknown, status = 200, headers = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const event = (type: string, about: unknown) => `${JSON.stringify({ type, object: about })}\n`;
/** A watch that says this much; `thenHangs`: and stays open. */
const watch =
  (text: string, thenHangs = false): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write(text);
    if (!thenHangs) response.end();
  };

let server: Server | undefined;
let reflector: Reflector | undefined;
afterEach(async () => {
  await reflector?.stop();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

/** What was asked for and told while a server gave these answers, one after the other; the last one again and again. */
async function reflected(
  answers: readonly Answer[],
  isDone: (told: Told) => boolean,
  options: Partial<ReflectorOptions> = {},
): Promise<Told> {
  const told: Told = { asked: [], said: [], waits: [] };
  let next = 0;
  server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://test').searchParams;
    told.asked.push(
      query.has('watch') ? `watch ${query.get('resourceVersion')}` : `list ${query.get('limit')} ${query.get('continue') ?? ''}`.trim(),
    );
    answers[Math.min(next++, answers.length - 1)]?.(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  reflector = new Reflector({
    client: new KubeClient({ url: `http://127.0.0.1:${port}`, authenticate: async () => undefined }),
    path: '/api/v1/configmaps',
    handler: {
      replaced: (objects) => told.said.push(`all: ${objects.map(({ metadata }) => metadata.name).join(' ')}`),
      applied: ({ metadata }) => told.said.push(`applied ${metadata.name}`),
      deleted: ({ metadata }) => told.said.push(`deleted ${metadata.name}`),
      failed: (error: KubeError, wait) => {
        told.said.push(`failed: ${error.message}`);
        told.waits.push(wait);
      },
    },
    random: () => 0,
    ...options,
  });
  await expect.poll(() => isDone(told)).toBe(true);
  return told;
}

interface Told {
  readonly asked: string[];
  readonly said: string[];
  readonly waits: number[];
}

const says = (text: string) => (told: Told) => told.said.includes(text);

test('pages of a list are one list; one that has expired on the way begins anew, in one', async () => {
  const expired = json({ kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }, 410);
  const { asked, said } = await reflected(
    [json(list([object('a', '1')], '5', 'more')), expired, json(list([object('a', '1'), object('b', '2')], '9')), watch('', true)],
    ({ asked: so }) => so.length === 4,
  );
  expect(asked).toEqual(['list 500', 'list 500 more', 'list 0', 'watch 9']);
  expect(said).toEqual(['all: a b']);
});

test('a watch that ends goes on from the last version seen, that of a bookmark too', async () => {
  const first = event('ADDED', object('a', '7')) + event('BOOKMARK', object('', '8'));
  const { asked, said } = await reflected(
    [json(list([], '5')), watch(first), watch(event('DELETED', object('a', '9')), true)],
    says('deleted a'),
  );
  expect(asked).toEqual(['list 500', 'watch 5', 'watch 8']);
  expect(said).toEqual(['all: ', 'applied a', 'deleted a']);
});

test('after its time all are listed once more, when a watch has ended: what no watch told is made up for', async () => {
  const bookmark = (version: string): Answer => watch(event('BOOKMARK', object('', version)));
  const lost = json(list([object('lost', '6')], '9'));
  const { asked, said } = await reflected([json(list([], '5')), bookmark('6'), lost, watch('', true)], says('all: lost'), {
    relistMs: 0,
  });
  expect([asked.slice(0, 3), said]).toEqual([
    ['list 500', 'watch 5', 'list 500'],
    ['all: ', 'all: lost'],
  ]);
});

test('a server that ends each watch at once is asked with pauses', async () => {
  const { asked, waits } = await reflected([json(list([], '5')), watch('')], ({ waits: so }) => so.length === 2);
  expect([asked.length, waits]).toEqual([3, [800, 1600]]);
});

test('a line that was cut off is told once it comes whole', async () => {
  const whole = event('MODIFIED', object('a', '7'));
  const { said } = await reflected([json(list([], '5')), watch(whole.slice(0, 20)), watch(whole, true)], says('applied a'));
  expect(said).toEqual(['all: ', 'failed: /api/v1/configmaps: a watch ended at once', 'applied a']);
});

test('a version that has expired is followed by a list, wherever the server says so', async () => {
  const gone = event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
  const { asked, said } = await reflected(
    [
      json(list([], '5')),
      watch(gone),
      json(list([object('b', '6')], '6')),
      json({ message: 'Gone', code: 410 }, 410),
      json(list([], '7')),
      watch('', true),
    ],
    ({ asked: so }) => so.length === 6,
  );
  expect(asked).toEqual(['list 500', 'watch 5', 'list 500', 'watch 6', 'list 500', 'watch 7']);
  expect(said).toEqual(['all: ', 'failed: too old resource version', 'all: b', 'failed: /api/v1/configmaps: Gone', 'all: ']);
});

test('a server that has too much to do is asked again when it says, any other after twice as long each time', async () => {
  const busy = json({ message: 'too many requests' }, 429, { 'retry-after': '1' });
  const { waits } = await reflected([busy, json({}, 500), json(list([], '5')), watch('', true)], says('all: '));
  expect(waits).toEqual([1000, 1600]);
});

test('what is no JSON, or no answer at all, is a failure as any other', async () => {
  const page: Answer = (_, response) => response.end('<html>');
  const cut: Answer = (request) => request.socket.destroy();
  const { said } = await reflected([page, cut, json(list([], '5')), watch('no json\n', true)], (told) => told.said.length >= 4);
  expect(said[0]).toBe('failed: /api/v1/configmaps: the answer is no JSON');
  expect(said[1]).toMatch(/^failed: \/api\/v1\/configmaps: (?:socket hang up|read ECONNRESET)/);
  expect(said.slice(2, 4)).toEqual(['all: ', expect.stringMatching(/^failed: .*the answer is no JSON$/)]);
});
