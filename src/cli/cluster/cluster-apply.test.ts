import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { KubeClient } from '../../cluster/kube/kube-client.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import { applyToCluster } from './cluster-apply.ts';
import { ClusterConnection } from './cluster-connection.ts';

// What a real apiserver does is shown in test/real; here it breaks in the middle, which a real one cannot be asked for.

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** An apiserver that is empty, takes dry runs, and each write for which `takes` says so. */
async function breaking(takes: (name: string) => boolean): Promise<{ readonly connection: ClusterConnection; readonly writes: string[] }> {
  const writes: string[] = [];
  const answer = (request: IncomingMessage): [number, object] => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (request.method === 'GET') return [200, { items: [], metadata: { resourceVersion: '1' } }];
    const name = pathname.split('/').at(-1) ?? '';
    if (searchParams.get('dryRun') === 'All') return [200, { metadata: { name, generation: 1 } }];
    writes.push(
      `${name} as ${searchParams.get('fieldManager')}, ${searchParams.get('fieldValidation')}, force ${searchParams.get('force')}`,
    );
    return takes(name) ? [201, { metadata: { name, generation: 1 } }] : [500, { message: 'etcd is away', reason: 'InternalError' }];
  };
  const opened = createServer((request, response) => {
    request.resume();
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
  const client = new KubeClient({ url, authenticate: async () => {} });
  return { connection: new ClusterConnection(client, { url, context: 'test' }, new AbortController().signal), writes };
}

const gateway = (name: string): KubeObject => ({
  apiVersion: 'networking.istio.io/v1beta1',
  kind: 'Gateway',
  metadata: { name, namespace: 'default' },
  spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
});

test('each object is written once, server-side, strictly, and by force only where that is asked for', async () => {
  const { connection, writes } = await breaking(() => true);
  const { outcomes } = await applyToCluster(connection, ['one', 'two'].map(gateway), false);
  expect(outcomes.map(({ result }) => result)).toEqual(['created', 'created']);
  expect(writes).toEqual(['one as perch-cli, Strict, force false', 'two as perch-cli, Strict, force false']);
  await applyToCluster(connection, [gateway('three')], true);
  expect(writes.at(-1)).toBe('three as perch-cli, Strict, force true');
});

test('what fails in the middle says what was applied before it, and what was not', async () => {
  const { connection, writes } = await breaking((name) => name !== 'two');
  const applying = applyToCluster(connection, ['one', 'two', 'three'].map(gateway), false);
  await expect(applying).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /^the cluster at \S+ \(context test\) refuses: etcd is away\napplied before that: Gateway default\/one\nnot applied: Gateway default\/two, Gateway default\/three$/,
    ),
  });
  expect(writes).toHaveLength(2);
});
