import { describe, expect, it } from 'vitest';
import { type Origin, startHttpOrigin, startScriptedOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, forwardTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const { start, own, client: open } = testScope();

/** An origin that answers 200 with the request's head, as received, in the body. */
async function echoOrigin(): Promise<Origin> {
  return own(startScriptedOrigin((head) => `HTTP/1.1 200 OK\r\nContent-Length: ${head.length}\r\n\r\n${head}`));
}

const CLOSE = 'Host: shop\r\nConnection: close\r\n';

/** Head that the origin of `echoOrigin` received, as lines without the request line. */
function receivedLines(response: string): string[] {
  return response
    .slice(response.indexOf('\r\n\r\n') + 4)
    .split('\r\n')
    .slice(1, -2);
}

describe('request headers', () => {
  it('reach the upstream, except those of the connection', async () => {
    const origin = await echoOrigin();
    const { mesh } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(
      mesh,
      'GET /p?q=1 HTTP/1.1\r\nHost: shop:9080\r\nConnection: close, x-hop\r\nKeep-Alive: timeout=3\r\nProxy-Connection: a\r\nProxy-Authorization: b\r\nTE: trailers\r\nTrailer: c\r\nUpgrade: h2c\r\nX-Hop: 1\r\nX-Envoy-Retry-On: 5xx\r\nCookie: a=b\r\nCookie: c=d\r\nX-End: \xe9\r\nX-Request-Id: mine\r\n\r\n',
    );
    expect(received).toContain('\r\n\r\nGET /p?q=1 HTTP/1.1\r\n');
    expect(receivedLines(received)).toEqual([
      'host: shop:9080',
      'cookie: a=b',
      'cookie: c=d',
      'x-end: \xe9',
      'x-forwarded-proto: http',
      'x-request-id: mine',
      // Its own, for this hop (RFC 9110 section 10.1.4); without a chunked body there is nothing to announce.
      'connection: te',
      'te: trailers',
    ]);
  });

  it('cannot be taken away with Connection where they matter to others', async () => {
    const origin = await echoOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const nominated = 'cookie, host, x-request-id, authorization, x-forwarded-for, x-forwarded-proto, baggage, content-length';
    const received = await exchange(
      ingress,
      `POST / HTTP/1.1\r\nHost: shop\r\nConnection: close, ${nominated}\r\nCookie: perch=1\r\nAuthorization: x\r\nBaggage: y\r\nContent-Length: 2\r\n\r\nhi`,
    );
    const names = receivedLines(received).map((line) => line.slice(0, line.indexOf(':')));
    expect(names).toEqual(
      expect.arrayContaining([
        'host',
        'cookie',
        'authorization',
        'baggage',
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-request-id',
        'content-length',
      ]),
    );
  });

  it('at the ingress say who came, whatever the client claims', async () => {
    const origin = await echoOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(
      ingress,
      `GET / HTTP/1.1\r\n${CLOSE}X-Request-Id: forged\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n\r\n`,
    );
    const lines = receivedLines(received);
    expect(lines).toContain('x-forwarded-for: 1.2.3.4,127.0.0.1');
    expect(lines).toContain('x-forwarded-proto: http');
    const ids = lines.filter((line) => line.startsWith('x-request-id: ')).map((line) => line.slice(14));
    expect(ids).toEqual([expect.stringMatching(UUID_V4)]);
    expect((await told(1))[0]?.requestId).toBe(ids[0]);
  });

  it('in the mesh are kept, and an id is drawn where there is none', async () => {
    const origin = await echoOrigin();
    const { mesh } = await start(everythingTo(clusterAt(origin.port)));
    const kept = receivedLines(
      await exchange(mesh, `GET / HTTP/1.1\r\n${CLOSE}X-Request-Id: abc\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n`),
    );
    expect(kept).toEqual(['host: shop', 'x-forwarded-for: 9.9.9.9', 'x-forwarded-proto: https', 'x-request-id: abc']);
    const drawn = receivedLines(await exchange(mesh, `GET / HTTP/1.1\r\n${CLOSE}\r\n`));
    expect(drawn).toContainEqual(expect.stringMatching(/^x-request-id: [0-9a-f]{8}-/));
  });

  it('on several lines are joined where Envoy joins them, so that the same rules match; a client says nothing about certificates', async () => {
    const origin = await echoOrigin();
    const seen: unknown[] = [];
    const cluster = clusterAt(origin.port);
    const { mesh } = await start(
      tableOf((_kind, _port, _bind, request) => {
        seen.push(...['x-request-id', 'accept', 'cookie', 'x-forwarded-client-cert'].map((name) => request.lines(name)));
        return forwardTo(cluster, request);
      }),
    );
    const twice = ['X-Request-Id', 'Accept', 'Cookie', 'X-Forwarded-Client-Cert'].flatMap((name) => [`${name}: 1`, `${name}: 2`]);
    const received = await exchange(mesh, `GET / HTTP/1.1\r\n${CLOSE}${twice.join('\r\n')}\r\n\r\n`);
    expect(seen).toEqual([['1,2'], ['1,2'], ['1', '2'], []]);
    expect(receivedLines(received)).toContain('x-request-id: 1,2');
    expect(received).not.toContain('client-cert');
  });

  it('on several lines leave no trace of empty ones, where Envoy joins them', async () => {
    const origin = await echoOrigin();
    const seen: unknown[] = [];
    const cluster = clusterAt(origin.port);
    const { mesh } = await start(
      tableOf((_kind, _port, _bind, request) => {
        seen.push(...['x-request-id', 'accept', 'user-agent', 'baggage'].map((name) => request.lines(name)));
        return forwardTo(cluster, request);
      }),
    );
    const lines =
      'X-Request-Id:\r\nX-Request-Id: 1\r\nX-Request-Id:\r\nAccept:\r\nAccept: 1\r\nUser-Agent: 1\r\nUser-Agent:\r\nBaggage:\r\nBaggage: 1\r\n';
    await exchange(mesh, `GET / HTTP/1.1\r\n${CLOSE}${lines}\r\n`);
    expect(seen).toEqual([['1'], ['1'], ['1'], ['', '1']]);
  });

  it('say what the scheme is inside, as the caller was told it', async () => {
    const origin = await echoOrigin();
    const seen: unknown[] = [];
    const cluster = clusterAt(origin.port);
    const { mesh, ingress } = await start(
      tableOf((kind, _port, _bind, request) => {
        seen.push([kind, request.scheme]);
        return forwardTo(cluster, request);
      }),
    );
    for (const [port, proto] of [
      [mesh, 'HTTPS'],
      [mesh, 'ftp'],
      [ingress, 'https'],
    ] as const) {
      await exchange(port, `GET / HTTP/1.1\r\n${CLOSE}X-Forwarded-Proto: ${proto}\r\n\r\n`);
    }
    const twice = await exchange(mesh, `GET / HTTP/1.1\r\n${CLOSE}X-Forwarded-Proto: ftp\r\nX-Forwarded-Proto: https\r\n\r\n`);
    expect(receivedLines(twice)).toContain('x-forwarded-proto: ftp,https');
    expect(seen).toEqual([
      ['mesh', 'https'],
      ['mesh', 'http'],
      ['ingress', 'http'],
      ['mesh', 'http'],
    ]);
  });

  it('are what routing sees', async () => {
    const origin = await echoOrigin();
    const seen: unknown[] = [];
    const cluster = clusterAt(origin.port);
    const { ingress } = await start(
      tableOf(
        (kind, port, bind, request, random) => {
          seen.push({
            ...{ kind, port, bind, random },
            ...{ method: request.method, path: request.path, authority: request.authority, scheme: request.scheme },
            ...{ cookie: request.lines('cookie'), id: request.lines('x-request-id'), absent: request.lines('accept') },
          });
          return forwardTo(cluster, request);
        },
        [cluster],
      ),
      { random: () => 0.25 },
    );
    await exchange(ingress, `GET /%61?x HTTP/1.1\r\n${CLOSE}Cookie: a\r\nCookie: b\r\nX-Request-Id: c\r\n\r\n`);
    expect(seen).toEqual([
      {
        ...{ kind: 'ingress', port: 80, bind: '127.0.0.1', random: 0.25 },
        ...{ method: 'GET', path: '/a?x', authority: 'shop', scheme: 'http' },
        ...{ cookie: ['a', 'b'], id: [expect.stringMatching(UUID_V4)], absent: [] },
      },
    ]);
  });
});

describe('a route that changes', () => {
  const set = (name: string, value: string) => [{ remove: [], set: [{ name, value: [value] }], add: [] }];

  it('the path tells the upstream the one before, whatever client and route say about it', async () => {
    const origin = await echoOrigin();
    const rewritten = await start(
      everythingTo(clusterAt(origin.port), { path: '/new?q=1', request: set('x-envoy-original-path', 'the route’s') }),
    );
    const text = `GET /%6fld?q=1 HTTP/1.1\r\n${CLOSE}X-Envoy-Original-Path: /forged\r\n\r\n`;
    const received = await exchange(rewritten.ingress, text);
    expect(received).toContain('\r\n\r\nGET /new?q=1 HTTP/1.1\r\n');
    expect(receivedLines(received).filter((line) => line.startsWith('x-envoy'))).toEqual(['x-envoy-original-path: /old?q=1']);
    const kept = await start(everythingTo(clusterAt(origin.port)));
    expect(await exchange(kept.ingress, text)).not.toContain('x-envoy');
  });

  it('the request id has the changed one reported', async () => {
    const origin = await echoOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port), { request: set('x-request-id', 'chosen') }));
    expect(receivedLines(await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`))).toContain('x-request-id: chosen');
    expect((await told(1))[0]?.requestId).toBe('chosen');
  });

  it('Server has its own name for it sent, once', async () => {
    const origin = await echoOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port), { response: set('server', 'ours') }));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(received.match(/\r\nserver: [^\r]*/g)).toEqual(['\r\nserver: ours']);
  });
});

describe('responses', () => {
  const answer = async (response: string, request = `GET / HTTP/1.1\r\n${CLOSE}\r\n`): Promise<string> => {
    const origin = await own(startScriptedOrigin(() => response));
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    return exchange(ingress, request);
  };

  it('keep status, reason, headers and their order; those of the connection go', async () => {
    const received = await answer(
      'HTTP/1.1 299 Rather Fine\r\nDate: yesterday\r\nServer: shop\r\nSet-Cookie: a=b\r\nX-B: \xe9\r\nSet-Cookie: c=d\r\nKeep-Alive: timeout=9\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nhi',
    );
    expect(received).toBe(
      'HTTP/1.1 299 Rather Fine\r\ndate: yesterday\r\nserver: shop\r\nset-cookie: a=b\r\nx-b: \xe9\r\nset-cookie: c=d\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi',
    );
  });

  it('get a Server and a Date where the upstream gave none', async () => {
    const received = await answer('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(received).toContain('\r\nserver: perch\r\n');
    expect(received).toMatch(/\r\nDate: \w{3}, \d\d \w{3} \d{4} /i);
  });

  it.each([
    ['a length', 'Content-Length: 5\r\n\r\nhello', 'content-length: 5', 'hello'],
    [
      'chunks',
      'Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n',
      'transfer-encoding: chunked',
      '5\r\nhello\r\n0\r\nx: y\r\n\r\n',
    ],
  ])('with %s are framed likewise', async (_name, text, header, body) => {
    const received = await answer(`HTTP/1.1 200 OK\r\n${text}`);
    expect(received).toContain(`\r\n${header}\r\n`);
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(body);
  });

  it('that end with the connection become chunked', async () => {
    const origin = await own(
      startScriptedOrigin((_head, socket) => {
        socket.end('HTTP/1.1 200 OK\r\n\r\nhello');
        return undefined;
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(received).toMatch(/\r\ntransfer-encoding: chunked\r\n/);
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toMatch(/^5\r\nhello\r\n0\r\n\r\n$/);
  });

  it('with a header whose value is the name of another keep their framing', async () => {
    const origin = await own(
      startScriptedOrigin(
        () =>
          'HTTP/1.1 200 OK\r\nAccess-Control-Expose-Headers: content-length\r\nX-Sort: date\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(received).toContain('\r\ntransfer-encoding: chunked\r\n');
    expect(received.endsWith('\r\n\r\n2\r\nok\r\n0\r\n\r\n')).toBe(true);
  });

  it('in tiny chunks that come together go out together', async () => {
    const origin = await own(
      startScriptedOrigin(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    // In as many pieces as the network made of it.
    const sizes = received.match(/\r\n[0-9a-f]+(?=\r\nx)/g)?.map((size) => Number.parseInt(size, 16)) ?? [];
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1000);
    expect(sizes.length).toBeLessThan(10);
  });

  it('to HEAD, 204 and 304 have no body, and the connection goes on', async () => {
    const origin = await own(
      startScriptedOrigin((head) => {
        if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
        if (head.includes('/204')) return 'HTTP/1.1 204 No Content\r\n\r\n';
        if (head.includes('/304')) return 'HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 1000\r\n\r\n';
        return 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast';
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    for (const line of ['HEAD /', 'GET /204', 'GET /304']) client.send(`${line} HTTP/1.1\r\nHost: shop\r\n\r\n`);
    client.send(`GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    const received = await client.untilClosed();
    expect(received.match(/HTTP\/1\.1 [0-9]{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304', 'HTTP/1.1 200']);
    expect(received.match(/content-length: \d+/g)).toEqual(['content-length: 1000', 'content-length: 1000', 'content-length: 4']);
    expect(received.endsWith('\r\n\r\nlast')).toBe(true);
    expect(origin.connections()).toBe(1);
  });
});

describe('request bodies', () => {
  async function collectingOrigin(): Promise<{ origin: Origin; bodies: { framing: string; body: string }[] }> {
    const bodies: { framing: string; body: string }[] = [];
    const origin = await own(
      startHttpOrigin((request, response) => {
        let body = '';
        request.setEncoding('latin1');
        request.on('data', (chunk: string) => {
          body += chunk;
        });
        request.on('end', () => {
          bodies.push({ framing: request.headers['transfer-encoding'] ?? request.headers['content-length'] ?? 'none', body });
          response.end('ok');
        });
      }),
    );
    return { origin, bodies };
  }

  it('keep their framing', async () => {
    const { origin, bodies } = await collectingOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    await exchange(ingress, `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 5\r\n\r\nhello`);
    await exchange(
      ingress,
      `POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: z\r\n\r\n`,
    );
    await exchange(ingress, `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 0\r\n\r\n`);
    expect(bodies).toEqual([
      { framing: '5', body: 'hello' },
      { framing: 'chunked', body: 'hello world' },
      { framing: '0', body: '' },
    ]);
    await told(3);
  });
});

describe('connections', () => {
  it('are reused on both sides', async () => {
    const origin = await echoOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    for (let count = 1; count <= 20; count++) {
      client.send(`GET /${count} HTTP/1.1\r\nHost: shop\r\n\r\n`);
      await client.untilText(`GET /${count} HTTP/1.1`);
      await told(count);
    }
    expect(origin.connections()).toBe(1);
    client.destroy();
  });

  it('answer pipelined requests one after the other, in order', async () => {
    let atWork = 0;
    let most = 0;
    const origin = await own(
      startHttpOrigin((request, response) => {
        most = Math.max(most, ++atWork);
        // The earlier the request the slower its answer.
        setTimeout(
          () => {
            atWork--;
            response.end(`<${request.url}>`);
          },
          request.url === '/0' ? 50 : 1,
        );
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const count = 30;
    const requests = Array.from(
      { length: count },
      (_, at) => `GET /${at} HTTP/1.1\r\nHost: shop\r\n${at === count - 1 ? 'Connection: close\r\n' : ''}\r\n`,
    );
    const received = await exchange(ingress, requests.join(''), 5_000);
    expect(received.match(/<\/\d+>/g)).toEqual(Array.from({ length: count }, (_, at) => `</${at}>`));
    expect(most).toBe(1);
  });

  it('answer thousands of pipelined requests', async () => {
    const { ingress } = await start(
      tableOf((_kind, _port, _bind, { path }) => ({ kind: 'direct', rule: undefined, status: 200, body: path, response: [] })),
    );
    const count = 6_000;
    const client = await open(ingress);
    client.send(Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: shop\r\n\r\n`).join(''));
    const received = await client.untilText(`/${count - 1}`, 20_000);
    expect(received.match(/\r\n\r\n\/\d+/g)).toEqual(Array.from({ length: count }, (_, at) => `\r\n\r\n/${at}`));
  });

  it('answer what came before a malformed request, then refuse it', async () => {
    const origin = await echoOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, 'GET /fine HTTP/1.1\r\nHost: shop\r\n\r\nGET /bad HTTP/1.1\r\nHost: shop\r\nX: \0\r\n\r\n');
    expect(received.match(/HTTP\/1\.1 [0-9]{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(received).toContain('GET /fine');
  });

  it('close where the client asks for it', async () => {
    const origin = await echoOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send(`GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(await client.untilClosed()).toContain('\r\nconnection: close\r\n');
  });

  it('survive an answer that comes before the end of the request, for a moment', async () => {
    const { ingress } = await start(tableOf(() => ({ kind: 'none' })));
    const client = await open(ingress);
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhello');
    expect(firstStatus(await client.untilText('\r\n\r\n'))).toBe(404);
    client.send('worldGET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await client.until(({ received }) => received.split('HTTP/1.1 404').length === 3);
    // One that goes on sending is cut.
    client.send('POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\nhello');
    await client.untilClosed();
  });
});

describe('endpoints', () => {
  it('share the requests of a cluster', async () => {
    const origins = await Promise.all([echoOrigin(), echoOrigin(), echoOrigin()]);
    const { ingress, log, told } = await start(everythingTo(clusterAt(...origins.map(({ port }) => port))));
    const client = await open(ingress);
    for (let count = 1; count <= 60; count++) {
      client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
      await told(count);
    }
    client.destroy();
    const shares = origins.map(({ port }) => log.filter(({ upstream_host }) => upstream_host === `127.0.0.1:${port}`).length);
    expect(shares.reduce((sum, share) => sum + share)).toBe(60);
    // Each of three draws 20 of 60; 5 is more than four standard deviations away.
    for (const share of shares) expect(share).toBeGreaterThan(5);
  });

  it('with the fewest requests at work are preferred', async () => {
    const origins = await Promise.all([0, 1].map(async () => own(startHttpOrigin(() => undefined))));
    // Every draw is of the first one: what the second gets, it gets for being less busy.
    const { ingress } = await start(everythingTo(clusterAt(...origins.map(({ port }) => port))), { random: () => 0 });
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(ingress)));
    const asked = (): number => origins.reduce((sum, origin) => sum + origin.connections(), 0);
    for (const [index, client] of clients.entries()) {
      client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
      await expect.poll(asked).toBe(index + 1);
    }
    expect(origins.map((origin) => origin.connections())).toEqual([5, 5]);
    for (const client of clients) client.destroy();
  });
});
