import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { perch } from '../../test/harness/perch-process.ts';
import { makeSelfSigned } from '../../test/harness/self-signed.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perch-controller-'));
  makeSelfSigned(join(folder, 'tls'));
  // Nobody is there; that is not what these end by.
  const cluster = { name: 'a', cluster: { server: 'https://127.0.0.1:1' } };
  const context = { name: 'a', context: { cluster: 'a', user: 'a' } };
  const config = { apiVersion: 'v1', kind: 'Config', clusters: [cluster], users: [{ name: 'a', user: {} }], contexts: [context] };
  writeFileSync(join(folder, 'kubeconfig'), JSON.stringify({ ...config, 'current-context': 'a' }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const controller = (...options: readonly string[]) => perch(['controller', '--kubeconfig', join(folder, 'kubeconfig'), ...options]);

test.each([['--webhook-port=0'], ['--webhook-cert=/etc/perch']])('%s alone is no webhook', async (option) => {
  const { code, stderr } = await controller(option);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--webhook-port and --webhook-cert go together')]);
});

test('a webhook without a certificate is not begun', async () => {
  const { code, stderr } = await controller('--webhook-port=0', `--webhook-cert=${folder}`);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/tls\.crt cannot be read: .*; see docs\/guides\/webhook\.md/)]);
});

test('a port of the webhook that is taken is said, with the option that moves it', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, () => resolve()));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stderr } = await controller(`--webhook-port=${port}`, `--webhook-cert=${join(folder, 'tls')}`);
  taken.close();
  expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`port ${port} is in use.*perch controller --webhook-port \\d+`))]);
});
