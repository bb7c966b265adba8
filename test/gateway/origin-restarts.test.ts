import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { seededRandom } from '../harness/seeded-random.ts';
import { isBodyOf, type RestartingOrigin, startRestartingOrigin } from './restarting-origin.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start } = testScope();

const origins: RestartingOrigin[] = [];
afterEach(async () => {
  for (const origin of origins.splice(0)) await origin.close();
});

async function ownOrigin(badShare: number): Promise<RestartingOrigin> {
  const origin = await startRestartingOrigin(badShare);
  origins.push(origin);
  return origin;
}

/** What a client got: a status with a right or a wrong body; `cut` where its connection broke within a body. */
type Got = { readonly nonce: string; readonly method: string; readonly status: number; readonly body: 'right' | 'wrong' | 'cut' };

/** Asks once. Rejects where there is no answer at all: that must not happen. */
function ask(port: number, agent: Agent, method: string, nonce: string, bytes: number): Promise<Got> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-nonce': nonce, 'x-bytes': String(bytes), ...(method === 'POST' ? { 'content-length': '1000' } : {}) };
    const request = httpRequest({ port, host: '127.0.0.1', agent, method, headers }, (response: IncomingMessage) => {
      let body = '';
      const status = response.statusCode ?? 0;
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('error', () => resolve({ nonce, method, status, body: 'cut' }));
      response.on('end', () => resolve({ nonce, method, status, body: status !== 200 || isBodyOf(nonce, body) ? 'right' : 'wrong' }));
    });
    request.on('error', reject);
    request.end(method === 'POST' ? 'x'.repeat(1000) : undefined);
  });
}

/** Clients that ask one request after the other until they are told to stop. */
function load(port: number, clients: number): { stop(): Promise<readonly Got[]> } {
  const got: Got[] = [];
  let isStopped = false;
  const random = seededRandom(clients);
  const running = Array.from({ length: clients }, async (_, client) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; !isStopped; count++) {
      const method = random() < 0.3 ? 'POST' : 'GET';
      const bytes = random() < 0.1 ? 300_000 : 100;
      got.push(await ask(port, agent, method, `n${client}-${count}`, bytes));
    }
    agent.destroy();
  });
  return {
    stop: async () => {
      isStopped = true;
      await Promise.all(running);
      return got;
    },
  };
}

function judge(got: readonly Got[], seen: ReadonlyMap<string, number>): void {
  expect(got.filter(({ body }) => body === 'wrong')).toEqual([]);
  expect(got.filter(({ status }) => ![200, 502, 503, 504].includes(status))).toEqual([]);
  // What may have been executed is not sent again; a GET once at most.
  expect(got.filter(({ method, nonce }) => (seen.get(nonce) ?? 0) > (method === 'GET' ? 2 : 1))).toEqual([]);
  // Whoever got a whole answer was asked for it.
  expect(got.filter(({ status, nonce }) => status === 200 && !seen.has(nonce))).toEqual([]);
}

it('an origin that is killed and started again under load: no wrong body, no repeated POST, and all is well again', async () => {
  const origin = await ownOrigin(0);
  const { ingress } = await start(everythingTo(clusterAt(origin.port)));
  const { stop } = load(ingress, 24);
  for (let life = 0; life < 3; life++) {
    await sleep(400);
    await origin.kill();
    await sleep(100);
    await origin.start();
  }
  await sleep(400);
  const got = await stop();
  judge(got, origin.seen());
  expect(got.filter(({ status }) => status === 200).length).toBeGreaterThan(50);
  expect(got.filter(({ status }) => status === 503).length).toBeGreaterThan(20);
  const after = load(ingress, 8);
  await sleep(200);
  expect((await after.stop()).filter(({ status, body }) => status !== 200 || body !== 'right')).toEqual([]);
});

it('an origin that resets connections anywhere in heads and bodies: no wrong body, no repeated POST', async () => {
  const origin = await ownOrigin(0.3);
  const { ingress } = await start(everythingTo(clusterAt(origin.port)));
  const { stop } = load(ingress, 24);
  await sleep(2_000);
  const got = await stop();
  judge(got, origin.seen());
  const kinds = new Set(got.map(({ status, body }) => `${status} ${body}`));
  expect([...kinds].sort()).toEqual(['200 cut', '200 right', '502 right', '503 right']);
});

it('one of two origins that is killed and started again: whoever cannot connect is served by the other', async () => {
  const [steady, mortal] = [await ownOrigin(0), await ownOrigin(0)];
  const { ingress } = await start(everythingTo(clusterAt(steady.port, mortal.port)));
  await mortal.kill();
  const { stop } = load(ingress, 16);
  await sleep(500);
  // Nothing was ever sent to it: not a request fails, POSTs neither.
  const got = await stop();
  expect(got.filter(({ status, body }) => status !== 200 || body !== 'right')).toEqual([]);
  judge(got, steady.seen());
});
