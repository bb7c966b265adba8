import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Origin, startScriptedOrigin, startTcpOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();

const CLOSE = 'Host: shop\r\nConnection: close\r\n';

/** An origin that takes one request per connection, whole, and answers it. */
async function takingOrigin(): Promise<{ origin: Origin; requests: string[] }> {
  const requests: string[] = [];
  const origin = await own(
    startTcpOrigin((socket) => {
      let text = '';
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (!/\r\n0\r\n(?:[^\r]+\r\n)*\r\n$/.test(text)) return;
        requests.push(text);
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    }),
  );
  return { origin, requests };
}

function afterLastChunk(message: string): string {
  return message.slice(message.indexOf('\r\n0\r\n') + 5);
}

function chunkedPost(headers: string, trailers: string): string {
  return `POST / HTTP/1.1\r\n${CLOSE}${headers}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n${trailers}\r\n`;
}

/** Fields that RFC 9110 section 6.5.1 keeps out of trailers, and Perch's own and its neighbours' routing fields. */
const FORBIDDEN = [
  ...['Content-Length: 5', 'Transfer-Encoding: chunked', 'Trailer: x', 'Connection: close', 'Keep-Alive: timeout=1', 'TE: trailers'],
  ...['Upgrade: x', 'Host: other', 'Expect: 100-continue', 'Cookie: perch=forged', 'Set-Cookie: a=b', 'Authorization: x'],
  ...['Proxy-Authorization: x', 'WWW-Authenticate: x', 'Content-Type: text/html', 'Content-Encoding: gzip', 'Content-Range: x'],
  ...['Cache-Control: no-store', 'If-None-Match: "x"', 'Range: bytes=0-1', 'Location: /x', 'Vary: *', 'Max-Forwards: 1'],
  ...['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: https', 'X-Request-Id: forged', 'X-Envoy-Retry-On: 5xx', 'Forwarded: for=x'],
  ...['Baggage: perch.reviews=canary', 'Accept: text/html', 'Sec-Fetch-Mode: navigate', 'X-Real-Ip: 1.2.3.4', 'User-Agent: x'],
];

describe('trailers of a request', () => {
  it('reach the upstream behind the body, announced, in order, and not among the headers', async () => {
    const { origin, requests } = await takingOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)));
    const trailers = 'Digest: sha-256=abc\r\nX-Sum: 1\r\nX-Sum: 2\r\nX-Text: caf\xe9\r\n';
    const received = await exchange(ingress, chunkedPost('Trailer: Digest, X-Sum\r\nTrailer: X-Text\r\n', trailers));
    expect(firstStatus(received)).toBe(200);
    const [request = ''] = requests;
    expect(afterLastChunk(request)).toBe('digest: sha-256=abc\r\nx-sum: 1\r\nx-sum: 2\r\nx-text: caf\xe9\r\n\r\n');
    const head = request.slice(0, request.indexOf('\r\n\r\n'));
    expect(head).toContain('\r\ntrailer: Digest, X-Sum,X-Text');
    expect(head).not.toMatch(/\r\n(digest|x-sum|x-text):/);
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: '-' });
  });

  it('lose what must not be there', async () => {
    const { origin, requests } = await takingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    for (const line of FORBIDDEN) {
      const received = await exchange(ingress, chunkedPost('', `Digest: kept\r\n${line}\r\n`));
      // Framing fields may also be refused.
      if (firstStatus(received) === 400) expect(line).toMatch(/^(Content-Length|Transfer-Encoding)/);
      else expect(`${line}: ${afterLastChunk(requests.at(-1) ?? '')}`).toBe(`${line}: digest: kept\r\n\r\n`);
    }
    expect(requests.length).toBeGreaterThanOrEqual(FORBIDDEN.length - 2);
  });

  it('lose what Connection names (RFC 9110 section 7.6.1)', async () => {
    const { origin, requests } = await takingOrigin();
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    await exchange(
      ingress,
      'POST / HTTP/1.1\r\nHost: shop\r\nConnection: close, X-Hop, Trailer\r\nTrailer: X-Hop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n',
    );
    expect(afterLastChunk(requests[0] ?? '')).toBe('x-end: 2\r\n\r\n');
    expect(requests[0]).not.toContain('\r\ntrailer:');
  });

  it('cannot be more than the limits say: 431, and the upstream gets no whole request', async () => {
    const { origin, requests } = await takingOrigin();
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits: { trailerBytes: 1024, requestHeaderCount: 10 } });
    // A line counts with its colon, space and CRLF.
    const sized = (bytes: number): string => `X: ${'a'.repeat(bytes - 5)}\r\n`;
    const lines = (count: number): string => Array.from({ length: count }, (_, at) => `X${at}: a\r\n`).join('');
    expect(firstStatus(await exchange(ingress, chunkedPost('', sized(1024))))).toBe(200);
    expect(firstStatus(await exchange(ingress, chunkedPost('', lines(10))))).toBe(200);
    expect(requests.length).toBe(2);
    expect(firstStatus(await exchange(ingress, chunkedPost('', sized(1025))))).toBe(431);
    expect(firstStatus(await exchange(ingress, chunkedPost('', lines(11))))).toBe(431);
    expect(requests.length).toBe(2);
    expect((await told(4)).map(({ flag }) => flag)).toEqual(['-', '-', 'DPE', 'DPE']);
  });

  it('are asked for where the client takes them, and only then (RFC 9110 section 10.1.4)', async () => {
    const heads: string[] = [];
    const origin = await own(
      startScriptedOrigin((head) => {
        heads.push(head);
        return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
      }),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    for (const te of ['TE: gzip;q=0.5, Trailers\r\n', 'TE: gzip\r\nTE: trailers\r\n', 'TE: gzip\r\n', '']) {
      await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}${te}\r\n`);
    }
    expect(heads.map((head) => /\r\nte: trailers\r\n/.test(head))).toEqual([true, true, false, false]);
    expect(heads.map((head) => /\r\nconnection: te\r\n/.test(head))).toEqual([true, true, false, false]);
    expect(heads.join('')).not.toContain('gzip');
  });
});

describe('trailers of a response', () => {
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
  const answering = (response: string): Promise<Origin> => own(startScriptedOrigin(() => response));

  it('reach the client behind the body, announced, and not among the headers', async () => {
    const origin = await answering(
      `${CHUNKED}Trailer: Server-Timing\r\n\r\n5\r\nhello\r\n0\r\nServer-Timing: db;dur=53\r\nX-A: 1\r\nX-A: 2\r\n\r\n`,
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}TE: trailers\r\n\r\n`);
    expect(received).toContain('\r\ntrailer: Server-Timing\r\n');
    expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(
      '5\r\nhello\r\n0\r\nserver-timing: db;dur=53\r\nx-a: 1\r\nx-a: 2\r\n\r\n',
    );
  });

  it('keep the route’s edits apart', async () => {
    const origin = await answering(`${CHUNKED}Trailer: X-A\r\n\r\n5\r\nhello\r\n0\r\nX-A: 1\r\n\r\n`);
    const edits = [{ remove: ['x-a'], set: [{ name: 'trailer', value: ['forged'] }], add: [{ name: 'x-b', value: ['2'] }] }];
    const { ingress } = await start(everythingTo(clusterAt(origin.port), { response: edits }));
    const received = await exchange(ingress, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(received).toContain('\r\ntrailer: X-A\r\n');
    expect(received).toContain('\r\nx-b: 2\r\n');
    expect(received.endsWith('\r\n\r\n5\r\nhello\r\n0\r\nx-a: 1\r\n\r\n')).toBe(true);
  });

  it('lose what must not be there, and the connection goes on', async () => {
    const origin = await answering(`${CHUNKED}Connection: X-Hop\r\n\r\n0\r\nX-Hop: 1\r\n${FORBIDDEN.join('\r\n')}\r\nDigest: kept\r\n\r\n`);
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    for (let count = 1; count <= 2; count++) {
      client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
      await client.until(({ received }) => received.split('\r\n0\r\ndigest: kept\r\n\r\n').length === count + 1);
    }
    expect(origin.connections()).toBe(1);
  });

  it('without a chunked body are only an announcement, which stays behind', async () => {
    const origin = await own(
      startScriptedOrigin((head) =>
        head.startsWith('HEAD') ? `${CHUNKED}Trailer: X\r\n\r\n` : 'HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 2\r\n\r\nok',
      ),
    );
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    for (const method of ['HEAD', 'GET']) {
      const received = await exchange(ingress, `${method} / HTTP/1.1\r\n${CLOSE}\r\n`);
      expect(firstStatus(received)).toBe(200);
      expect(received.toLowerCase()).not.toContain('\r\ntrailer');
    }
  });

  it.each([
    ['bytes', { trailerBytes: 1024 }, `X: ${'a'.repeat(1100)}\r\n`],
    ['lines', { responseHeaderCount: 10 }, 'X: a\r\n'.repeat(11)],
  ])('with too many %s cut the response off', async (_name, limits, trailers) => {
    const asked = Promise.withResolvers<Socket>();
    const origin = await own(
      startTcpOrigin((socket) =>
        socket.once('data', () => {
          socket.write(`${CHUNKED}\r\n5\r\nhello\r\n`);
          asked.resolve(socket);
        }),
      ),
    );
    const { ingress, told } = await start(everythingTo(clusterAt(origin.port)), { limits });
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
    await client.untilText('hello');
    (await asked.promise).write(`0\r\n${trailers}\r\n`);
    const received = await client.untilClosed();
    expect(received).not.toContain('\r\n0\r\n');
    expect((await told(1))[0]).toMatchObject({ status: 200, flag: 'UPE' });
  });

  it('to a client that asked to switch protocols arrive too', async () => {
    const origin = await answering(`${CHUNKED.replace('200 OK', '403 Forbidden')}\r\n2\r\nno\r\n0\r\nX-A: 1\r\n\r\n`);
    const { ingress } = await start(everythingTo(clusterAt(origin.port)));
    const client = await open(ingress);
    client.send('GET / HTTP/1.1\r\nHost: shop\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    expect((await client.untilClosed()).endsWith('2\r\nno\r\n0\r\nx-a: 1\r\n\r\n')).toBe(true);
  });
});
