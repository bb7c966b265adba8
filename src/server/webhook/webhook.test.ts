import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSelfSigned } from '../../../test/harness/self-signed.ts';
import type { RuntimeLog } from '../runtime-log.ts';
import { startWebhook, type Webhook } from './webhook.ts';

let folder: string;
let webhook: Webhook;
let agent: Agent;
let said: string[];

const log: RuntimeLog = {
  info: (message) => said.push(message),
  warn: (message) => said.push(`warning: ${message}`),
  error: (message) => said.push(`error: ${message}`),
  audit: (line) => said.push(line),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perch-webhook-'));
  said = [];
  makeSelfSigned(folder);
  webhook = await startWebhook({ port: 0, certificateFolder: folder, log, rereadMs: 20 });
  agent = new Agent({ keepAlive: true, ca: certificate() });
});
afterEach(async () => {
  agent.destroy();
  await webhook.close();
  rmSync(folder, { recursive: true });
});

const certificate = () => readFileSync(join(folder, 'tls.crt'));

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly socket: TLSSocket;
}

function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: webhook.port, method, path, agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, socket: outgoing.socket as TLSSocket }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const REVIEW = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u1' } });
const responseOf = ({ body }: Answered): unknown => (JSON.parse(body) as { readonly response: unknown }).response;

test('allows everything as it is before it knows anything', async () => {
  expect(responseOf(await ask('POST', '/weave?timeout=2s', REVIEW))).toEqual({ uid: 'u1', allowed: true });
  webhook.answerBy(async () => ({ patch: [{ op: 'remove', path: '/spec/http' }], warnings: [] }));
  expect(responseOf(await ask('POST', '/weave', REVIEW))).toMatchObject({ uid: 'u1', allowed: true, patchType: 'JSONPatch' });
});

test('allows what cannot be woven, as it is, and logs why', async () => {
  webhook.answerBy(() => Promise.reject(new Error('a bug')));
  expect(responseOf(await ask('POST', '/weave', REVIEW))).toEqual({ uid: 'u1', allowed: true });
  expect(said.some((line) => line.startsWith('error: '))).toBe(true);
});

test('survives objects that are nested deeper than anybody goes', async () => {
  const depth = 1_000_000;
  const spec = `{"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const object = `{"apiVersion":"v1","kind":"VirtualService","metadata":{"name":"web","namespace":"default"},"spec":${spec}}`;
  webhook.answerBy(async ({ object: given }) => ({ patch: [{ op: 'add', path: '/spec/http', value: given }], warnings: [] }));
  const review = REVIEW.replace('"uid":"u1"', `"uid":"u1","object":${object}`);
  expect(responseOf(await ask('POST', '/weave', review))).toEqual({ uid: 'u1', allowed: true });
});

test('answers nothing but reviews, of a size that reviews have', async () => {
  expect((await ask('POST', '/', REVIEW)).status).toBe(404);
  expect((await ask('GET', '/weave')).status).toBe(405);
  expect((await ask('POST', '/weave', '{"kind": "AdmissionReview"}')).status).toBe(400);
  const long = ' '.repeat(7 * 1024 * 1024);
  expect((await ask('POST', '/weave', REVIEW + long.slice(REVIEW.length))).status).toBe(200);
  expect((await ask('POST', '/weave', '', { 'content-length': String(long.length + 1) })).status).toBe(413);
  const parts = ask('POST', '/weave', long + REVIEW, { 'transfer-encoding': 'chunked' });
  // Cut off in the middle of it: who still sends may see the end before the answer.
  expect(await parts.then(({ status }) => status).catch(() => 413)).toBe(413);
});

test('takes nothing older than TLS 1.2', async () => {
  const socket = connect({ host: '127.0.0.1', port: webhook.port, ca: certificate(), maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1' });
  await expect(
    new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    }),
  ).rejects.toThrow();
});

test('takes a new certificate up, and connections that are open go on', async () => {
  const [first, before] = [await ask('GET', '/'), certificate()];
  const { fingerprint256 } = first.socket.getPeerCertificate();
  makeSelfSigned(folder);
  expect(certificate()).not.toEqual(before);
  await expect.poll(() => said.filter((line) => line.includes('is valid until')).length).toBe(2);
  const again = await ask('GET', '/');
  expect(again.socket).toBe(first.socket);
  agent.destroy();
  agent = new Agent({ ca: certificate() });
  const anew = await ask('GET', '/');
  expect(anew.status).toBe(404);
  expect(anew.socket.getPeerCertificate().fingerprint256).not.toBe(fingerprint256);
});

test('goes on with the certificate that it has while the files are no pair', async () => {
  const key = readFileSync(join(folder, 'tls.key'));
  writeFileSync(join(folder, 'tls.key'), 'half a k');
  await expect.poll(() => said.filter((line) => line.startsWith('warning: ')).length).toBe(1);
  expect((await ask('GET', '/')).status).toBe(404);
  writeFileSync(join(folder, 'tls.key'), key);
  writeFileSync(join(folder, 'tls.crt'), certificate());
  expect((await ask('GET', '/')).status).toBe(404);
  expect(said.filter((line) => line.startsWith('warning: '))).toHaveLength(1);
});

test('does not start without a certificate, or at a port that is taken', async () => {
  await expect(startWebhook({ port: 0, certificateFolder: join(folder, 'none'), log })).rejects.toThrow(/tls\.crt cannot be read/);
  await expect(startWebhook({ port: webhook.port, certificateFolder: folder, log })).rejects.toThrow(/is in use/);
});

test('answers what it is being asked before it ends', async () => {
  const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
  const { promise: mayAnswer, resolve: letAnswer } = Promise.withResolvers<void>();
  webhook.answerBy(async () => {
    onAsked();
    await mayAnswer;
    return { patch: [], warnings: ['late'] };
  });
  const answer = ask('POST', '/weave', REVIEW);
  await asked;
  const closed = webhook.close();
  letAnswer();
  expect(responseOf(await answer)).toMatchObject({ warnings: ['late'] });
  await closed;
  await expect(ask('GET', '/')).rejects.toThrow();
});
