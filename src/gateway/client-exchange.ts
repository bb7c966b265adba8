import type { Duplex } from 'node:stream';
import type { Downstream } from './downstream.ts';

/** How the body of a request is framed. */
export type RequestFraming = 'none' | 'length' | 'chunked';

/** What a transport tells the one who answers an exchange. */
export interface ExchangeHandler {
  /** A piece of the request's body, which may be kept. After `pauseBody()` none follows until `resumeBody()`. */
  requestData(chunk: Uint8Array): void;
  /** `trailers`: name, value, name, value, ... as received. */
  requestEnd(trailers: readonly string[]): void;
  /** The body cannot be read to its end, for instance malformed (400) or stalled (408). Whatever is answered, the connection closes. */
  requestFailed(status: number): void;
  /** The body has been paused for too long: whoever should take it does not. The connection closes. */
  requestStuck(): void;
  /** After `write` gave false: more may be written. */
  clientDrained(): void;
  /** Always the last call. `finished`: the whole response was handed to the network; false: the client went away, or we cut it off. */
  clientClosed(finished: boolean): void;
}

/** A client's connection that is no longer HTTP's. */
export interface SwitchedConnection {
  /** It may have ended already: then it does not say so again. */
  readonly stream: Duplex;
  /** What was read of it before. */
  readonly early: Uint8Array | undefined;
}

/**
 * One request of a client and the answer to it, whatever the transport. All that forwarding knows
 * of the client's side; requests of an HTTP/1.1 connection come one after the other.
 */
export interface ClientExchange {
  readonly method: string;
  /** Request target as received. */
  readonly target: string;
  /** HTTP version, such as `1.1`. */
  readonly version: string;
  /** The connection that it came by. */
  readonly downstream: Downstream;
  /** name, value, name, value, ... as received. */
  readonly rawHeaders: readonly string[];
  /** The client asked to switch protocols, and this exchange can. */
  readonly upgradable: boolean;
  /** Whether the whole body has been received. */
  readonly bodyComplete: boolean;

  /** Must be called first, once. */
  attach(handler: ExchangeHandler): void;
  /**
   * Lets the body flow to the handler. A client that waits for a 100 gets it from `inform`, or, where none comes, after a while.
   * Not called for requests without a body.
   */
  startBody(): void;
  pauseBody(): void;
  resumeBody(): void;

  /** The connection must not be used after this answer: where its next request begins is not certain. */
  closeAfterAnswer(): void;
  /** Sends a 1xx response, 101 excepted, ahead of the answer; a 100 only where the client waits for one. */
  inform(status: number, reason: string, fields: readonly string[]): void;
  /**
   * The whole response at once. `fields` (name, value, ...) has Content-Length where the response has one; without it the
   * body is chunked. A string is latin1 bytes; other bodies may be kept until they are sent.
   */
  respond(status: number, reason: string, fields: string[], body: string | Uint8Array | undefined): void;
  /** Head of a response whose body follows with `write` and `end`; it may wait for the first of them. */
  respondHead(status: number, reason: string, fields: string[]): void;
  /** Sends the head now, since no body is there yet. */
  flushHead(): void;
  /** A piece of body, which is kept until it is sent (see `flushed`). False: wait for `clientDrained`. */
  write(chunk: Uint8Array): boolean;
  /** Whether the network has taken everything that was written: the memory of the pieces may be used again. */
  readonly flushed: boolean;
  /** The end of the body, after a last piece. `trailers`: name, value, ..., for a chunked body only. */
  end(chunk: Uint8Array | undefined, trailers: readonly string[] | undefined): void;
  /** Cuts the connection: the only way to tell a client that a body is not whole. */
  destroy(): void;
  /** Answers 101 and gives the connection away. Only where `upgradable`. */
  switchProtocols(reason: string, fields: string[]): SwitchedConnection;
}
