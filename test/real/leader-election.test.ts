import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { KubeClient } from '../../src/cluster/kube/kube-client.ts';
import { Reflector } from '../../src/cluster/kube/reflector.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { CONTEST_TIMES } from './contest-times.ts';
import { type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const CONTENDER = fileURLToPath(new URL('contender.ts', import.meta.url));
const MAPS = '/api/v1/namespaces/default/configmaps';

/** A process that wants to lead. */
class Contender {
  readonly #child: ChildProcess;
  /** Of its own account: `leads`, `follows`, `refused`. */
  readonly said: string[] = [];

  constructor(kubeconfig: string, name: string) {
    this.#child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CONTENDER, kubeconfig, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.said.push(...text.trim().split('\n')));
  }

  get leads(): boolean {
    return this.said.findLast((word) => word !== 'refused') === 'leads';
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGCONT');
    this.#child.kill(signal);
    await ended;
  }
}

describeWithKubernetes('who leads, at a real kube-apiserver', (programs) => {
  let api: KubernetesApi;
  let watched: Reflector;
  /** Who wrote the counter, and what, in the order of the API. */
  let writes: { readonly by: string; readonly count: number }[];
  let contenders: Contender[] = [];

  beforeAll(async () => {
    api = await startKubernetesApi(programs);
  });
  afterAll(() => api?.stop());

  beforeEach(async () => {
    await api.send('DELETE', `${MAPS}/count`);
    await api.send('DELETE', '/apis/coordination.k8s.io/v1/namespaces/default/leases/contest');
    const counter = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'count' }, data: { count: '0', by: 'nobody' } };
    expect((await api.send('POST', MAPS, counter)).status).toBe(201);
    writes = [];
    watched = new Reflector({
      client: new KubeClient({ url: `https://127.0.0.1:${api.port}`, authenticate: api.authenticate }),
      path: MAPS,
      handler: {
        replaced: () => undefined,
        applied: (object) => {
          const { data } = object as typeof object & { readonly data?: { readonly count: string; readonly by: string } };
          if (object.metadata.name === 'count' && data !== undefined) writes.push({ by: data.by, count: Number(data.count) });
        },
        deleted: () => undefined,
        failed: () => undefined,
      },
    });
    await watched.synced;
    contenders = ['a', 'b'].map((name) => new Contender(api.kubeconfig, name));
  });
  afterEach(async () => {
    await Promise.all(contenders.map((each) => each.end()));
    await watched.stop();
  });

  const leader = async (): Promise<Contender> => {
    await expect.poll(() => contenders.filter((each) => each.leads).length).toBe(1);
    return contenders.find((each) => each.leads) ?? expect.fail('nobody leads');
  };
  /** The writers in their order, each turn once; no count is left out or written twice. */
  const turns = (): string[] => {
    expect(writes.map(({ count }) => count)).toEqual(writes.map((_, index) => index + 1));
    return writes.map(({ by }) => by).filter((by, index, all) => by !== all[index - 1]);
  };
  const written = () => writes.length;
  const goesOn = async (): Promise<void> => {
    const before = written();
    await expect.poll(written).toBeGreaterThan(before + 5);
  };

  it('is one of two; the other takes over when it is killed, within the lease and a try', async () => {
    const first = await leader();
    await goesOn();
    const killedAt = performance.now();
    await first.end();
    const before = written();
    await expect.poll(written, { interval: 20 }).toBeGreaterThan(before + 1);
    const took = performance.now() - killedAt;
    expect(took).toBeGreaterThan(CONTEST_TIMES.lease - CONTEST_TIMES.retry - 100);
    expect(took).toBeLessThan(CONTEST_TIMES.lease + CONTEST_TIMES.retry + 2000);
    expect(turns()).toHaveLength(2);
  });

  it('gives way at once when it is told to end', async () => {
    const first = await leader();
    await goesOn();
    const toldAt = performance.now();
    await first.end('SIGTERM');
    const before = written();
    await expect.poll(written, { interval: 20 }).toBeGreaterThan(before + 1);
    expect(performance.now() - toldAt).toBeLessThan(CONTEST_TIMES.lease);
    expect(turns()).toHaveLength(2);
  });

  it('that was stopped in the middle of its work writes nothing when it goes on', async () => {
    const first = await leader();
    await goesOn();
    first.kill('SIGSTOP');
    const second = contenders.find((each) => each !== first);
    await expect.poll(() => second?.leads).toBe(true);
    await goesOn();
    first.kill('SIGCONT');
    await sleep(CONTEST_TIMES.lease);
    await goesOn();
    expect([first.leads, second?.leads]).toEqual([false, true]);
    expect(turns()).toHaveLength(2);
  });

  it('stops by itself while the API is away, and someone leads again once it is back', async () => {
    const first = await leader();
    await goesOn();
    const restarted = api.restart(CONTEST_TIMES.lease);
    await expect.poll(() => first.leads).toBe(false);
    await restarted;
    await leader();
    await goesOn();
    // What was written before this watch had found the API again may be told by a list: in their order they are all the same.
    const counts = writes.map(({ count }) => count);
    expect(counts).toEqual([...new Set(counts)].toSorted((left, right) => left - right));
  });
});
