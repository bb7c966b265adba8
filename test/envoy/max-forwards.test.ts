import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchange, firstStatus } from '../gateway/raw-client.ts';
import { clusterAt, everythingTo } from '../gateway/running-gateway.ts';
import { testScope } from '../gateway/scope.ts';
import { type RecordingUpstream, startRecordingUpstream } from '../gateway/smuggling/recording-upstream.ts';
import { describeWithEnvoy } from '../requirements.ts';
import { startEnvoy } from './envoy-process.ts';
import { httpListener, staticCluster } from './static-config.ts';

const { start } = testScope();

describeWithEnvoy('Max-Forwards', (executable) => {
  let upstream: RecordingUpstream;
  let envoy: Awaited<ReturnType<typeof startEnvoy>>;

  beforeAll(async () => {
    upstream = await startRecordingUpstream();
    envoy = await startEnvoy(executable, {
      listeners: [httpListener('ingress', [{ match: { prefix: '/' }, route: { cluster: 'shop' } }])],
      clusters: [staticCluster('shop', upstream.origin.port)],
    });
  });
  afterAll(async () => {
    await envoy?.stop();
    await upstream?.origin.close();
  });

  test.each(['OPTIONS', 'TRACE'])('of %s is neither looked at nor counted down by Envoy, nor here (RFC 9110, 7.6.2)', async (method) => {
    const gateway = await start(everythingTo(clusterAt(upstream.origin.port)));
    for (const port of [envoy.port('ingress'), gateway.ingress]) {
      for (const value of ['0', '5', 'x']) {
        upstream.forget();
        const answer = await exchange(port, `${method} / HTTP/1.1\r\nHost: shop\r\nMax-Forwards: ${value}\r\nConnection: close\r\n\r\n`);
        expect(firstStatus(answer)).toBe(200);
        expect(upstream.requests).toMatchObject([{ method, target: '/' }]);
        expect(upstream.received().join('').toLowerCase()).toContain(`\r\nmax-forwards: ${value}\r\n`);
      }
    }
  });
});
