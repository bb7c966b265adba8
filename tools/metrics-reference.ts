import { addAccessLogMetrics } from '../src/server/metrics/access-log-metrics.ts';
import { addClusterMetrics } from '../src/server/metrics/cluster-metrics.ts';
import { addControllerMetrics } from '../src/server/metrics/controller-metrics.ts';
import { addEjectionMetrics, addWorkerMetrics } from '../src/server/metrics/data-plane-metrics.ts';
import { addExposureMetrics } from '../src/server/metrics/exposure-metrics.ts';
import { MetricsPage } from '../src/server/metrics/metrics-page.ts';
import { addProcessMetrics } from '../src/server/metrics/process-metrics.ts';
import { addReleaseMetrics } from '../src/server/metrics/release-metrics.ts';
import { addRequestMetrics } from '../src/server/metrics/request-metrics.ts';
import { addSpanMetrics } from '../src/server/metrics/span-metrics.ts';
import { addWebhookMetrics } from '../src/server/metrics/webhook-metrics.ts';

const INTRO = `\`perch controller --metrics-port 8080\` serves \`/metrics\` in Prometheus’ text format, and beside it \`/healthz\` (the process answers) and \`/readyz\` (it knows what the cluster
holds; until then 503 with the reason). [Installed](../guides/install.md), it has that port. \`perch serve\` has the same three on its API, on loopback.

Nothing on them is secret but names of namespaces and releases; nothing can be changed. A release’s series end with it. Of several controllers only the one that leads tells of releases and passes, so sums
count each release once; \`perch_leader\` says which one that is. States are read when Prometheus asks: at rest they cost nothing. A page
about 500 releases has 0.4 MB and takes some 30 ms to make, one about 5,000 ten times that.

How many visitors have seen the canary is measured where Perch’s own gateway serves (\`perch serve\`). In a cluster nobody counts visitors yet, so the series of the section Exposure are not there: weight and
\`perch_release_exposure_percent\` are what the routes say, not what was measured.`;

const ALERTS = `## What to be told of

\`\`\`yaml
groups:
- name: perch
  rules:
  - alert: PerchNobodyLeads
    expr: sum(perch_leader) < 1 or absent(perch_leader)
    for: 2m
    annotations: {summary: No controller moves releases on. Traffic stays as it is routed.}
  - alert: PerchReleaseWaits
    expr: perch_release_phase{phase="Pending"} == 1
    for: 15m
    annotations: {summary: "{{ $labels.namespace }}/{{ $labels.name }} cannot start. Its status says what is missing."}
  - alert: PerchReleaseRefused
    expr: perch_release_refused == 1
    for: 5m
    annotations: {summary: "The spec of {{ $labels.namespace }}/{{ $labels.name }} is refused. Its status or its last Event says why."}
  - alert: PerchRolledBack
    expr: perch_release_phase{phase="RolledBack"} == 1 unless perch_release_phase{phase="RolledBack"} offset 1h == 1
    annotations: {summary: "{{ $labels.namespace }}/{{ $labels.name }} was rolled back."}
  - alert: PerchPassesFail
    expr: rate(perch_reconcile_total{result="failed"}[10m]) > 0
    for: 15m
    annotations: {summary: Passes over releases fail. The controller’s log says why.}
  - alert: PerchApiserverAway
    expr: rate(perch_watch_failures_total[10m]) > 0
    for: 15m
    annotations: {summary: "Watches of {{ $labels.kind }} fail again and again."}
\`\`\``;

interface Described {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly labelNames?: readonly string[];
}

/** docs/reference/metrics.md: every metric, as it registers itself. */
export function metricsReference(): string {
  const none = async () => [];
  const tables: readonly (readonly [title: string, add: (page: MetricsPage) => void])[] = [
    ['Releases', (page) => addReleaseMetrics(page, none)],
    ['Exposure (`perch serve` only)', (page) => addExposureMetrics(page, none, () => undefined)],
    ['The controller', (page) => addControllerMetrics(page, () => ({ waiting: 0, running: 0 }))],
    [
      'The cluster (`perch controller` only)',
      (page) =>
        addClusterMetrics(
          page,
          () => false,
          () => [],
        ),
    ],
    ['The webhook (`perch controller --webhook-port` only)', addWebhookMetrics],
    [
      'Requests, as Istio’s proxies tell of them (`perch serve` only)',
      (page) => addRequestMetrics(page, () => ({ series: [], uncounted: 0 })),
    ],
    ['Outlier detection (`perch serve` only)', (page) => addEjectionMetrics(page, { ejections: () => [] })],
    ['Worker processes (`perch serve --workers` only)', (page) => addWorkerMetrics(page, () => ({ wanted: 0, serving: 0, restarts: 0 }))],
    ['Spans (`perch serve --otlp-endpoint` only)', (page) => addSpanMetrics(page, () => ({ exported: 0, dropped: 0 }))],
    ['The access log (`perch serve --access-log` only)', (page) => addAccessLogMetrics(page, () => 0)],
    ['The process', addProcessMetrics],
  ];
  const parts = tables.map(([title, add]) => {
    const page = new MetricsPage();
    add(page);
    const rows = [...(page.registry.getMetricsAsArray() as readonly Described[]), ...page.written()].map(rowOf);
    return [`## ${title}`, '', '| metric | type | labels | |', '|---|---|---|---|', ...rows].join('\n');
  });
  const generated = '<!-- Generated by `npm run docs` from src/server/metrics. Do not edit. -->';
  return `${['# Metrics', generated, INTRO, ...parts, ALERTS].join('\n\n')}\n`;
}

function rowOf({ name, help, type, labelNames = [] }: Described): string {
  return `| \`${name}\` | ${String(type)} | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
}
