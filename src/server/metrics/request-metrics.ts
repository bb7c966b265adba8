import { BUCKETS, type Distribution, REQUEST_LABELS, type RequestSeries, type RequestTotals } from '../../core/evidence/request-totals.ts';
import type { MetricsPage } from './metrics-page.ts';

/** How each line of a bucket goes on behind its labels: up to its count. */
const BOUNDS: readonly string[] = [...BUCKETS, '+Inf'].map((bound) => `${bound}"} `);

/**
 * What the gateway serves, under Istio's standard names and labels, so that dashboards and canary analyses made for Istio work. `totals` are read
 * when somebody asks. The text is made here, a series at a time: prom-client would take a label for each of some sixty lines of a series apart, and
 * of 500 series they are 26 MB.
 */
export function addRequestMetrics(page: MetricsPage, totals: () => RequestTotals): void {
  const labelNames = REQUEST_LABELS;
  // A series keeps its labels, and their text is on sixty lines of each page.
  const texts = new WeakMap<RequestSeries['labels'], string>();
  const textOf = ({ labels }: RequestSeries): string => {
    let text = texts.get(labels);
    if (text === undefined) {
      text = labelText(labels);
      texts.set(labels, text);
    }
    return text;
  };
  page.append(() => {
    const { series, uncounted } = totals();
    function* counter(name: string): Generator<string> {
      for (const each of series) yield `${name}{${textOf(each)}} ${countOf(each.durationMs)}\n`;
    }
    function* histogram(name: string, of: (each: RequestSeries) => Distribution): Generator<string> {
      for (const each of series) yield histogramLines(name, textOf(each), of(each));
    }
    return [
      {
        ...{ name: 'istio_requests_total', type: 'counter', labelNames },
        help: 'Requests that the gateway answered, or that ended without an answer.',
        lines: () => counter('istio_requests_total'),
      },
      {
        ...{ name: 'istio_request_duration_milliseconds', type: 'histogram', labelNames },
        help: 'From the end of a request’s head to the end of its answer.',
        lines: () => histogram('istio_request_duration_milliseconds', ({ durationMs }) => durationMs),
      },
      {
        ...{ name: 'istio_request_bytes', type: 'histogram', labelNames },
        help: 'Sizes of requests’ bodies.',
        lines: () => histogram('istio_request_bytes', ({ requestBytes }) => requestBytes),
      },
      {
        ...{ name: 'istio_response_bytes', type: 'histogram', labelNames },
        help: 'Sizes of answers’ bodies.',
        lines: () => histogram('istio_response_bytes', ({ responseBytes }) => responseBytes),
      },
      {
        ...{ name: 'perch_requests_uncounted_total', type: 'counter', labelNames: [] },
        help: 'Requests missing in the istio_ metrics, as there are 500 combinations of labels already.',
        lines: () => [`perch_requests_uncounted_total ${uncounted}\n`],
      },
    ];
  });
}

function labelText(labels: RequestSeries['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`)
    .join(',');
}

function countOf({ counts }: Distribution): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function histogramLines(name: string, labels: string, { counts, sum }: Distribution): string {
  const beginning = `${name}_bucket{${labels},le="`;
  let lines = '';
  let upTo = 0;
  for (const [bucket, count] of counts.entries()) {
    upTo += count;
    lines += `${beginning}${BOUNDS[bucket] ?? ''}${upTo}\n`;
  }
  return `${lines}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${upTo}\n`;
}
