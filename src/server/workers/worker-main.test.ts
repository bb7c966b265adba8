import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/harness/certificates.ts';
import type { KubeObject } from '../../core/istio/resources.ts';
import type { FromWorker, ToWorker, WorkerCalls } from './worker-messages.ts';

let credentials: string;
let worker: ChildProcess;

beforeEach(() => {
  credentials = mkdtempSync(join(tmpdir(), 'perch-worker-'));
  makeCertificate(join(credentials, 'web'));
  worker = fork(fileURLToPath(new URL('worker-main.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
});
afterEach(() => {
  worker.kill('SIGKILL');
  rmSync(credentials, { recursive: true });
});

let last = 0;

/** Sends what the control process asks for; gives its number. */
function send<Name extends keyof WorkerCalls>(name: Name, ask: WorkerCalls[Name]['ask'], sent: () => void = () => {}): number {
  const message: ToWorker = { type: 'call', id: ++last, name, ask };
  worker.send(message, sent);
  return last;
}

/** Asks, and waits for the answer. */
async function call<Name extends keyof WorkerCalls>(name: Name, ask: WorkerCalls[Name]['ask']): Promise<WorkerCalls[Name]['answer']> {
  const id = send(name, ask);
  for (;;) {
    const [message] = (await once(worker, 'message')) as [FromWorker];
    if (message.type === 'failed') throw new Error(message.failure.message);
    if (message.type === 'answer' && message.id === id) return message.answer as WorkerCalls[Name]['answer'];
  }
}

/** A gateway at these servers that answers with this status. */
function answering(
  status: number,
  servers: readonly object[],
): Omit<WorkerCalls['compile']['ask'], 'changes'> & { readonly insert: KubeObject[] } {
  const object = (kind: string, name: string, spec: object): KubeObject => ({
    ...{ apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' } },
    spec,
  });
  const http = [{ directResponse: { status } }];
  const insert = [object('Gateway', 'edge', { servers }), object('VirtualService', 'all', { hosts: ['*'], gateways: ['edge'], http })];
  return { insert, delegates: [], idNames: { cookies: [], headers: [] } };
}

async function compile(status: number, servers: readonly object[], remove: number): Promise<void> {
  const { insert, ...rest } = answering(status, servers);
  await call('compile', { changes: { at: 0, remove, insert, set: [] }, ...rest });
}

const OPTIONS = { proxyPort: undefined, limits: { closeGraceMs: 100 }, accessLog: false, traceShare: undefined };
const HTTP = [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, bind: '127.0.0.1', hosts: ['*'] }];
const HTTPS = [
  {
    ...{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, bind: '127.0.0.1', hosts: ['*'] },
    tls: { mode: 'SIMPLE', credentialName: 'web' },
  },
];

test('requests wait while it holds them, and are routed as before where the control process never comes back to it', async () => {
  await call('start', { map: [[80, 0]], credentials: undefined, ...OPTIONS });
  await compile(201, HTTP, 0);
  const { ports } = await call('open', { ports: [] });
  const { addresses } = await call('serve', null);
  const status = async (): Promise<number> => (await fetch(`http://127.0.0.1:${addresses[0]?.actualPort}/`)).status;
  expect(await status()).toBe(201);
  await compile(202, HTTP, 2);
  await call('open', { ports });
  const began = performance.now();
  await call('hold', null);
  expect(await status()).toBe(201);
  expect(performance.now() - began).toBeGreaterThan(200);
  expect(await status()).toBe(201);
  await call('serve', null);
  expect(await status()).toBe(202);
});

test('ends with the control process also where that goes while a change is being made', async () => {
  await call('start', { map: [[443, 0]], credentials, ...OPTIONS });
  await compile(200, HTTPS, 0);
  // It reads the certificate while it is told to open a port with it, and hears of the end meanwhile.
  send('open', { ports: [] }, () => worker.disconnect());
  await expect.poll(() => worker.exitCode).toBe(1);
});
