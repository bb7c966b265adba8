// Reports the gateway bench's requests to what is to be told of them, in a process of its own, started by run.ts; prints what a report took as JSON.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestEvent, RequestObserver } from '../../src/core/evidence/request-event.ts';
import { RequestCounter } from '../../src/core/evidence/request-totals.ts';
import { compileRouting } from '../../src/core/routing/compile.ts';
import type { ClientExchange } from '../../src/gateway/client-exchange.ts';
import { type Listener, type RequestOnWire, readRequest } from '../../src/gateway/incoming-request.ts';
import { DEFAULT_LIMITS } from '../../src/gateway/limits.ts';
import type { Outcome } from '../../src/gateway/outcome.ts';
import { RequestReporter } from '../../src/gateway/request-report.ts';
import { startRequestRateObserver } from '../../src/observers/request-rate-observer.ts';
import { loadRequests } from '../gateway/load.ts';
import { observeShop } from '../gateway/observe-shop.ts';
import { EDGE_PORT, shopObjects, wovenShopRoutes } from '../gateway/shop.ts';
import type { Layer, LayerFigures, LayerOptions } from './layers.ts';

const LISTENER: Listener = { kind: 'ingress', port: EDGE_PORT, bind: '127.0.0.1' };
/** Requests that are prepared, and then reported, at a time: as many as the connections of the gateway bench. */
const PIECE = 64;
const nowhere = '/nowhere';
const { table } = compileRouting(
  shopObjects({ stable: 1, canary: 2 }, wovenShopRoutes(), { certificate: nowhere, key: nowhere, both: nowhere }),
);

/** A request as a parser gives it: each value a text of its own. */
function onWire(text: string): RequestOnWire {
  const own = (part: string): string => Buffer.from(part).toString('latin1');
  const [first = '', ...lines] = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const [method = '', target = ''] = first.split(' ').map(own);
  const rawHeaders = lines.flatMap((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)].map(own));
  return {
    ...{ method, target, version: '1.1', rawHeaders, upgradable: false },
    downstream: { scheme: 'http', tlsServer: undefined, remoteAddress: '127.0.0.1' },
  };
}

/** A request at its end, answered with 1 KB; as each of its kind, by a visitor of its own where it brings no id. */
function outcomeOf(exchange: RequestOnWire): Outcome {
  const request = readRequest(exchange, LISTENER.kind, DEFAULT_LIMITS, randomUUID);
  if ('detail' in request) throw new Error(request.detail);
  const selection = table.select('ingress', LISTENER.port, LISTENER.bind, request, 0);
  if (selection.kind !== 'forward') throw new Error(`not sent on: ${selection.kind}`);
  const { rule, destination, cluster } = selection;
  const endpoint = cluster?.endpoints[0];
  if (endpoint === undefined) throw new Error('no endpoint');
  return {
    ...{ listener: LISTENER, exchange: exchange as ClientExchange, request, requestId: request.requestId },
    ...{ startedAt: performance.now() - Math.random(), status: 200, flag: '-', details: 'via_upstream', failureReason: undefined },
    ...{ bytesReceived: 0, bytesSent: 1024, upstreamMs: 0.4, upstreamHost: '127.0.0.1:1', upstreamLocalAddress: '127.0.0.1:3' },
    ...{ rule, destination, cluster, endpoint, trace: undefined },
  };
}

async function observersOf(layer: Layer, dataDir: string): Promise<readonly RequestObserver[]> {
  if (layer === 'nothing') return [];
  if (layer === 'an event') return [() => undefined];
  const wants = (part: Layer): boolean => layer === part || layer === 'all';
  const counter = new RequestCounter();
  return [
    ...(wants('visitors') ? [(await observeShop(dataDir)).observe] : []),
    ...(wants('rates') ? [startRequestRateObserver().observe] : []),
    ...(wants('metrics') ? [(event: RequestEvent) => counter.count(event)] : []),
  ];
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const { layer, reports } = JSON.parse(process.argv[2] ?? '') as LayerOptions;
const dataDir = mkdtempSync(join(tmpdir(), 'perch-bench-'));
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
const observers = await observersOf(layer, dataDir);
const [first, ...others] = observers;
const reporter = new RequestReporter(
  others.length === 0
    ? first
    : (event) => {
        for (const each of observers) each(event);
      },
  undefined,
);
const exchanges = loadRequests('1k').map(onWire);
const times: number[] = [];
const sizes: number[] = [];
for (let done = 0; done < 2 * reports; done += PIECE) {
  const outcomes = Array.from({ length: PIECE }, (_, at) => outcomeOf(exchanges[(done + at) % exchanges.length] as RequestOnWire));
  const { heapUsed } = process.memoryUsage();
  const start = performance.now();
  for (const outcome of outcomes) reporter.report(outcome);
  const ns = ((performance.now() - start) * 1e6) / PIECE;
  const bytes = (process.memoryUsage().heapUsed - heapUsed) / PIECE;
  if (done < reports) continue;
  times.push(ns);
  sizes.push(bytes);
}
console.log(JSON.stringify({ ns: middle(times), bytes: middle(sizes) } satisfies LayerFigures));
process.exit(0);
