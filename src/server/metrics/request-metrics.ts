import { BUCKETS, type Distribution, REQUEST_LABELS, type RequestSeries, type RequestTotals } from '../../core/evidence/request-totals.ts';
import type { MetricsPage } from './metrics-page.ts';

/**
 * What the gateway serves, under Istio's standard names and labels, so that dashboards and canary analyses made for Istio work. `totals` are read
 * when somebody asks. The text is made here: prom-client would take a label
 * for each of some sixty lines of a series apart.
 */
export function addRequestMetrics(page: MetricsPage, totals: () => RequestTotals): void {
  const labelNames = REQUEST_LABELS;
  page.append(() => {
    const { series, uncounted } = totals();
    const named = series.map((each) => ({ each, labels: labelText(each) }));
    const histogram = (name: string, of: (each: RequestSeries) => Distribution): string =>
      named.map(({ each, labels }) => histogramLines(name, labels, of(each))).join('');
    return [
      {
        ...{ name: 'istio_requests_total', type: 'counter', labelNames },
        help: 'Requests that the gateway answered, or that ended without an answer.',
        lines: named.map(({ each, labels }) => `istio_requests_total{${labels}} ${countOf(each.durationMs)}\n`).join(''),
      },
      {
        ...{ name: 'istio_request_duration_milliseconds', type: 'histogram', labelNames },
        help: 'From the end of a request’s head to the end of its answer.',
        lines: histogram('istio_request_duration_milliseconds', ({ durationMs }) => durationMs),
      },
      {
        ...{ name: 'istio_request_bytes', type: 'histogram', labelNames },
        help: 'Sizes of requests’ bodies.',
        lines: histogram('istio_request_bytes', ({ requestBytes }) => requestBytes),
      },
      {
        ...{ name: 'istio_response_bytes', type: 'histogram', labelNames },
        help: 'Sizes of answers’ bodies.',
        lines: histogram('istio_response_bytes', ({ responseBytes }) => responseBytes),
      },
      {
        ...{ name: 'perch_requests_uncounted_total', type: 'counter', labelNames: [] },
        help: 'Requests missing in the istio_ metrics, as there are 500 combinations of labels already.',
        lines: `perch_requests_uncounted_total ${uncounted}\n`,
      },
    ];
  });
}

function labelText({ labels }: RequestSeries): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
}

function countOf({ counts }: Distribution): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function histogramLines(name: string, labels: string, { counts, sum }: Distribution): string {
  let lines = '';
  let upTo = 0;
  for (const [bucket, count] of counts.entries()) {
    upTo += count;
    lines += `${name}_bucket{${labels},le="${BUCKETS[bucket] ?? '+Inf'}"} ${upTo}\n`;
  }
  return `${lines}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${upTo}\n`;
}
