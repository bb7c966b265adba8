import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { kubeAccess } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'perch-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(changes: object = {}): string {
  const path = join(folder, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'near', cluster: { server: 'https://near.test:6443/' } },
      { name: 'far', cluster: { server: 'https://far.test' } },
    ],
    users: [{ name: 'ada', user: { token: 'secret' } }],
    contexts: [
      { name: 'one', context: { cluster: 'near', user: 'ada' } },
      { name: 'two', context: { cluster: 'far', user: 'ada' } },
      { name: 'odd', context: { cluster: 'nowhere', user: 'ada' } },
    ],
    'current-context': 'one',
    ...changes,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test('the cluster of the current context, or of another one; without a slash at the end', () => {
  const kubeconfig = write();
  expect(kubeAccess({ kubeconfig }).url).toBe('https://near.test:6443');
  expect(kubeAccess({ kubeconfig, context: 'two' }).url).toBe('https://far.test');
});

test('requests carry who asks, over connections that are kept', async () => {
  const { authenticate } = kubeAccess({ kubeconfig: write() });
  const [first, second]: RequestOptions[] = [{ headers: { accept: 'application/json' } }, {}];
  if (first === undefined || second === undefined) throw new Error('two were made');
  await authenticate(first);
  await authenticate(second);
  expect(first.headers).toEqual({ accept: 'application/json', Authorization: 'Bearer secret' });
  expect([first.agent === second.agent, (first.agent as { keepAlive?: boolean }).keepAlive]).toEqual([true, true]);
});

test.each<[string, object, string]>([
  ['three', {}, 'the kubeconfig has no context three; it has one, two, odd'],
  ['three', { contexts: [] }, 'the kubeconfig has no context three; it has none'],
  ['odd', {}, 'the kubeconfig names no cluster for the context odd'],
])('the context %s with %j: %s', (context, changes, message) => {
  expect(() => kubeAccess({ kubeconfig: write(changes), context })).toThrow(message);
});

test('a file that is not there is an error', () => {
  expect(() => kubeAccess({ kubeconfig: join(folder, 'nothing') })).toThrow('nothing');
});
