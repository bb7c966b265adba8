import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import type { Cluster, Endpoint, RouteTable } from '../core/routing/selection.ts';
import type { ClientExchange, ExchangeHandler } from './client-exchange.ts';
import type { Downstream } from './downstream.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { ProxiedRequest } from './proxied-request.ts';
import { RequestReporter } from './request-report.ts';
import { UpstreamPools } from './upstream-pools.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A client that has sent the head of an upload, and then does and takes what the test says. */
class ScriptedClient implements ClientExchange {
  readonly method = 'POST';
  readonly target = '/';
  readonly version = '1.1';
  readonly downstream: Downstream = {
    ...{ scheme: 'http', tlsServer: undefined, serverName: undefined },
    ...{ remoteAddress: '127.0.0.1', peer: '127.0.0.1:5', local: '127.0.0.1:6' },
  };
  readonly rawHeaders = ['Host', 'shop', 'Content-Length', '10'];
  readonly upgradable = false;
  readonly bodyComplete = false;
  readonly flushed = true;
  /** What was done to it, in order. */
  readonly told: string[] = [];
  handler: ExchangeHandler | undefined;

  attach(handler: ExchangeHandler): void {
    this.handler = handler;
  }
  startBody(): void {
    this.told.push('body wanted');
  }
  pauseBody(): void {}
  resumeBody(): void {}
  closeAfterAnswer(): void {}
  inform(): void {}
  respond(status: number): void {
    this.told.push(`answer ${status}`);
  }
  respondHead(status: number): void {
    this.told.push(`head ${status}`);
  }
  flushHead(): void {}
  write(): boolean {
    return true;
  }
  end(): void {
    this.told.push('end');
  }
  destroy(): void {
    this.told.push('cut');
  }
  switchProtocols(): never {
    throw new Error('not upgradable');
  }
}

/** Sends a client's request through a table that leads to one cluster. */
function send(client: ScriptedClient, endpoints: readonly Endpoint[], timeoutMs = 0): void {
  const cluster: Cluster = { host: 'shop', port: 80, subset: undefined, endpoints };
  const table: RouteTable = {
    listeners: [],
    clusters: [cluster],
    select: () => ({
      ...{ kind: 'forward', rule: undefined, destination: cluster, cluster, path: '/', authority: 'shop', timeoutMs },
      ...{ request: [], response: [] },
    }),
  };
  const pools = new UpstreamPools(DEFAULT_LIMITS);
  cleanups.push(() => pools.close());
  const context = {
    ...{ table: () => table, limits: DEFAULT_LIMITS, pools, reporter: new RequestReporter(undefined, undefined) },
    // Draws the first of the endpoints, then the one behind it.
    ...{ random: () => 0, uuid: () => '8c5ff0f0-0000-4000-8000-000000000000' },
  };
  new ProxiedRequest(context, { kind: 'ingress', port: 80, bind: undefined }, client).start();
}

async function originOf(answer: string): Promise<Endpoint> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

test('a route’s time does not begin at the end of a body that goes on behind the whole answer', async () => {
  const origin = await originOf('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nstop');
  const client = new ScriptedClient();
  send(client, [origin], 20);
  await expect.poll(() => client.told).toEqual(['body wanted', 'answer 413']);
  // The client sends the rest, and is slow to take the answer: the exchange is not over.
  client.handler?.requestEnd([]);
  await sleep(100);
  expect(client.told).toEqual(['body wanted', 'answer 413']);
  client.handler?.clientClosed(true);
});

test('a route’s time that began before the answer ends with it', async () => {
  const origin = await originOf('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const client = new ScriptedClient();
  send(client, [origin], 1_000);
  client.handler?.requestEnd([]);
  await expect.poll(() => client.told).toContain('answer 200');
  await sleep(1_200);
  expect(client.told).not.toContain('cut');
  client.handler?.clientClosed(true);
});

test('an endpoint whose port does not exist is one that cannot be connected to: the next is tried, then 503', async () => {
  const nowhere: Endpoint[] = [70_000, 80_000].map((port) => ({ address: '127.0.0.1', port }));
  const alone = new ScriptedClient();
  send(alone, nowhere);
  await expect.poll(() => alone.told).toEqual(['answer 503']);
  const helped = new ScriptedClient();
  send(helped, [...nowhere, await originOf('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')]);
  await expect.poll(() => helped.told).toContain('answer 200');
});
