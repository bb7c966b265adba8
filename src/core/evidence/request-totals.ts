import { splitServiceHost } from '../istio/names.ts';
import type { Workload } from '../routing/selection.ts';
import type { RequestEvent } from './request-event.ts';

/** Upper bounds of Envoy's histograms, and so of Istio's, for milliseconds and for bytes alike (source/common/stats/histogram_impl.cc). */
export const BUCKETS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000,
];

/** What was measured of one kind of request: how often values fell up to each bound of `BUCKETS`, beyond the last one at the end; not cumulated. */
export interface Distribution {
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Requests with the same labels. A plain value: it can be sent from one process to another. */
export interface RequestSeries {
  /** By Istio's names. */
  readonly labels: Readonly<Record<string, string>>;
  readonly durationMs: Distribution;
  readonly requestBytes: Distribution;
  readonly responseBytes: Distribution;
}

/** What a gateway has counted. */
export interface RequestTotals {
  readonly series: readonly RequestSeries[];
  /** Requests that were not counted, as there are too many series. */
  readonly uncounted: number;
}

/**
 * Most series that are kept. Labels come from configured objects, numbers of statuses and Envoy's flags only, never from what a client sends; an
 * upstream may answer with any status.
 */
export const MAXIMUM_SERIES = 500;

const LARGEST = BUCKETS.at(-1) ?? 0;
const SMALLEST = BUCKETS[0] ?? 0;
/** By the number of binary digits of a value's whole part: the first bucket that it can fall into; from there it is a step or two. */
const FIRST_BUCKETS = Array.from({ length: 33 - Math.clz32(LARGEST) }, (_, digits) =>
  BUCKETS.findIndex((bound) => bound >= (digits === 0 ? 0 : 2 ** (digits - 1))),
);

/** The first bucket whose bound is at least the value. */
function bucketOf(value: number): number {
  if (value <= SMALLEST) return 0;
  if (value > LARGEST) return BUCKETS.length;
  let bucket = FIRST_BUCKETS[32 - Math.clz32(value)] ?? 0;
  while (value > (BUCKETS[bucket] ?? value)) bucket++;
  return bucket;
}

class Histogram {
  readonly counts: number[] = Array.from({ length: BUCKETS.length + 1 }, () => 0);
  sum = 0;

  add(value: number): void {
    const bucket = bucketOf(value);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
  }
}

class Series implements RequestSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly durationMs = new Histogram();
  readonly requestBytes = new Histogram();
  readonly responseBytes = new Histogram();

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }
}

/** Series by status and flag; undefined: one too many. */
type ByAnswer = Map<number, Map<string, Series | undefined>>;
type ByListener = Readonly<Record<RequestEvent['listener'], ByAnswer>>;

/** For requests without a destination or an endpoint. */
const NOWHERE = {};

/** The series of one endpoint. Most of its requests are like the one before: that one's series is at hand. */
class EndpointSeries {
  readonly #byDestination = new WeakMap<object, ByListener>();
  #destination: object | undefined;
  #listener: RequestEvent['listener'] | undefined;
  #status = 0;
  #flag = '';
  #series: Series | undefined;

  /** `make` gives the series where there is none yet, undefined where that would be one too many. */
  of(event: RequestEvent, make: (event: RequestEvent) => Series | undefined): Series | undefined {
    const { listener, status, flag } = event;
    const destination = event.destination ?? NOWHERE;
    const isSame = destination === this.#destination && status === this.#status && flag === this.#flag && listener === this.#listener;
    if (isSame) return this.#series;
    const series = this.#find(event, destination, make);
    this.#destination = destination;
    this.#listener = listener;
    this.#status = status;
    this.#flag = flag;
    this.#series = series;
    return series;
  }

  #find(event: RequestEvent, destination: object, make: (event: RequestEvent) => Series | undefined): Series | undefined {
    const { listener, status, flag } = event;
    let byListener = this.#byDestination.get(destination);
    if (byListener === undefined) {
      byListener = { ingress: new Map(), mesh: new Map(), proxy: new Map() };
      this.#byDestination.set(destination, byListener);
    }
    const byAnswer = byListener[listener];
    let byFlag = byAnswer.get(status);
    if (byFlag === undefined) {
      byFlag = new Map();
      byAnswer.set(status, byFlag);
    }
    const found = byFlag.get(flag);
    if (found !== undefined || byFlag.has(flag)) return found;
    const made = make(event);
    byFlag.set(flag, made);
    return made;
  }
}

/**
 * Counts requests under Istio's standard labels (https://istio.io/latest/docs/reference/config/metrics/). On the request path series are found by
 * the identity of the endpoint and of the route's destination, which compiled routes keep: no text is put together there.
 */
export class RequestCounter {
  readonly #series = new Map<string, Series>();
  readonly #found = new WeakMap<object, EndpointSeries>();
  readonly #make = (event: RequestEvent): Series | undefined => this.#seriesOf(labelsOf(event));
  #uncounted = 0;

  count(event: RequestEvent): void {
    const endpoint = event.endpoint ?? NOWHERE;
    let found = this.#found.get(endpoint);
    if (found === undefined) {
      found = new EndpointSeries();
      this.#found.set(endpoint, found);
    }
    const series = found.of(event, this.#make);
    if (series === undefined) {
      this.#uncounted++;
      return;
    }
    series.durationMs.add(event.durationMs);
    series.requestBytes.add(event.bytesReceived);
    series.responseBytes.add(event.bytesSent);
  }

  /** What was counted so far, as a value that stays as it is. */
  totals(): RequestTotals {
    return { series: [...this.#series.values()].map(copyOf), uncounted: this.#uncounted };
  }

  #seriesOf(labels: Readonly<Record<string, string>>): Series | undefined {
    const key = JSON.stringify(Object.values(labels));
    const known = this.#series.get(key);
    if (known !== undefined || this.#series.size >= MAXIMUM_SERIES) return known;
    const made = new Series(labels);
    this.#series.set(key, made);
    return made;
  }
}

function copyOf({ labels, durationMs, requestBytes, responseBytes }: Series): RequestSeries {
  const copy = ({ counts, sum }: Histogram): Distribution => ({ counts: [...counts], sum });
  return { labels, durationMs: copy(durationMs), requestBytes: copy(requestBytes), responseBytes: copy(responseBytes) };
}

const UNKNOWN = 'unknown';
/** The gateway as a workload: it is the source of what comes in at the edge; who calls inside is not known. */
const GATEWAY = 'perch-gateway';

/** In the order of Istio's page. What a client proxy cannot know there is unknown here too. */
function labelsOf({ listener, destination, endpoint, status, flag }: RequestEvent): Readonly<Record<string, string>> {
  const source = listener === 'ingress' ? GATEWAY : UNKNOWN;
  const host = destination?.host ?? UNKNOWN;
  const service = splitServiceHost(host);
  const { name = UNKNOWN, namespace = UNKNOWN, labels = {} }: Workload = endpoint?.workload ?? {};
  const app = labels['app'] ?? UNKNOWN;
  const version = labels['version'] ?? UNKNOWN;
  return {
    reporter: 'source',
    source_workload: source,
    source_canonical_service: source,
    source_canonical_revision: endpoint === undefined ? UNKNOWN : 'latest',
    source_workload_namespace: UNKNOWN,
    source_principal: UNKNOWN,
    source_app: source,
    source_version: UNKNOWN,
    source_cluster: UNKNOWN,
    destination_workload: name,
    destination_workload_namespace: namespace,
    destination_principal: UNKNOWN,
    destination_app: app,
    destination_version: version,
    destination_service: host,
    destination_service_name: service?.name ?? host,
    destination_service_namespace: service?.namespace ?? UNKNOWN,
    destination_canonical_service: labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? name,
    destination_canonical_revision:
      labels['service.istio.io/canonical-revision'] ?? labels['app.kubernetes.io/version'] ?? labels['version'] ?? 'latest',
    destination_cluster: UNKNOWN,
    request_protocol: 'http',
    response_code: String(status),
    response_flags: flag,
    connection_security_policy: UNKNOWN,
  };
}

/** Names of the labels, in the order of `RequestSeries.labels`. */
export const REQUEST_LABELS: readonly string[] = Object.keys(
  labelsOf({ listener: 'mesh', destination: undefined, endpoint: undefined, status: 0, flag: '-' } as RequestEvent),
);
