import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** The executables that are run. */
interface Programs {
  readonly etcd: string;
  readonly apiserver: string;
}

/** What is not as usual. */
export interface ApiOptions {
  /** Of the apiserver, beside or in place of those that it has. */
  readonly arguments?: readonly string[];
  /** Has what is written by the controller's account in an audit log (audit-log.ts). */
  readonly isAudited?: boolean;
  /** Gives the port at which the apiserver finds its etcd, which is at `port`: something stands in between. */
  readonly beforeEtcd?: (port: number) => Promise<number>;
}

/** What the API answered; `body` is its JSON. */
export interface ApiAnswer {
  readonly status: number;
  // Objects of any kind: tests look at what they asked for.
  readonly body: { readonly [field: string]: unknown; readonly message?: string };
}

/** A real kube-apiserver with an etcd of its own, empty but for what it makes itself. */
export interface KubernetesApi {
  readonly port: number;
  /** Path of a kubeconfig of cluster-admin. */
  readonly kubeconfig: string;
  /** Path of one of the service account that deploy/rbac.yaml is for, which may do nothing else. */
  readonly controllerKubeconfig: string;
  /** Path of one of a person, who may do nothing until a role is bound to them. */
  kubeconfigOf(person: Person): string;
  /** Lets a request in as cluster-admin. */
  readonly authenticate: (options: RequestOptions) => Promise<void>;
  /** Sends JSON and reads JSON as cluster-admin; `path` begins with /. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>;
  /** Kills the apiserver, and starts it again at the same port, `awayMs` later: what it remembered of watches is gone. */
  restart(awayMs?: number): Promise<void>;
  /** Sends etcd a signal: SIGSTOP, SIGCONT. */
  signalEtcd(signal: NodeJS.Signals): void;
  /** Paths of its certificate, which is its own authority, and of the key to it. */
  readonly certificate: string;
  readonly certificateKey: string;
  /** Path of the audit log, as far as there is one. */
  readonly auditLog: string;
  /** Takes out of etcd what was before now: watches from there have expired. */
  compact(): Promise<void>;
  stop(): Promise<void>;
}

/** People whom the API knows by name. */
export const PEOPLE = ['ada', 'vera', 'eve'] as const;
/** One of them. */
export type Person = (typeof PEOPLE)[number];

const TOKEN = 'test-of-perch';
const CONTROLLER_TOKEN = 'test-of-controller';
const CONTROLLER_USER = 'system:serviceaccount:perch-system:perch-controller';
/** What the controller writes, with what came of it: the version of etcd that each write made says in which order they were. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'RequestResponse', users: [CONTROLLER_USER], verbs: ['create', 'update', 'patch', 'delete'] }, { level: 'None' }],
};
/** To be ready takes about 10 s on a quiet machine. */
const READY_MS = 120_000;

interface Running {
  readonly child: ChildProcess;
  /** The end of what it said. */
  output(): string;
}

function start(executable: string, args: readonly string[]): Running {
  const child = spawn(executable, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  return { child, output: () => output };
}

async function end({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}

/** Starts both, and waits until the API is ready. */
export async function startKubernetesApi({ etcd, apiserver }: Programs, options: ApiOptions = {}): Promise<KubernetesApi> {
  const folder = mkdtempSync(join(tmpdir(), 'perch-kubernetes-'));
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const keyFile = join(folder, 'service-accounts.key');
  const tokenFile = join(folder, 'tokens.csv');
  const people = PEOPLE.map((name) => `${tokenOf(name)},${name},${name}\n`).join('');
  writeFileSync(keyFile, privateKey);
  writeFileSync(tokenFile, `${TOKEN},admin,1,system:masters\n${CONTROLLER_TOKEN},${CONTROLLER_USER},2\n${people}`);
  const [store, peers, secure] = await Promise.all([freePort(), freePort(), freePort()]);
  const storage = start(etcd, [
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync'],
    ...['--listen-client-urls', `http://127.0.0.1:${store}`, '--advertise-client-urls', `http://127.0.0.1:${store}`],
    ...['--listen-peer-urls', `http://127.0.0.1:${peers}`, '--initial-advertise-peer-urls', `http://127.0.0.1:${peers}`],
    ...['--initial-cluster', `default=http://127.0.0.1:${peers}`],
  ]);
  const auditLog = join(folder, 'audit.log');
  const policyFile = join(folder, 'audit-policy.json');
  writeFileSync(policyFile, JSON.stringify(AUDIT_POLICY));
  const audit = options.isAudited === true ? ['--audit-policy-file', policyFile, '--audit-log-path', auditLog] : [];
  const beforeEtcd = (await options.beforeEtcd?.(store)) ?? store;
  const startServer = () =>
    start(apiserver, [
      ...['--etcd-servers', `http://127.0.0.1:${beforeEtcd}`, '--cert-dir', certificates],
      ...['--bind-address', '127.0.0.1', '--secure-port', String(secure), '--service-cluster-ip-range', '10.0.0.0/16'],
      ...['--service-account-issuer', 'https://kubernetes.default.svc', '--service-account-key-file', keyFile],
      ...['--service-account-signing-key-file', keyFile, '--token-auth-file', tokenFile],
      ...['--authorization-mode', 'RBAC', '--disable-admission-plugins', 'ServiceAccount'],
      ...audit,
      ...(options.arguments ?? []),
    ]);
  let server = startServer();
  const url = `https://127.0.0.1:${secure}`;
  const certificate = join(certificates, 'apiserver.crt');
  const stop = async (): Promise<void> => {
    await end(server);
    await end(storage);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    let agent = await whenReady(url, certificate, [storage, server]);
    const kubeconfigFor = (token: string): string => {
      const path = join(folder, `kubeconfig-${token}`);
      writeFileSync(path, kubeconfigText(url, certificate, token));
      return path;
    };
    return {
      port: secure,
      kubeconfig: kubeconfigFor(TOKEN),
      controllerKubeconfig: kubeconfigFor(CONTROLLER_TOKEN),
      kubeconfigOf: (person) => kubeconfigFor(tokenOf(person)),
      async authenticate(options) {
        options.agent = agent;
        options.headers = { ...options.headers, authorization: `Bearer ${TOKEN}` };
      },
      send: (method, path, body, headers = {}) => send(agent, url, method, path, body, headers),
      async restart(awayMs = 0) {
        await end(server);
        await sleep(awayMs);
        agent.destroy();
        server = startServer();
        agent = await whenReady(url, certificate, [storage, server]);
      },
      signalEtcd: (signal) => storage.child.kill(signal),
      auditLog,
      certificate,
      certificateKey: join(certificates, 'apiserver.key'),
      compact: () => compactEtcd(`http://127.0.0.1:${store}`),
      async stop() {
        agent.destroy();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What a person sends to be known by. */
export function tokenOf(person: Person): string {
  return `test-of-${person}`;
}

function kubeconfigText(server: string, certificate: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': certificate } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'user' } }],
    'current-context': 'test',
  });
}

/** etcd's own API, as JSON (etcd, api/etcdserverpb rpc.proto KV.Compact). */
async function compactEtcd(url: string): Promise<void> {
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return await answer.json();
  };
  const { header } = (await post('/v3/kv/range', { key: 'AA==' })) as { readonly header: { readonly revision: string } };
  await post('/v3/kv/compaction', { revision: header.revision, physical: true });
}

async function whenReady(url: string, certificate: string, running: readonly Running[]): Promise<Agent> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    for (const { child, output } of running) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${child.spawnfile} ended while starting:\n${output()}`);
    }
    if (performance.now() > deadline) throw new Error(`the API is not ready:\n${running.map(({ output }) => output()).join('\n')}`);
    try {
      // Made by the apiserver for itself, and its own authority.
      const agent = new Agent({ ca: readFileSync(certificate), keepAlive: true, checkServerIdentity: () => undefined });
      if ((await send(agent, url, 'GET', '/readyz', undefined, {})).status === 200) return agent;
      agent.destroy();
    } catch {
      // Not written yet, or nobody listens there yet.
    }
    await sleep(100);
  }
}

function send(
  agent: Agent,
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = request(
      `${url}${path}`,
      { agent, method, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers } },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        incoming.once('error', reject);
        incoming.once('end', () => {
          const isJson = incoming.headers['content-type']?.includes('json') === true;
          resolve({ status: incoming.statusCode ?? 0, body: isJson ? (JSON.parse(text) as ApiAnswer['body']) : { message: text } });
        });
      },
    );
    outgoing.once('error', reject);
    outgoing.end(sent);
  });
}
