// `node tools/record-envoy-verdicts.ts` sends the corpus of malformed requests (test/gateway/smuggling) to a real Envoy and writes down what it does with each.
import { writeFileSync } from 'node:fs';
import { startEnvoy } from '../test/envoy/envoy-process.ts';
import { httpListener, staticCluster } from '../test/envoy/static-config.ts';
import { exchange, firstStatus } from '../test/gateway/raw-client.ts';
import { MALFORMED } from '../test/gateway/smuggling/corpus.ts';
import type { EnvoyVerdict, EnvoyVerdicts } from '../test/gateway/smuggling/envoy-verdicts.ts';
import { startRecordingUpstream } from '../test/gateway/smuggling/recording-upstream.ts';
import { HOST } from '../test/gateway/smuggling/request-text.ts';
import { ENVOY_VERSION, provideEnvoy } from './provide-envoy.ts';
import { ROOT } from './repository.ts';

/** What of the repository keeps them. */
const FILE = 'test/gateway/smuggling/envoy-verdicts.json';
/** Behind each case: ends the connection where Envoy goes on with it. */
const LAST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
const WAIT_MS = 1500;

async function record(): Promise<EnvoyVerdicts> {
  const upstream = await startRecordingUpstream();
  const route = { match: { prefix: '/' }, route: { cluster: 'shop' } };
  const envoy = await startEnvoy(await provideEnvoy(), {
    listeners: [httpListener('ingress', [route]), httpListener('mesh', [route], { sidecar: true })],
    clusters: [staticCluster('shop', upstream.origin.port)],
  });
  const verdicts: Record<string, EnvoyVerdict> = {};
  for (const { bytes, name, listener = 'ingress' } of MALFORMED.flatMap(({ cases }) => cases)) {
    // Envoys of Istio have no proxy listener unless asked for.
    if (listener === 'proxy') continue;
    upstream.forget();
    const answers = await exchange(envoy.port(listener), bytes + LAST, WAIT_MS);
    const isForwarded = upstream.requests.some(({ target }) => target !== '/last');
    verdicts[name] = isForwarded ? 'forwarded' : (firstStatus(answers) ?? (answers === '' ? 'no answer' : 'HTTP/2'));
  }
  await envoy.stop();
  await upstream.origin.close();
  return { envoy: ENVOY_VERSION, verdicts };
}

const recorded = await record();
writeFileSync(`${ROOT}/${FILE}`, `${JSON.stringify(recorded, undefined, 2)}\n`);
console.log(`wrote ${FILE}`);
