import { expect, it } from 'vitest';
import { startScriptedOrigin } from './origins.ts';
import { exchange, firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own } = testScope();

const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';

it.each([
  ['closed', LENGTH],
  ['closed', CHUNKED],
  ['reset', LENGTH],
  ['reset', CHUNKED],
])('an answer that is %s at any place is 502 or 503 within its head, cut within its body, and never whole: %j', async (how, answer) => {
  const headEnd = answer.indexOf('\r\n\r\n') + 4;
  const origin = await own(
    startScriptedOrigin((head, socket) => {
      const cut = Number(/^GET \/(\d+) /.exec(head)?.[1]);
      socket.write(answer.slice(0, cut), 'latin1', () => (how === 'reset' ? socket.resetAndDestroy() : socket.end()));
      return undefined;
    }),
  );
  const { ingress } = await start(everythingTo(clusterAt(origin.port)));
  for (let cut = 0; cut < answer.length; cut++) {
    const received = await exchange(ingress, `GET /${cut} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
    const name = `${cut}: ${JSON.stringify(received)}`;
    const status = firstStatus(received);
    // Nothing at all is 503, the beginning of an answer 502 (a reset may overtake it), both as at Envoy.
    if (cut === 0) expect(status, name).toBe(503);
    else if (cut < headEnd) expect(how === 'reset' ? [502, 503] : [502], name).toContain(status);
    else expect(how === 'reset' ? [200, 502, 503] : [200], name).toContain(status);
    if (status === 200) expect(received.includes('hello') && (received.includes('0\r\n\r\n') || answer === LENGTH), name).toBe(false);
  }
});
