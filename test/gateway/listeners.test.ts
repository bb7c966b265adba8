import type { ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ListenerSpec, RouteTable } from '../../src/core/routing/selection.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import { DEFAULT_LIMITS } from '../../src/gateway/limits.ts';
import { PortInUseError } from '../../src/gateway/port-in-use-error.ts';
import { startHttpOrigin, startScriptedOrigin, startTcpOrigin, unusedPort } from './origins.ts';
import { exchange, firstStatus, RawClient } from './raw-client.ts';
import { clusterAt, everythingTo, forwardTo, INGRESS, MESH, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const GET = 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';

/** A table whose answers say `status`. */
function saying(status: number, listeners: readonly ListenerSpec[] = [INGRESS, MESH]): RouteTable {
  return tableOf(() => ({ kind: 'direct', rule: undefined, status, body: '', response: [] }), [], [...listeners]);
}

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(0, '::1', () => server.close(() => resolve(true)));
  });
}

describe('listeners', () => {
  it('open on both loopbacks, at the same port, unless bound elsewhere', async () => {
    const { gateway } = await start(
      saying(200, [
        { kind: 'ingress', port: 80, bind: undefined },
        { kind: 'mesh', port: 9080, bind: '127.0.0.1' },
      ]),
    );
    const ingress = gateway.addresses().filter(({ kind }) => kind === 'ingress');
    expect(ingress.map(({ address }) => address)).toEqual((await hasIpv6()) ? ['127.0.0.1', '::1'] : ['127.0.0.1']);
    expect(new Set(ingress.map(({ actualPort }) => actualPort)).size).toBe(1);
    expect(ingress.every(({ port, actualPort }) => port === 80 && actualPort > 0)).toBe(true);
    expect(
      gateway
        .addresses()
        .filter(({ kind }) => kind === 'mesh')
        .map(({ address }) => address),
    ).toEqual(['127.0.0.1']);
    for (const { address, actualPort } of ingress) {
      const client = await RawClient.open(actualPort, address);
      expect(firstStatus(await client.send(GET).untilClosed())).toBe(200);
      client.destroy();
    }
  });

  it('tell routing the declared port and kind', async () => {
    const seen: unknown[] = [];
    const { ingress, mesh } = await start(
      tableOf((kind, port, bind) => {
        seen.push([kind, port, bind]);
        return { kind: 'none' };
      }),
    );
    await exchange(ingress, GET);
    await exchange(mesh, GET);
    expect(seen).toEqual([
      ['ingress', 80, '127.0.0.1'],
      ['mesh', 9080, '127.0.0.1'],
    ]);
  });

  it('are left as they are where one port is taken', async () => {
    const { gateway, ingress } = await start(saying(200));
    const taken = await own(startTcpOrigin(() => undefined));
    const free = await unusedPort();
    const before = gateway.addresses();
    const wanted = saying(201, [
      INGRESS,
      { kind: 'mesh', port: free, bind: '127.0.0.1' },
      { kind: 'mesh', port: taken.port, bind: '127.0.0.1' },
    ]);
    const error = await gateway.update(wanted).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PortInUseError);
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      address: '127.0.0.1',
      port: taken.port,
      message: `cannot listen on 127.0.0.1:${taken.port}: the port is in use`,
    });
    expect(gateway.addresses()).toEqual(before);
    expect(firstStatus(await exchange(ingress, GET))).toBe(200);
    await expect(RawClient.open(free)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // The failure leaves the gateway able to change.
    await gateway.update(saying(202));
    expect(firstStatus(await exchange(ingress, GET))).toBe(202);
  });

  it('that need a taken port for the proxy keep the gateway from starting', async () => {
    const taken = await own(startTcpOrigin(() => undefined));
    await expect(startGateway({ proxyPort: taken.port })).rejects.toMatchObject({ name: 'PortInUseError', port: taken.port });
  });

  it('on an address that the machine does not have are refused with it', async () => {
    const { gateway } = await start(saying(200));
    const elsewhere: ListenerSpec = { kind: 'ingress', port: 80, bind: '192.0.2.1' };
    await expect(gateway.update(saying(200, [elsewhere]))).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', address: '192.0.2.1' });
  });

  it('that are no longer wanted answer what they have accepted, then close', async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    const origin = await own(startHttpOrigin((request, response) => (request.url === '/late' ? asked.resolve(response) : response.end())));
    const cluster = clusterAt(origin.port);
    const { gateway, ingress, mesh } = await start(everythingTo(cluster));
    const [busy, idle] = [await open(ingress), await open(ingress)];
    busy.send('GET /late HTTP/1.1\r\nHost: shop\r\n\r\n');
    const response = await asked.promise;
    await gateway.update({ ...everythingTo(cluster), listeners: [MESH] });
    await idle.untilClosed();
    response.end('late');
    const received = await busy.untilClosed();
    expect(received).toContain('connection: close');
    expect(received).toContain('late');
    await expect(RawClient.open(ingress)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(firstStatus(await exchange(mesh, GET))).toBe(200);
  });

  it('stay open, with their connections, where the next table wants them too', async () => {
    const { gateway, ingress } = await start(saying(200));
    const client = await open(ingress);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('200');
    const before = gateway.addresses();
    await gateway.update(saying(201));
    expect(gateway.addresses()).toEqual(before);
    await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('201');
  });
});

describe('a change of routes', () => {
  it('fails no request under load, and requests at work finish on the old one', async () => {
    const asked = Promise.withResolvers<ServerResponse>();
    const origins = await Promise.all(
      ['old', 'new'].map((name) =>
        own(
          startHttpOrigin((request, response) => {
            request.resume();
            if (request.url === '/slow') asked.resolve(response);
            else setTimeout(() => response.end(name), 1);
          }),
        ),
      ),
    );
    const tables = origins.map((origin) => everythingTo(clusterAt(origin.port)));
    const { gateway, ingress } = await start(tables[0] as RouteTable);
    const slow = fetch(`http://127.0.0.1:${ingress}/slow`).then((response) => response.text());
    const slowResponse = await asked.promise;
    let stop = false;
    const answers = { old: 0, new: 0, failed: 0 };
    const worker = async (): Promise<void> => {
      while (!stop) {
        try {
          const response = await fetch(`http://127.0.0.1:${ingress}/`, { method: 'POST', body: 'x' });
          const text = await response.text();
          if (response.status === 200 && (text === 'old' || text === 'new')) answers[text]++;
          else answers.failed++;
        } catch {
          answers.failed++;
        }
      }
    };
    const workers = Array.from({ length: 16 }, worker);
    for (let change = 1; change <= 60 || Math.min(answers.old, answers.new) <= 50; change++) {
      await gateway.update(tables[change % 2] as RouteTable);
      await sleep(10);
    }
    stop = true;
    await Promise.all(workers);
    expect(answers.failed).toBe(0);
    slowResponse.end('answered by the old one');
    expect(await slow).toBe('answered by the old one');
  });

  it('counts from the moment that update() resolves', async () => {
    const { gateway, ingress } = await start(saying(200));
    const client = await open(ingress);
    for (let status = 201; status < 204; status++) {
      await gateway.update(saying(status));
      await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText(`HTTP/1.1 ${status}`);
    }
  });

  it('closes the connections to endpoints that are gone', async () => {
    const open_ = new Set<unknown>();
    const origin = await own(
      startTcpOrigin((socket) => {
        open_.add(socket);
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 0\r\n\r\n'));
        socket.on('end', () => socket.end());
        socket.on('close', () => open_.delete(socket));
      }),
    );
    const { gateway, ingress } = await start(everythingTo(clusterAt(origin.port)));
    await exchange(ingress, GET);
    expect(open_.size).toBe(1);
    await gateway.update(everythingTo(clusterAt(origin.port)));
    await exchange(ingress, GET);
    expect(origin.connections()).toBe(1);
    await gateway.update(saying(200));
    await expect.poll(() => open_.size).toBe(0);
  });
});

describe('closing', () => {
  it('waits for answers at work, and then cuts', async () => {
    const asked = new Map<string, Socket>();
    const origin = await own(startScriptedOrigin((head, socket) => void asked.set(head.split(' ')[1] ?? '', socket)));
    const { gateway, ingress } = await start(everythingTo(clusterAt(origin.port)));
    const [late, never, idle] = [await open(ingress), await open(ingress), await open(ingress)];
    late.send('GET /late HTTP/1.1\r\nHost: shop\r\n\r\n');
    never.send('GET /never HTTP/1.1\r\nHost: shop\r\n\r\n');
    await expect.poll(() => [...asked.keys()].toSorted()).toEqual(['/late', '/never']);
    const started = performance.now();
    const closing = gateway.close(400);
    asked.get('/late')?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
    await closing;
    const took = performance.now() - started;
    expect(took).toBeGreaterThanOrEqual(390);
    expect(took).toBeLessThan(DEFAULT_LIMITS.closeGraceMs);
    expect(await late.untilClosed()).toContain('late');
    expect(await never.untilClosed()).toBe('');
    await idle.untilClosed();
    await expect(RawClient.open(ingress)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(gateway.update(saying(200))).rejects.toThrow('closed');
  });

  it('takes no time where nothing is at work, and may be asked for twice', async () => {
    const { gateway, ingress } = await start(saying(200));
    await open(ingress);
    const started = performance.now();
    await Promise.all([gateway.close(), gateway.close()]);
    expect(performance.now() - started).toBeLessThan(DEFAULT_LIMITS.closeGraceMs);
  });
});

describe('the HTTP proxy', () => {
  it('routes by the URL, through the mesh table of its port', async () => {
    const origin = await own(startScriptedOrigin((head) => `HTTP/1.1 200 OK\r\nContent-Length: ${head.length}\r\n\r\n${head}`));
    const seen: unknown[] = [];
    const cluster = clusterAt(origin.port);
    const { proxy, told } = await start(
      tableOf(
        (kind, port, bind, request) => {
          seen.push([kind, port, bind, request.authority, request.path]);
          return forwardTo(cluster, request);
        },
        [cluster],
      ),
    );
    const received = await exchange(
      proxy,
      'GET http://reviews:9080/reviews/0?a HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\nX-Request-Id: kept\r\nConnection: close\r\n\r\n',
    );
    expect(received).toContain('\r\n\r\nGET /reviews/0?a HTTP/1.1\r\nhost: reviews:9080\r\n');
    expect(received).toContain('x-request-id: kept\r\n');
    expect(received).not.toContain('proxy-connection');
    await exchange(proxy, 'GET http://reviews/ HTTP/1.1\r\nHost: reviews\r\nConnection: close\r\n\r\n');
    await exchange(proxy, 'GET http://[::1]:8080 HTTP/1.1\r\nHost: reviews\r\nConnection: close\r\n\r\n');
    expect(seen).toEqual([
      ['mesh', 9080, undefined, 'reviews:9080', '/reviews/0?a'],
      ['mesh', 80, undefined, 'reviews', '/'],
      ['mesh', 8080, undefined, '[::1]:8080', '/'],
    ]);
    expect((await told(3)).map(({ listener }) => listener)).toEqual(['proxy', 'proxy', 'proxy']);
  });

  it.each([
    ['a path without a URL', 400, 'GET / HTTP/1.1\r\nHost: reviews\r\n\r\n'],
    ['OPTIONS *', 400, 'OPTIONS * HTTP/1.1\r\nHost: reviews\r\n\r\n'],
    ['https', 403, 'GET https://reviews/ HTTP/1.1\r\nHost: reviews\r\n\r\n'],
    ['CONNECT', 501, 'CONNECT reviews:443 HTTP/1.1\r\nHost: reviews:443\r\n\r\n'],
  ])('refuses %s: %d', async (_name, status, text) => {
    const { proxy } = await start(saying(200));
    expect(firstStatus(await exchange(proxy, text))).toBe(status);
  });

  it('answers 502 for hosts that nothing declares', async () => {
    const { proxy } = await start(tableOf(() => ({ kind: 'blocked' })));
    expect(firstStatus(await exchange(proxy, 'GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n'))).toBe(
      502,
    );
  });
});
