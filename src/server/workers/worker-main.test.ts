import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeCertificate } from '../../../test/harness/certificates.ts';
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

/** Asks as the control process does; the answer is not waited for. */
function ask<Name extends keyof WorkerCalls>(name: Name, asked: WorkerCalls[Name]['ask'], sent: () => void = () => {}): number {
  const message: ToWorker = { type: 'call', id: ++last, name, ask: asked };
  worker.send(message, sent);
  return last;
}

async function answered(id: number): Promise<void> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [FromWorker];
    if ('id' in message && message.id === id) return expect(message.type).toBe('answer');
  }
}

test('ends with the control process also where that goes while a change is being made', {
  skip: process.platform !== 'linux',
}, async () => {
  const object = (kind: string, name: string, spec: object) => ({
    ...{ apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'default' } },
    spec,
  });
  const port = { number: 443, name: 'https', protocol: 'HTTPS' };
  const servers = [{ port, tls: { mode: 'SIMPLE', credentialName: 'web' }, bind: '127.0.0.1', hosts: ['*'] }];
  const http = [{ directResponse: { status: 200 } }];
  const insert = [object('Gateway', 'edge', { servers }), object('VirtualService', 'all', { hosts: ['*'], gateways: ['edge'], http })];
  const options = { proxyPort: undefined, limits: { closeGraceMs: 100 }, credentials, accessLog: false, traceShare: undefined };
  await answered(ask('start', { map: [[443, 0]], ...options }));
  const changes = { at: 0, remove: 0, insert, set: [] };
  await answered(ask('compile', { changes, delegates: [], idNames: { cookies: [], headers: [] } }));
  // It reads the certificate while it is told to open a port with it, and hears of the end meanwhile.
  ask('open', { ports: [] }, () => worker.disconnect());
  await expect.poll(() => worker.exitCode, { timeout: 20_000 }).toBe(1);
});
