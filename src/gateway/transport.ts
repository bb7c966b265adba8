import type { ClientExchange } from './client-exchange.ts';
import type { Downstream } from './downstream.ts';

/** What a transport hands over. */
export interface TransportHandler {
  exchange(exchange: ClientExchange): void;
  /** Bytes that are not an HTTP request were answered with `status`; there is no exchange to report it. */
  refused(status: number, downstream: Downstream): void;
}

/** Receives the requests of one listening socket. */
export interface Transport {
  /** Rejects with the system's error (EADDRINUSE, ...). Gives the port listened on. `shared`: other processes listen there too (SO_REUSEPORT). */
  listen(port: number, host: string, shared?: boolean): Promise<number>;
  /** Accepts no more; connections close after the answer at work. */
  drain(): void;
  /** Cuts every connection. */
  cut(): void;
  /** Resolves when the last connection is gone after `drain` or `cut`. */
  readonly closed: Promise<void>;
  /** Looks at deadlines. `now`: `performance.now()`. */
  sweep(now: number): void;
}
