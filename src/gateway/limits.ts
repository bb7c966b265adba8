/**
 * Bounds of the data plane. Sizes are bytes, times are milliseconds. Where Envoy or Istio has a measured value the
 * gateway takes it, so that what passes here passes there.
 */
export const LIMITS = {
  /** Request line and headers together; Envoy answers 431 above 60 kB. */
  requestHeadBytes: 60 * 1024,
  /** Header lines of a request; Envoy's `max_headers_count`: 431 above. */
  requestHeaderCount: 100,
  /** Status line and headers of an upstream's response, and the trailers of a chunked one. */
  responseHeadBytes: 60 * 1024,
  responseHeaderCount: 200,
  responseTrailerBytes: 8 * 1024,
  /** Sum of the chunk extensions of one response: nobody uses them, so a flood of them is an attack. */
  responseChunkExtensionBytes: 16 * 1024,
  /** 1xx responses before the final one. */
  interimResponses: 32,
  /** Requests that one connection may have waiting behind the one being answered. */
  pipelinedRequests: 4096,

  /** From the first byte of a request's head to its last: 408 afterwards. */
  requestHeadMs: 60_000,
  /** A client connection without a request. */
  clientIdleMs: 75_000,
  /** A request body of which no byte came although the upstream wants more: 408. */
  requestBodyStallMs: 60_000,
  /** A response of which the client took no byte: cut. */
  responseStallMs: 300_000,
  /** How long the rest of a request's body is read and thrown away after the answer, before the connection is cut. */
  unreadBodyMs: 1_000,

  /** Istio's default `connectTimeout`. */
  connectMs: 10_000,
  /**
   * How long an unused upstream connection is kept where the upstream does not say. Shorter than the 5 s after which Node,
   * uvicorn and Apache close: a request that meets their close fails.
   */
  upstreamIdleMs: 4_000,
  /** Upper bound of what an upstream may ask for with `Keep-Alive: timeout=N`. */
  upstreamIdleMaximumMs: 60_000,
  /** Taken off the upstream's own `Keep-Alive: timeout=N`. */
  upstreamIdleMarginMs: 1_000,
  /** Unused connections kept for one endpoint. */
  idlePerEndpoint: 256,
  /** Endpoints tried for one request; Istio's default is 2 retries of connect failures. */
  connectAttempts: 3,

  /** How often deadlines are looked at: they are this much late at most. */
  sweepMs: 500,
  /** Silence after which TCP asks whether the peer is still there. */
  tcpKeepAliveMs: 60_000,
  /** `close()` without a grace of its own. */
  closeGraceMs: 5_000,
} as const;
