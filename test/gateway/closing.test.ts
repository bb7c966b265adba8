import { expect, it } from 'vitest';
import { startScriptedOrigin } from './origins.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
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
  client.send(`${REQUEST}Expect: 100-continue\r\n\r\n`);
  const received = await client.untilClosed();
  expect(received).toContain('connection: close\r\n');
});
