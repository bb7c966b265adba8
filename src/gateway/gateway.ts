import type { RequestObserver } from '../core/evidence/request-event.ts';
import type { RouteTable } from '../core/routing/selection.ts';

export interface GatewayOptions {
  /** Declared port -> port to listen on (0: any free one), as `--map`. */
  readonly map?: ReadonlyMap<number, number>;
  /** Port of the HTTP-proxy listener (absolute-form requests go through the mesh table of the URL's port); undefined: none. */
  readonly proxyPort?: number;
  readonly observe?: RequestObserver;
  /** One line of JSON per request. */
  readonly accessLog?: (line: string) => void;
  /** In [0, 1). */
  readonly random?: () => number;
}

export interface ListeningAddress {
  readonly kind: 'ingress' | 'mesh' | 'proxy';
  /** Declared port; for the proxy the one asked for. */
  readonly port: number;
  readonly address: string;
  /** Where the socket really is. */
  readonly actualPort: number;
}

export interface RunningGateway {
  /** Swaps the table: requests in flight finish on the old one. Opens and closes listeners as needed; rejects, changing nothing, if a port is taken. */
  update(table: RouteTable): Promise<void>;
  addresses(): readonly ListeningAddress[];
  /** Stops accepting, lets requests in flight finish for at most `graceMs`, then cuts. */
  close(graceMs?: number): Promise<void>;
}
