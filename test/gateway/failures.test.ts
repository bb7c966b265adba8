import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Selection } from '../../src/core/routing/selection.ts';
import { refusingPort, startBodyOrigin, startHttpOrigin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, forwardTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const GET = 'GET /a HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n';
const RESET = 'upstream connect error or disconnect/reset before headers. reset reason: ';

function bodyOf(response: string): string {
  return response.slice(response.indexOf('\r\n\r\n') + 4);
}

describe('answers of the gateway’s own are Envoy’s', () => {
  it.each<
    [
      name: string,
      selection: (port: number) => Partial<Extract<Selection, { kind: 'forward' }>> | Selection,
      status: number,
      flag: string,
      body: string,
    ]
  >([
    ['no route', () => ({ kind: 'none' }), 404, 'NR', ''],
    ['a mesh host that nothing declares', () => ({ kind: 'blocked' }), 502, '-', ''],
    ['an unknown cluster', () => ({ cluster: undefined }), 503, 'NC', ''],
    ['a cluster without endpoints', () => ({ cluster: clusterAt() }), 503, 'UH', 'no healthy upstream'],
    ['an endpoint that refuses', (port) => ({ cluster: clusterAt(port) }), 503, 'UF', `${RESET}remote connection failure`],
  ])('%s: %s', async (_name, select, status, flag, body) => {
    const port = await refusingPort();
    const { ingress, told, log } = await start(
      tableOf((_kind, _port, _bind, request) => {
        const selected = select(port);
        return 'kind' in selected && selected.kind !== undefined && selected.kind !== 'forward'
          ? (selected as Selection)
          : forwardTo(clusterAt(), request, selected as object);
      }),
    );
    const received = await exchange(ingress, GET);
    expect(firstStatus(received)).toBe(status);
    expect(bodyOf(received)).toBe(body);
    expect(received).toContain(`content-length: ${body.length}\r\n`);
    expect(received).toContain('server: perch\r\n');
    expect(received.includes('content-type: text/plain')).toBe(body !== '');
    expect((await told(1))[0]).toMatchObject({ status, flag });
    expect(log[0]).toMatchObject({ response_code: status, response_flags: flag, bytes_sent: body.length });
  });
});

describe('an upstream that fails', () => {
  it.each<[name: string, act: (socket: Socket) => void, status: number, flag: string, reason: string]>([
    ['closes before it answers', (socket) => socket.end(), 503, 'UC', 'connection termination'],
    ['resets before it answers', (socket) => socket.resetAndDestroy(), 503, 'UC', 'connection termination'],
    ['closes within the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nX: '), 502, 'UPE', 'protocol error'],
    ['closes after 100 Continue', (socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n'), 503, 'UC', 'connection termination'],
    ['does not speak HTTP', (socket) => socket.write('SSH-2.0-OpenSSH\r\n'), 502, 'UPE', 'protocol error'],
    [
      'gives two lengths',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'),
      502,
      'UPE',
      'protocol error',
    ],
    ['switches protocols unasked', (socket) => socket.write('HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n'), 502, 'UPE', 'protocol error'],
    [
      'sends a broken chunk along with its head',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\n'),
      502,
      'UPE',
      'protocol error',
    ],
  ])('%s', async (_name, act, status, flag, reason) => {
    const origin = await own(startTcpOrigin((socket) => socket.once('data', () => act(socket))));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, GET);
    expect(firstStatus(received)).toBe(status);
    expect(bodyOf(received)).toBe(RESET + reason);
    expect((await told(1))[0]).toMatchObject({ status, flag, destination: { subset: 'v1' }, rule: 'rule' });
    expect(origin.connections()).toBe(1);
  });

  it.each<[name: string, head: string, act: (socket: Socket) => void, flag: string]>([
    ['closes within a body of known length', 'Content-Length: 10\r\n\r\nhello', (socket) => socket.end(), 'UPE'],
    ['resets within a body of known length', 'Content-Length: 10\r\n\r\nhello', (socket) => socket.resetAndDestroy(), 'UPE'],
    ['closes within a chunked body', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', (socket) => socket.end(), 'UPE'],
    ['resets within a body that ends with the connection', '\r\nhello', (socket) => socket.resetAndDestroy(), 'UPE'],
    ['breaks its chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', (socket) => socket.write('zz\r\n'), 'UPE'],
  ])('%s: the client’s connection is cut', async (_name, head, act, flag) => {
    const asked = Promise.withResolvers<Socket>();
    const origin = await own(
      startTcpOrigin((socket) =>
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}`);
          asked.resolve(socket);
        }),
      ),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await client.untilText('hello');
    act(await asked.promise);
    const received = await client.untilClosed();
    expect(firstStatus(received)).toBe(200);
    // The end of a chunked body would tell the client that it is whole.
    expect(received).not.toContain('0\r\n\r\n');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag });
  });

  it('sends more than its answer: the answer stands, and the connection is not used again', async () => {
    const origin = await own(
      startScriptedOrigin((_head, _socket, ordinal) => `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#${ordinal}HTTP/1.1 200 OK\r\n\r\n`),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    expect(bodyOf(await exchange(ingress, GET))).toBe('#0');
    expect(bodyOf(await exchange(ingress, GET))).toBe('#1');
    await told(2);
    expect(origin.connections()).toBe(2);
  });

  it('speaks out of turn: the connection is not used again', async () => {
    const sockets: Socket[] = [];
    const origin = await own(
      startScriptedOrigin((_head, socket, ordinal) => {
        sockets.push(socket);
        return `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#${ordinal}`;
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    expect(bodyOf(await exchange(ingress, GET))).toBe('#0');
    await told(1);
    sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged');
    await expect.poll(() => sockets[0]?.readableEnded || sockets[0]?.destroyed).toBe(true);
    expect(bodyOf(await exchange(ingress, GET))).toBe('#1');
    expect(origin.connections()).toBe(2);
  });

  it('answers before it has the whole request: the answer stands, and the connection is not used again', async () => {
    const origin = await own(startScriptedOrigin(() => 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nstop'));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    await client.untilText('stop');
    client.send('world');
    client.send(GET);
    await client.until(({ received }) => received.split('HTTP/1.1 413').length === 3);
    await told(2);
    expect(origin.connections()).toBe(2);
  });
});

describe('a request is sent again', () => {
  /** Answers the first request of each connection and drops the connection at the second, as an idle timeout would. */
  const stale = (drop: (socket: Socket) => void) => {
    const heads: string[] = [];
    const perConnection = new Map<Socket, number>();
    const origin = own(
      startScriptedOrigin((head, socket) => {
        heads.push(head.slice(0, head.indexOf('\r\n')));
        const count = (perConnection.get(socket) ?? 0) + 1;
        perConnection.set(socket, count);
        if (count === 1) return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
        drop(socket);
        return undefined;
      }),
    );
    return { heads, origin };
  };

  it.each(['GET', 'HEAD'])('once, when %s met the close of a connection that had been used before', async (method) => {
    const { heads, origin } = stale((socket) => socket.resetAndDestroy());
    const { ingress, told } = await start(everythingTo(clusterAt((await origin).port)));
    await exchange(ingress, GET);
    const received = await exchange(ingress, `${method} /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
    expect(firstStatus(received)).toBe(200);
    expect(heads).toEqual(['GET /a HTTP/1.1', `${method} /b HTTP/1.1`, `${method} /b HTTP/1.1`]);
    expect((await told(2))[1]).toMatchObject({ status: 200, flag: '-' });
  });

  it('on a new connection, since the upstream may close all of the old ones at that moment', async () => {
    const waiting: (() => void)[] = [];
    let old: Socket[] | undefined = [];
    const origin = await own(
      startScriptedOrigin((head, socket) => {
        const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
        if (head.startsWith('GET /a ')) {
          old?.push(socket);
          waiting.push(() => socket.write(answer));
          if (waiting.length === 8) for (const respond of waiting) respond();
          return undefined;
        }
        // Last in, first out is how the gateway takes them: the next one that it would take ends last.
        const closing = old;
        old = undefined;
        closing?.sort((one) => (one === socket ? -1 : 1)).forEach((each) => void each.destroy());
        return closing === undefined ? answer : undefined;
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    await Promise.all(Array.from({ length: 8 }, () => exchange(ingress, GET)));
    expect(firstStatus(await exchange(ingress, 'GET /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n'))).toBe(200);
  });

  it.each([
    ['POST', 'POST /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
    ['POST without a body', 'POST /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n'],
    ['DELETE', 'DELETE /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n'],
    ['GET with a body', 'GET /b HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi'],
  ])('never, when it is %s: it may have been executed', async (_name, text) => {
    const { heads, origin } = stale((socket) => socket.resetAndDestroy());
    const { ingress } = await start(everythingTo(clusterAt((await origin).port)));
    await exchange(ingress, GET);
    expect(firstStatus(await exchange(ingress, text))).toBe(503);
    expect(heads.length).toBe(2);
  });

  it('never, when part of an answer had come', async () => {
    const { heads, origin } = stale((socket) => socket.end('HTTP/1.1 200'));
    const { ingress } = await start(everythingTo(clusterAt((await origin).port)));
    await exchange(ingress, GET);
    expect(firstStatus(await exchange(ingress, GET))).toBe(502);
    expect(heads.length).toBe(2);
  });

  it('never, on a connection of its own', async () => {
    let count = 0;
    const origin = await own(
      startScriptedOrigin((_head, socket) => {
        count++;
        socket.resetAndDestroy();
        return undefined;
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    expect(firstStatus(await exchange(ingress, GET))).toBe(503);
    expect(count).toBe(1);
  });

  it('to another endpoint, when one refuses the connection, body and all', async () => {
    const bodies: string[] = [];
    const origin = await own(startBodyOrigin(bodies));
    const dead = await Promise.all([refusingPort(), refusingPort()]);
    const { ingress, told } = await start(everythingTo(clusterAt(...dead, origin.port)));
    for (let count = 0; count < 10; count++) {
      const received = await exchange(ingress, 'POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello');
      expect(firstStatus(received)).toBe(200);
    }
    expect(bodies).toEqual(Array.from({ length: 10 }, () => 'hello'));
    expect((await told(10)).every(({ flag }) => flag === '-')).toBe(true);
  });

  it('at most twice', async () => {
    const dead = await Promise.all(Array.from({ length: 5 }, () => refusingPort()));
    const { ingress, told } = await start(everythingTo(clusterAt(...dead)));
    expect(firstStatus(await exchange(ingress, GET))).toBe(503);
    expect((await told(1))[0]).toMatchObject({ flag: 'UF' });
  });
});

describe('a route’s timeout', () => {
  it('ends a request without an answer: 504', async () => {
    const origin = await own(startScriptedOrigin(() => undefined));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port), { timeoutMs: 150 }));
    const received = await exchange(ingress, GET);
    expect(firstStatus(received)).toBe(504);
    expect(bodyOf(received)).toBe('upstream request timeout');
    const [event] = await told(1);
    expect(event).toMatchObject({ status: 504, flag: 'UT' });
    expect(event?.durationMs).toBeGreaterThanOrEqual(145);
  });

  it('cuts an answer that has begun', async () => {
    const origin = await own(startScriptedOrigin(() => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port), { timeoutMs: 150 }));
    expect(bodyOf(await exchange(ingress, 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n'))).toBe('hello');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: 'UT' });
  });

  it('counts from the end of the request', async () => {
    const origin = await own(startHttpOrigin((request, response) => request.resume().on('end', () => response.end('ok'))));
    const { ingress } = await start(everythingTo(clusterAt(origin.port), { timeoutMs: 500 }));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 2\r\n\r\nh');
    await sleep(700);
    client.send('i');
    expect(firstStatus(await client.untilClosed())).toBe(200);
  });

  it('does not count any more once the request is answered, though its body goes on', async () => {
    const origin = await own(startScriptedOrigin(() => 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nstop'));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port), { timeoutMs: 500 }));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    await client.untilText('stop');
    client.send('world');
    await sleep(700);
    client.send(GET);
    await client.until(({ received }) => received.split('HTTP/1.1 413').length === 3);
    expect((await told(2)).map(({ flag }) => flag)).toEqual(['-', '-']);
  });

  it('does not end a request that is answered in time', async () => {
    const origin = await own(startScriptedOrigin(() => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port), { timeoutMs: 500 }));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await client.untilText('ok');
    await sleep(700);
    client.send(GET);
    await client.untilClosed();
    expect((await told(2)).map(({ flag }) => flag)).toEqual(['-', '-']);
  });
});

describe('a client that leaves', () => {
  it('ends the work of the upstream, and is reported: DC', async () => {
    let aborted = false;
    const asked = Promise.withResolvers<void>();
    const origin = await own(
      startTcpOrigin((socket) => {
        socket.on('data', () => asked.resolve());
        socket.on('end', () => {
          aborted = true;
        });
        socket.on('close', () => {
          aborted = true;
        });
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await asked.promise;
    client.socket.resetAndDestroy();
    expect((await told(1))[0]).toMatchObject({ status: 0, flag: 'DC' });
    await expect.poll(() => aborted).toBe(true);
  });

  it('within its own body leaves no whole request behind', async () => {
    const ends: boolean[] = [];
    const asked = Promise.withResolvers<void>();
    const origin = await own(
      startHttpOrigin((request, response) => {
        request.once('data', () => asked.resolve());
        request.on('close', () => {
          ends.push(request.complete);
          response.destroy();
        });
      }),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await asked.promise;
    client.destroy();
    await told(1);
    await expect.poll(() => ends).toEqual([false]);
  });
});
