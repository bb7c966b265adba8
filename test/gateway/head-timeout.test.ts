import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startHttpOrigin } from './origins.ts';
import { firstStatus } from './raw-client.ts';
import { clusterAt, everythingTo, tableOf } from './running-gateway.ts';
import { testScope } from './scope.ts';

const { start, own, client: open } = testScope();
const LIMITS = { limits: { requestHeadMs: 500 } };

it('a head that does not end gets 408, however it drips', async () => {
  const { ingress, log } = await start(
    tableOf(() => ({ kind: 'none' })),
    LIMITS,
  );
  const client = await open(ingress);
  client.send('GET / HTTP/1.1\r\nHost: shop\r\n');
  const drip = setInterval(() => client.send('X: y\r\n'), 50);
  const received = await client.untilClosed();
  clearInterval(drip);
  expect(firstStatus(received)).toBe(408);
  expect(log).toMatchObject([{ response_code: 408, response_flags: '-' }]);
});

it('a connection that was never used is closed without a word', async () => {
  const { ingress, log } = await start(
    tableOf(() => ({ kind: 'none' })),
    LIMITS,
  );
  const client = await open(ingress);
  expect(await client.untilClosed()).toBe('');
  expect(log).toEqual([]);
});

it('the time does not run between the requests of a connection', async () => {
  const { ingress } = await start(
    tableOf(() => ({ kind: 'none' })),
    LIMITS,
  );
  const client = await open(ingress);
  await client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n').untilText('404');
  await sleep(1_200);
  client.send('GET / HTTP/1.1\r\nHost: shop\r\n\r\n');
  await client.until(({ received }) => received.split('HTTP/1.1 404').length === 3);
});

it('the time does not run while the gateway reads nothing, because requests wait', async () => {
  const origin = await own(startHttpOrigin((_request, response) => void sleep(700).then(() => response.end('ok'))));
  const { ingress } = await start(everythingTo(clusterAt(origin.port)), LIMITS);
  const client = await open(ingress);
  const get = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
  client.send(get + get + get + get.slice(0, 20));
  await sleep(50);
  client.send(get.slice(20));
  await client.until(({ received }) => received.split('HTTP/1.1 200').length === 5, 8_000);
});

it('a head that does not end although it is waited for is given up behind others, too', async () => {
  const origin = await own(startHttpOrigin((_request, response) => void sleep(700).then(() => response.end('ok'))));
  const { ingress } = await start(everythingTo(clusterAt(origin.port)), { limits: { ...LIMITS.limits, clientIdleMs: 500 } });
  const client = await open(ingress);
  const get = 'GET / HTTP/1.1\r\nHost: shop\r\n\r\n';
  client.send(get + get + get.slice(0, 20));
  expect((await client.untilClosed(8_000)).split('HTTP/1.1 200').length).toBe(3);
});
