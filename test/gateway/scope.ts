import { afterEach } from 'vitest';
import type { GatewayOptions } from '../../src/gateway/gateway.ts';
import type { Origin } from './origins.ts';
import { RawClient } from './raw-client.ts';
import { startTestGateway, type TestGateway } from './running-gateway.ts';

/** What a test opens is closed at its end, last in first out. */
export interface TestScope {
  start(table: Parameters<typeof startTestGateway>[0], options?: GatewayOptions): Promise<TestGateway>;
  own(origin: Promise<Origin>): Promise<Origin>;
  client(port: number, options?: { allowHalfOpen?: boolean }): Promise<RawClient>;
}

/** Call once at the top of a test file. */
export function testScope(): TestScope {
  const cleanups: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return {
    async start(table, options) {
      const test = await startTestGateway(table, options);
      cleanups.push(() => test.gateway.close(0));
      return test;
    },
    async own(starting) {
      const origin = await starting;
      cleanups.push(() => origin.close());
      return origin;
    },
    async client(port, { allowHalfOpen = false } = {}) {
      const client = await RawClient.open(port, '127.0.0.1', allowHalfOpen);
      cleanups.push(() => client.destroy());
      return client;
    },
  };
}
