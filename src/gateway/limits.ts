/** What a limit counts; its name says which. */
export type LimitUnit = 'bytes' | 'ms' | 'count';

/** One limit of the data plane that an operator may change. */
export interface LimitSpec {
  readonly unit: LimitUnit;
  readonly default: number;
  /** Smallest and largest value that is accepted. */
  readonly minimum: number;
  readonly maximum: number;
  /** What it bounds and what happens beyond it, for docs/reference/gateway-limits.md. */
  readonly means: string;
}

const KIB = 1024;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function limitOf(unit: LimitUnit): (value: number, minimum: number, maximum: number, means: string) => LimitSpec {
  return (value, minimum, maximum, means) => ({ unit, default: value, minimum, maximum, means });
}
const bytes = limitOf('bytes');
const count = limitOf('count');
const time = limitOf('ms');

/**
 * The limits that an operator may change, in the order of their page. Where Envoy or Istio has a measured value the default is that
 * one, so that what passes there passes here.
 */
export const LIMIT_SPECS = {
  requestHeadBytes: bytes(60 * KIB, KIB, 1024 * KIB, 'Request line and headers together: 431 beyond. The default is the value of Envoy.'),
  requestHeaderCount: count(
    100,
    10,
    10_000,
    'Header lines of a request, and lines of its trailers: 431 beyond. The default is the value of Envoy.',
  ),
  responseHeadBytes: bytes(60 * KIB, KIB, 1024 * KIB, 'Status line and headers of a response: 502 beyond.'),
  responseHeaderCount: count(
    200,
    10,
    10_000,
    'Header lines of a response: 502 beyond; and lines of its trailers, beyond which it is cut off.',
  ),
  trailerBytes: bytes(8 * KIB, 256, 1024 * KIB, 'Trailers of one message: a request with more gets 431, a response is cut off.'),
  interimResponses: count(32, 1, 1000, '1xx responses of an upstream before the final one: 502 beyond.'),
  requestHeadMs: time(
    MINUTE,
    100,
    HOUR,
    'From the first byte of a request’s head to its last, and from the opening of a connection to its first head: 408 afterwards.',
  ),
  tlsHandshakeMs: time(
    10 * SECOND,
    100,
    HOUR,
    'From the opening of a connection to the end of its first message, by which the TLS server is chosen, and from there to the end of the handshake: cut afterwards.',
  ),
  http2Streams: count(
    100,
    1,
    100_000,
    'Requests that one HTTP/2 connection may have at work: more are reset (REFUSED_STREAM), or end the connection where the client has acknowledged the limit.',
  ),
  clientConnections: count(
    10_000,
    1,
    1_000_000,
    'Connections of clients in all. Beyond, those that have been without a request for the longest time are closed to make room, and where each has one, new ones are closed at once. Each takes two file descriptors while it is served, so `ulimit -n` has to allow for twice as many.',
  ),
  listenerConnections: count(
    10_000,
    1,
    1_000_000,
    'The same for each listener, so that a flood at one leaves room for the others where it is below `clientConnections`.',
  ),
  clientIdleMs: time(75 * SECOND, 100, 24 * HOUR, 'How long a client’s connection is kept between requests.'),
  requestBodyStallMs: time(
    MINUTE,
    100,
    24 * HOUR,
    'A request’s body of which fewer bytes than `requestBodyStallBytes` came although the upstream would take more: 408.',
  ),
  requestBodyStallBytes: bytes(
    1,
    1,
    1024 * KIB,
    'What has to come of a request’s body within `requestBodyStallMs`. The default lets a client drip for ever, as it does at Envoy: a stream of rare events looks the same. Where no client sends such streams, 16KiB cuts slow bodies off.',
  ),
  requestStallMs: time(
    5 * MINUTE,
    100,
    24 * HOUR,
    'A request’s body, or what a client sends through a tunnel, of which the upstream took nothing: 504; a tunnel is cut. A client that leaves meanwhile is not noticed before.',
  ),
  continueMs: time(
    SECOND,
    0,
    HOUR,
    'How long an upstream may leave `Expect: 100-continue` unanswered before the gateway says 100 itself: not every server knows it, and not every client goes on without.',
  ),
  responseStallMs: time(
    5 * MINUTE,
    100,
    24 * HOUR,
    'A response of which the client took fewer bytes than `responseStallBytes` although they were there, or what an upstream sends through a tunnel, of which it took none: the connection is cut.',
  ),
  responseStallBytes: bytes(
    128 * KIB,
    1,
    1024 * 1024 * KIB,
    'What a client has to take of a response within `responseStallMs`, if so much waits for it. TCP opens its window for tens of KiB at once, so a client that reads at a drip takes as much now and then.',
  ),
  halfClosedMs: time(
    10 * SECOND,
    0,
    HOUR,
    'How long a client that has closed its sending side is still answered while nothing flows to it. Longer keeps upstreams at work for clients that are gone; 0 ends the work at once, as Envoy does.',
  ),
  unreadBodyMs: time(
    SECOND,
    0,
    10 * MINUTE,
    'How long the rest of a request’s body is read and thrown away after the answer, so that the client sees it: cut afterwards.',
  ),
  connectMs: time(10 * SECOND, 100, 10 * MINUTE, 'An attempt to connect to an endpoint. The default is Istio’s `connectTimeout`.'),
  connectAttempts: count(3, 1, 100, 'Endpoints tried for one request while connecting fails. The default is Istio’s: two retries.'),
  upstreamIdleMs: time(
    4 * SECOND,
    0,
    HOUR,
    'How long an unused upstream connection is kept where the upstream does not say. Shorter than the 5 s after which Node, uvicorn and Apache close: a request that meets their close fails.',
  ),
  upstreamIdleMaximumMs: time(MINUTE, 0, HOUR, 'The most that an upstream may ask for with `Keep-Alive: timeout=N`.'),
  idlePerEndpoint: count(256, 0, 65_536, 'Unused connections kept for one endpoint.'),
  tcpKeepAliveMs: time(MINUTE, SECOND, 24 * HOUR, 'Silence after which TCP asks whether the peer is still there.'),
  closeGraceMs: time(5 * SECOND, 0, HOUR, 'How long requests in flight may go on when the gateway ends.'),
} satisfies Record<string, LimitSpec>;

/** A limit, as `perch serve --limit NAME=VALUE` calls it. */
export type LimitName = keyof typeof LIMIT_SPECS;

/** A value for every limit, in the unit of its spec. */
export type GatewayLimits = { readonly [Name in LimitName]: number };

/** Their names, in the order of their page. */
export const LIMIT_NAMES = Object.keys(LIMIT_SPECS) as readonly LimitName[];

/** What holds where nothing else is said. */
export const DEFAULT_LIMITS: GatewayLimits = withDefaults({});

/**
 * All limits, the given ones changed.
 * @throws RangeError for a value that is no whole number within the bounds of its limit.
 */
export function withDefaults(changed: Partial<GatewayLimits>): GatewayLimits {
  const limits: Partial<Record<LimitName, number>> = {};
  for (const name of LIMIT_NAMES) {
    const spec: LimitSpec = LIMIT_SPECS[name];
    const value = changed[name] ?? spec.default;
    if (!isWithin(spec, value)) throw new RangeError(`${name} is ${value}: not a whole number from ${spec.minimum} to ${spec.maximum}`);
    limits[name] = value;
  }
  return limits as GatewayLimits;
}

/** Whether a limit may have this value. */
export function isWithin({ minimum, maximum }: LimitSpec, value: number): boolean {
  return Number.isSafeInteger(value) && value >= minimum && value <= maximum;
}

/** Sum of the chunk extensions of one message, bytes: nobody uses them, so a flood of them is an attack. */
export const CHUNK_EXTENSION_BYTES = 16 * KIB;
/** Taken off an upstream's own `Keep-Alive: timeout=N`, ms: its clock runs since before ours. */
export const UPSTREAM_IDLE_MARGIN_MS = SECOND;
/** How long a connection without a request stays open when its listener closes, ms, since its last answer: the next request may be on its way. */
export const DRAIN_IDLE_MS = SECOND / 2;
/** How often deadlines are looked at, ms: they are this much late at most. */
export const SWEEP_MS = 500;
