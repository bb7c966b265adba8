// What several gateways need to be one: changes in two halves, requests that wait between them, and ports that are shared.
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { RouteTable } from '../../src/core/routing/selection.ts';
import { type RunningGateway, startGateway } from '../../src/gateway/gateway.ts';
import { PortInUseError } from '../../src/gateway/port-in-use-error.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { INGRESS, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, client } = testScope();
/** Time for what was sent to be read: in this process, and in so many turns, however busy the machine is. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
}

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';

async function statusAt(port: number): Promise<number | undefined> {
  return firstStatus(await exchange(port, GET));
}

function saying(status: number): RouteTable {
  return tableOf(() => ({ kind: 'direct', rule: undefined, status, body: '', response: [] }), [], [INGRESS]);
}

describe('a change in two halves', () => {
  it('is served from the second one on, and not at all where it is abandoned', async () => {
    const { gateway, ingress } = await start(saying(201));
    const abandoned = await gateway.prepare(saying(202));
    expect(await statusAt(ingress)).toBe(201);
    await abandoned.abandon();
    expect(await statusAt(ingress)).toBe(201);
    (await gateway.prepare(saying(203))).commit();
    expect(await statusAt(ingress)).toBe(203);
  });

  it('lets no other change in between', async () => {
    const { gateway, ingress } = await start(saying(201));
    const first = await gateway.prepare(saying(202));
    const second = gateway.update(saying(203));
    first.commit();
    await second;
    expect(await statusAt(ingress)).toBe(203);
  });
});

describe('requests that are held', () => {
  it('are routed by the table of the moment in which they are released', async () => {
    const { gateway, ingress, told } = await start(saying(201));
    const early = await client(ingress);
    gateway.hold();
    early.send(GET);
    const late = statusAt(ingress);
    await someTurns();
    (await gateway.prepare(saying(204))).commit();
    expect(early.received).toBe('');
    gateway.release();
    expect(await late).toBe(204);
    await expect.poll(() => early.received).toMatch(/^HTTP\/1.1 204 /);
    expect((await told(2)).map(({ status }) => status)).toEqual([204, 204]);
  });

  it('are forgotten where their client leaves meanwhile, and their bodies wait', async () => {
    const { gateway, ingress, told } = await start(saying(201));
    gateway.hold();
    const gone = await client(ingress);
    gone.send(GET);
    const malformed = await client(ingress);
    malformed.send(`POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n${GET}`);
    await someTurns();
    gone.socket.resetAndDestroy();
    expect((await told(1)).map(({ flag }) => flag)).toEqual(['DC']);
    gateway.release();
    // Answered by a route without a look at its body; what follows that is nobody's.
    expect((await malformed.untilClosed()).match(/HTTP\/1\.1 [0-9]+/g)).toEqual(['HTTP/1.1 201']);
    expect(await statusAt(ingress)).toBe(201);
    expect(await told(3)).toHaveLength(3);
  });

  it('are answered where the gateway closes', async () => {
    const { gateway, ingress } = await start(saying(201));
    gateway.hold();
    const held = statusAt(ingress);
    await someTurns();
    await gateway.close(1000);
    expect(await held).toBe(201);
  });
});

describe('shared ports', { skip: process.platform !== 'linux' }, () => {
  const gateways: RunningGateway[] = [];

  async function sharing(ports: ReadonlyMap<string, number>, map: ReadonlyMap<number, number>): Promise<RunningGateway> {
    const gateway = await startGateway({ sharedPorts: ports, map, proxyPort: 0 });
    gateways.push(gateway);
    return gateway;
  }

  async function closeAll(): Promise<void> {
    for (const gateway of gateways.splice(0)) await gateway.close(0);
  }

  it('are opened by several gateways, which share the connections; nothing is open before the first table', async () => {
    const ports = new Map<string, number>();
    const [first, second] = [await sharing(ports, new Map([[80, 0]])), await sharing(ports, new Map([[80, 0]]))];
    expect(first.addresses()).toEqual([]);
    const prepared = await first.prepare(saying(201));
    for (const [key, port] of prepared.ports) ports.set(key, port);
    prepared.commit();
    await second.update(saying(202));
    expect(second.addresses()).toEqual(first.addresses());
    expect(first.addresses().map(({ kind }) => kind)).toContain('proxy');
    const port = first.addresses().find(({ kind }) => kind === 'ingress')?.actualPort ?? 0;
    const statuses = await Promise.all(Array.from({ length: 40 }, () => statusAt(port)));
    expect(new Set(statuses)).toEqual(new Set([201, 202]));
    await closeAll();
  });

  it('are not shared with strangers, whether those share or not', async () => {
    for (const reusePort of [false, true]) {
      const stranger = createServer();
      await new Promise<void>((resolve) => stranger.listen({ port: 0, host: '127.0.0.1', reusePort }, resolve));
      const taken = (stranger.address() as { port: number }).port;
      const gateway = await sharing(new Map(), new Map([[80, taken]]));
      await expect(gateway.update(saying(201))).rejects.toThrow(new PortInUseError('EADDRINUSE', '127.0.0.1', taken));
      expect(gateway.addresses()).toEqual([]);
      await closeAll();
      stranger.close();
    }
  });
});
