import { expect, it } from 'vitest';
import { startHttpOrigin, startScriptedOrigin } from './origins.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const scope = testScope();
const REQUEST = 'GET / HTTP/1.1\r\nHost: shop\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

// A reset, which bytes that nobody reads bring about, takes with it what the client has not read yet (RFC 9112 section 9.6).
it('the last answer of a connection arrives although the client goes on sending', async () => {
  const origin = await scope.own(startScriptedOrigin(() => CHUNKED));
  const test = await scope.start(everythingTo(clusterAt(origin.port)));
  for (let round = 0; round < 20; round++) {
    const client = await scope.client(test.ingress, { allowHalfOpen: true });
    // Nothing is read meanwhile.
    client.socket.pause();
    client.send(`${REQUEST}Connection: close\r\n\r\n`);
    for (const character of `${REQUEST}X: more than one request\r\n\r\n`) {
      client.send(character);
      await new Promise(setImmediate);
    }
    client.socket.resume();
    const received = await client.untilClosed();
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*5\r\nhello\r\n0\r\n\r\n$/s);
  }
});

it('a connection that is closed since the client was not told to go on says so', async () => {
  const origin = await scope.own(startScriptedOrigin(() => CHUNKED));
  const test = await scope.start(everythingTo(clusterAt(origin.port)));
  const client = await scope.client(test.ingress);
  client.send(`${REQUEST.replace('GET', 'POST')}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`);
  const received = await client.untilClosed();
  expect(received).toContain('connection: close\r\n');
});

it('an answer that had begun when the gateway ends, and did not say that it is the last, may be followed by one more', async () => {
  let finish = (): void => undefined;
  const origin = await scope.own(
    startHttpOrigin((request, response) => {
      if (request.url === '/next') response.end('next');
      else response.write('begun', () => (finish = () => void response.end()));
    }),
  );
  const { gateway, ingress } = await scope.start(everythingTo(clusterAt(origin.port)));
  const client = await scope.client(ingress);
  await client.send(`${REQUEST}\r\n`).untilText('begun');
  const closed = gateway.close(10_000);
  await new Promise(setImmediate);
  finish();
  await client.untilText('\r\n0\r\n\r\n');
  client.send(`${REQUEST.replace('/', '/next')}\r\n`);
  expect(await client.untilClosed()).toMatch(/\r\n0\r\n\r\nHTTP\/1\.1 200 OK\r\n.*connection: close\r\n.*next$/s);
  await closed;
});

it('a body that nobody wants, and that ends while the gateway does, keeps its connection no longer', async () => {
  const direct = tableOf(() => ({ kind: 'direct', rule: undefined, status: 201, body: '', response: [] }));
  const { gateway, ingress } = await scope.start(direct, { limits: { unreadBodyMs: 60_000 } });
  const client = await scope.client(ingress);
  await client.send(`${REQUEST.replace('GET', 'POST')}Content-Length: 5\r\n\r\n`).untilText('\r\n\r\n');
  const closed = gateway.close(60_000);
  await new Promise(setImmediate);
  client.send('hello');
  expect(await client.untilClosed(10_000)).toMatch(/^HTTP\/1\.1 201 /);
  await closed;
});
