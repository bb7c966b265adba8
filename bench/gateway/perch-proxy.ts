// One Perch gateway in a process of its own, started by perch.ts with its options as one argument of JSON; prints its port as JSON.
import { flushCompileCache } from 'node:module';
import type { RequestEvent, RequestObserver } from '../../src/core/evidence/request-event.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import { type ListeningAddress, startGateway } from '../../src/gateway/gateway.ts';
import { startRequestRateObserver } from '../../src/observers/request-rate-observer.ts';
import { openAccessLog } from '../../src/server/access-log/access-log-writer.ts';
import { startTelemetry } from '../../src/server/telemetry.ts';
import { startWorkerPool } from '../../src/server/workers/worker-pool.ts';
import { observeShop } from './observe-shop.ts';
import type { PerchProxyOptions } from './perch.ts';
import { EDGE_PORT, SERVICE_PORT, shopObjects, shopRoutes, TLS_PORT, wovenShopRoutes } from './shop.ts';

/** What `perch serve` makes of every request: exposure and rates, following a release that stands at its first step. */
async function observeExposure(): Promise<RequestObserver> {
  const observer = await observeShop(':memory:');
  const rates = startRequestRateObserver();
  return (event) => {
    observer.observe(event);
    rates.observe(event);
  };
}

const options = JSON.parse(process.argv[2] ?? '') as PerchProxyOptions;
const objects = shopObjects(options.origins, options.scheme ? wovenShopRoutes() : shopRoutes, options.certificate);
const map = new Map([EDGE_PORT, TLS_PORT, SERVICE_PORT].map((declared) => [declared, 0]));
const { evidence, telemetry: asked } = options;
const log = asked?.accessLog === undefined ? undefined : await openAccessLog(asked.accessLog, console.error);
const collector = asked?.collector;
const telemetry =
  asked &&
  (await startTelemetry(
    {
      ...(log !== undefined && { accessLog: log }),
      ...(collector !== undefined && { tracing: { ...collector, headers: {}, serviceName: 'bench', version: '0' } }),
    },
    console.error,
  ));
const observers = [...(evidence ? [await observeExposure()] : []), ...(telemetry === undefined ? [] : [telemetry.observe])];
const observe =
  observers.length < 2
    ? observers[0]
    : (event: RequestEvent): void => {
        for (const each of observers) each(event);
      };

async function startOwn(): Promise<readonly ListeningAddress[]> {
  const { table, diagnostics } = compileRouting(objects);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const gateway = await startGateway({ map, ...(observe === undefined ? {} : { observe }), ...telemetry?.gateway });
  await gateway.update(table);
  return gateway.addresses();
}

async function startWorkers(count: number): Promise<readonly ListeningAddress[]> {
  const silent = { info: () => undefined, warn: console.error, error: console.error, audit: () => undefined };
  const none = { proxyPort: undefined, limits: {}, credentials: undefined, accessLog: undefined, traceShare: undefined };
  const pool = await startWorkerPool({ count, map, observe: observe ?? (() => undefined), log: silent, ...none });
  await pool.publish({ objects, delegates: new Set(), idNames: { cookies: ['perch'], headers: [] } });
  return pool.addresses();
}

const addresses = options.workers === undefined ? await startOwn() : await startWorkers(options.workers);
// What is alive, in MiB, for who wants to know whether it grows.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  console.log(JSON.stringify((heapUsed + external) / 2 ** 20));
});
// For the next process: see perch.ts.
flushCompileCache();
const portOf = (declared: number): number | undefined => addresses.find(({ port }) => port === declared)?.actualPort;
console.log(JSON.stringify({ port: portOf(EDGE_PORT), tlsPort: portOf(TLS_PORT) }));
