import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KubeClient, type KubeError } from '../../src/cluster/kube/kube-client.ts';
import { Reflector } from '../../src/cluster/kube/reflector.ts';
import type { KubeObject } from '../../src/core/istio/resources.ts';
import { describeWithKubernetes } from '../requirements.ts';
import { type CutLine, startCutLine } from './cut-line.ts';
import { type KubernetesApi, startKubernetesApi } from './kubernetes-api.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

/** What a reflector told, as a cache would have it. */
class Told {
  readonly objects = new Map<string, string>();
  readonly failures: KubeError[] = [];
  lists = 0;
  #reflector: Reflector;

  constructor(api: KubernetesApi, port: number) {
    const client = new KubeClient({ url: `https://127.0.0.1:${port}`, authenticate: api.authenticate });
    const keep = (object: KubeObject) => this.objects.set(object.metadata.name, dataOf(object));
    this.#reflector = new Reflector({
      client,
      path: MAPS,
      handler: {
        replaced: (objects) => {
          this.lists += 1;
          this.objects.clear();
          for (const object of objects) keep(object);
        },
        applied: keep,
        deleted: (object) => this.objects.delete(object.metadata.name),
        failed: (error) => this.failures.push(error),
      },
      // No jitter: a test waits no longer than it must.
      random: () => 0,
    });
  }

  synced(): Promise<void> {
    return this.#reflector.synced;
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }
}

function dataOf(object: KubeObject): string {
  return (object as KubeObject & { readonly data?: { readonly value?: string } }).data?.value ?? '';
}

describeWithKubernetes('a reflector at a real kube-apiserver', (programs) => {
  let api: KubernetesApi;
  let line: CutLine;
  beforeAll(async () => {
    api = await startKubernetesApi(programs);
    line = await startCutLine(api.port);
  });
  afterAll(async () => {
    await line?.close();
    await api?.stop();
  });

  const put = async (name: string, value: string): Promise<void> => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { value } };
    const path = `${MAPS}/${name}?fieldManager=test&force=true`;
    const { status } = await api.send('PATCH', path, object, { 'content-type': 'application/apply-patch+yaml' });
    expect([200, 201]).toContain(status);
  };
  const remove = async (name: string): Promise<void> => {
    expect((await api.send('DELETE', `${MAPS}/${name}`)).status).toBe(200);
  };
  const held = async (): Promise<Record<string, string>> => {
    const { body } = await api.send('GET', MAPS);
    return Object.fromEntries((body['items'] as readonly KubeObject[]).map((object) => [object.metadata.name, dataOf(object)]));
  };
  const agrees = async (told: Told): Promise<void> => {
    const expected = await held();
    await expect.poll(() => Object.fromEntries(told.objects), { timeout: 60_000 }).toEqual(expected);
  };

  it('tells what is there, then each change, and asks for a list once', async () => {
    await put('first', '1');
    const told = new Told(api, line.port);
    await told.synced();
    expect(told.objects.get('first')).toBe('1');
    await put('first', '2');
    await put('second', '1');
    await agrees(told);
    await remove('first');
    await agrees(told);
    expect([told.objects.has('first'), told.lists, told.failures]).toEqual([false, 1, []]);
    await told.stop();
  });

  it('reads a long list in pages', async () => {
    for (let index = 0; index < 620; index++) await put(`many-${index}`, 'x');
    const told = new Told(api, line.port);
    await told.synced();
    expect(told.objects.size).toBeGreaterThanOrEqual(620);
    await agrees(told);
    await told.stop();
  });

  it('a connection that is cut again and again loses nothing, and takes no new list', async () => {
    const told = new Told(api, line.port);
    await told.synced();
    for (let round = 0; round < 4; round++) {
      for (let index = 0; index < 10; index++) await put(`cut-${index % 4}`, `${round}-${index}`);
      line.cut();
      await put('cut-late', String(round));
      await remove('cut-0');
      await agrees(told);
    }
    expect([told.lists, told.failures.length > 0]).toEqual([1, true]);
    await told.stop();
  });

  it('what happens while nothing comes through is told once it does', async () => {
    const told = new Told(api, line.port);
    await told.synced();
    line.hold();
    await put('held', '1');
    await sleep(1000);
    expect(told.objects.has('held')).toBe(false);
    line.letGo();
    await agrees(told);
    await told.stop();
  });

  it('a version that has expired, at an apiserver that forgot it, is made up for by a list', async () => {
    const told = new Told(api, line.port);
    await told.synced();
    line.hold();
    for (let index = 0; index < 5; index++) await put('expired', String(index));
    await remove('second');
    await api.compact();
    line.cut();
    await api.restart();
    line.letGo();
    await agrees(told);
    expect(told.lists).toBe(2);
    await told.stop();
  });
});
