import { afterEach, expect, test } from 'vitest';
import type { ApiListener } from './api-listener.ts';
import { ListenError } from './listen-error.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import { addProcessMetrics } from './metrics/process-metrics.ts';
import { listenForProbes } from './probe-listener.ts';

let listener: Pick<ApiListener, 'port' | 'close'> | undefined;
let missing: string | undefined;
const errors: unknown[] = [];
afterEach(async () => {
  await listener?.close();
  errors.length = 0;
});

async function open(metrics = new MetricsPage()): Promise<(path: string, method?: string) => Promise<Response>> {
  const opened = await listenForProbes({ notReady: () => missing, metrics }, 0, (error) => errors.push(error));
  listener = opened;
  // The name that a kubelet or Prometheus uses is the pod's address: any Host will do.
  return (path, method = 'GET') => fetch(`http://127.0.0.1:${opened.port}${path}`, { method, headers: { host: 'perch.example' } });
}

test('a kubelet learns that it lives, and whether it is ready', async () => {
  const ask = await open();
  missing = 'does not know yet what the cluster holds';
  expect((await ask('/healthz')).status).toBe(200);
  const notYet = await ask('/readyz');
  expect([notYet.status, await notYet.text()]).toEqual([503, missing]);
  missing = undefined;
  expect((await ask('/readyz')).status).toBe(200);
});

test('Prometheus gets its text format', async () => {
  const page = new MetricsPage();
  addProcessMetrics(page);
  const answer = await (await open(page))('/metrics');
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toMatch(
    /^# HELP process_cpu_seconds_total .+\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total [\d.]+\n/,
  );
});

test('nothing can be changed, and nothing else is there', async () => {
  const ask = await open();
  for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask('/metrics', method)).status).toBe(405);
  expect((await ask('/api/v1/releases')).status).toBe(404);
  expect((await ask('/')).status).toBe(404);
});

test('a page that cannot be made is logged, and its reason is not shown', async () => {
  const page = new MetricsPage();
  page.read(() => {
    throw new Error('secret detail');
  });
  const answer = await (await open(page))('/metrics');
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('secret');
  expect(errors).toHaveLength(1);
});

test('a port that is taken is refused', async () => {
  await open();
  await expect(
    listenForProbes({ notReady: () => undefined, metrics: new MetricsPage() }, listener?.port ?? 0, () => {}),
  ).rejects.toBeInstanceOf(ListenError);
});
