// `perch serve --workers 2` as processes of their own: what holds for one gateway holds for two, also while one of them ends.
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VisitorExposure } from '../../src/core/evidence/exposure.ts';
import { perch } from '../harness/perch-process.ts';
import { createScene, type Scene } from '../harness/serve-scene.ts';
import { FREE_PORTS, type Serving } from '../harness/serving.ts';
import { startVersion } from '../harness/version-server.ts';
import { connections, inParallel, Visitor } from '../harness/visitor.ts';
import { webBasicsYaml, webReleaseYaml } from '../harness/web-manifests.ts';
import { childrenOf, connectionsOf, isRunning } from './worker-processes.ts';

const VISITORS = 150;
/** Long enough for every request of a visitor to go over another connection, and so to another worker. */
const WIDTH = 24;

let scene: Scene;
let serving: Serving;
let agent: Agent;

function port(): number {
  return Number(new URL(serving.ingress).port);
}

async function exposure(): Promise<VisitorExposure> {
  const view = (await (await fetch(`${serving.server}/api/v1/releases/default/web`)).json()) as { readonly exposure: VisitorExposure };
  return view.exposure;
}

/** Asks for an action and waits until every request is routed as it says. */
async function ask(action: string, more: object = {}): Promise<void> {
  const url = `${serving.server}/api/v1/releases/default/web/requests?wait=20000`;
  const body = JSON.stringify({ action, by: 'test', ...more });
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(answer.status, await answer.text()).toBe(200);
}

/** What a new connection of somebody unknown is answered. */
async function freshVersion(): Promise<string> {
  const alone = new Agent();
  return (await new Visitor(alone, port()).visit('/')).body;
}

describe('two workers', { skip: process.platform !== 'linux' }, () => {
  beforeAll(async () => {
    scene = await createScene();
    await writeFile(join(scene.files, 'release.yaml'), webReleaseYaml());
    serving = await scene.serve('-f', scene.files, '--workers', '2');
    agent = connections(WIDTH);
    expect(childrenOf(serving.process.pid)).toHaveLength(2);
  });

  afterAll(async () => {
    agent.destroy();
    await scene.close();
  });

  const visitors: Visitor[] = [];
  const versions: string[][] = [];

  /** Every visitor asks for a page, several at a time; what they are shown is kept. */
  async function everyoneVisits(): Promise<void> {
    await inParallel(visitors, WIDTH, async (visitor, index) => {
      const { status, body } = await visitor.visit('/');
      expect(status).toBe(200);
      versions[index]?.push(body);
    });
  }

  test('share the connections, and count every visitor and every request', async () => {
    for (let index = 0; index < VISITORS; index++) {
      visitors.push(new Visitor(agent, port()));
      versions.push([]);
    }
    await everyoneVisits();
    await everyoneVisits();
    for (const pid of childrenOf(serving.process.pid)) expect(connectionsOf(pid, port())).toBeGreaterThan(0);
    await expect
      .poll(async () => (await exposure()).real.requests)
      .toEqual({
        stable: versions.flat().filter((version) => version === 'v1').length,
        canary: versions.flat().filter((version) => version === 'v2').length,
      });
    const { visitors: counted, moved } = await exposure();
    expect(counted).toEqual({ total: VISITORS, canary: versions.filter(([first]) => first === 'v2').length });
    expect(moved).toEqual({ toCanary: 0, back: 0 });
    for (const [first, second] of versions) expect(second).toBe(first);
  });

  test('move nobody back while the release is widened under load, nor by what is counted', async () => {
    let isOver = false;
    const load = (async () => {
      while (!isOver) await everyoneVisits();
    })();
    for (const more of [{}, { full: true }]) {
      await sleep(150);
      await ask('promote', more);
    }
    isOver = true;
    await load;
    await everyoneVisits();
    for (const seen of versions) expect(seen.join(' ')).toMatch(/^(v1 )*(v2 ?)*$/);
    expect(versions.every((seen) => seen.at(-1) === 'v2')).toBe(true);
    await expect.poll(async () => (await exposure()).visitors.canary).toBe(VISITORS);
    expect((await exposure()).moved.back).toBe(0);
  });

  test('have taken a rollback back, both of them, once it is confirmed', async () => {
    await ask('rollback');
    const fresh = await Promise.all(Array.from({ length: 32 }, freshVersion));
    expect(new Set(fresh)).toEqual(new Set(['v1']));
    for (const seen of versions) seen.length = 0;
    await everyoneVisits();
    expect(versions.flat().every((version) => version === 'v1')).toBe(true);
  });

  test('lose one that is killed with its own connections only; another takes its place, with the same routes', async () => {
    const [killed = 0, other = 0] = childrenOf(serving.process.pid);
    const failures: string[] = [];
    let isOver = false;
    let answered = 0;
    const load = inParallel(visitors.slice(0, WIDTH), WIDTH, async (visitor) => {
      while (!isOver) {
        try {
          const { status, body } = await visitor.visit('/');
          expect([status, body]).toEqual([200, 'v1']);
          answered++;
        } catch (error) {
          failures.push((error as NodeJS.ErrnoException).code ?? String(error));
        }
      }
    });
    await expect.poll(() => answered).toBeGreaterThan(100);
    process.kill(killed, 'SIGKILL');
    await expect.poll(() => childrenOf(serving.process.pid).filter((pid) => pid !== killed)).toHaveLength(2);
    await expect.poll(() => serving.process.stdout + serving.process.stderr).toMatch(/worker \d+ serves/);
    isOver = true;
    await load;
    expect(isRunning(other)).toBe(true);
    expect(serving.process.stderr).toContain(`worker ${killed} of the gateway ended (SIGKILL); another one takes its place`);
    // A request at work on each connection at most, and those that had just been sent on one that was already gone.
    expect(failures.length).toBeLessThanOrEqual(2 * WIDTH);
    expect(failures.filter((code) => code !== 'ECONNRESET' && code !== 'EPIPE')).toEqual([]);
    agent.destroy();
    await everyoneVisits();
    for (const pid of childrenOf(serving.process.pid)) expect(connectionsOf(pid, port())).toBeGreaterThan(0);
    expect((await fetch(`${serving.server}/readyz`)).status).toBe(200);
  });

  test('serve on while the control process stands still, and tell it all afterwards', async () => {
    const before = (await exposure()).real.requests.stable;
    process.kill(serving.process.pid, 'SIGSTOP');
    try {
      for (let round = 0; round < 3; round++) await everyoneVisits();
    } finally {
      process.kill(serving.process.pid, 'SIGCONT');
    }
    await expect.poll(async () => (await exposure()).real.requests.stable).toBeGreaterThanOrEqual(before + 3 * VISITORS);
  });

  test('do not outlive the control process', async () => {
    const workers = childrenOf(serving.process.pid);
    expect(workers).toHaveLength(2);
    agent.destroy();
    await serving.process.stop('SIGKILL');
    await expect.poll(() => workers.filter(isRunning)).toEqual([]);
    await expect(fetch(serving.ingress)).rejects.toThrow();
  });
});

describe('perch serve --workers', { skip: process.platform !== 'linux' }, () => {
  test('answers what is at work when it is told to end, and leaves nothing behind', async () => {
    const own = await createScene();
    let asked = 0;
    const slow = await startVersion('slow', (_request, response) => {
      asked++;
      setTimeout(() => response.end('late'), 700);
    });
    try {
      await writeFile(join(own.files, 'basics.yaml'), webBasicsYaml({ v1: slow.port, v2: slow.port }));
      const { process: serve, ingress } = await own.serve('-f', own.files, '--workers', '2');
      const workers = childrenOf(serve.pid);
      const answers = Promise.all(Array.from({ length: 16 }, async () => (await fetch(ingress)).text()));
      await expect.poll(() => asked).toBe(16);
      // As a service manager does: everybody is told at once.
      for (const pid of workers) process.kill(pid, 'SIGTERM');
      expect(await serve.stop('SIGTERM')).toBe(0);
      expect(await answers).toEqual(Array.from({ length: 16 }, () => 'late'));
      expect(workers.filter(isRunning)).toEqual([]);
      await expect(fetch(ingress)).rejects.toThrow();
    } finally {
      await own.close();
      await slow.close();
    }
  });

  test('says which port is taken: by a stranger, and by workers of another perch', async () => {
    const own = await createScene();
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    try {
      const taken = (stranger.address() as { port: number }).port;
      const options = ['--file', own.files, '--data', join(own.dir, 'second'), '--workers', '2', ...FREE_PORTS];
      const refused = await perch(['serve', ...options, '--map', `8080=${taken}`]);
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(`port ${taken} is in use`) });
      const first = await own.serve('-f', own.files, '--workers', '2');
      const shared = new URL(first.ingress).port;
      const second = await perch(['serve', ...options, '--map', `8080=${shared}`]);
      expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining(`port ${shared} is in use`) });
      expect(second.stderr).toContain(`perch serve --map 8080=`);
      expect(await freshAt(first)).toBe('v1');
    } finally {
      await own.close();
      stranger.close();
    }
  });

  test.each(['65', 'many'])('is no number of processes: %s', async (count) => {
    const { code, stderr } = await perch(['serve', `--workers=${count}`]);
    expect(code).toBe(2);
    expect(stderr).toContain('It is not a number of processes from 1 to 64.');
  });
});

async function freshAt({ ingress }: Serving): Promise<string> {
  return (await fetch(ingress)).text();
}
