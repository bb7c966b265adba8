import type { ListenerSpec } from '../core/routing/selection.ts';
import type { TlsServer } from '../core/routing/tls-server.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { Http1Transport } from './http1/http1-transport.ts';
import type { Listener } from './incoming-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { ListeningAddress } from './listening-address.ts';
import { type OpenListener, openListener, type Sharing } from './open-listener.ts';
import type { Credentials } from './tls/credentials.ts';
import { type PreparedServers, TlsTransport } from './tls/tls-transport.ts';
import type { Transport, TransportHandler } from './transport.ts';

/** A listener wanted, and the port to open it at (0: any free one). */
interface Wanted {
  readonly listener: Listener;
  readonly port: number;
  /** Undefined: no TLS. */
  readonly tls: readonly TlsServer[] | undefined;
}

/** What tells a listener from others while it is open: a port with TLS and without it are two. */
function keyOf({ listener, tls }: Pick<Wanted, 'listener' | 'tls'>): string {
  return `${addressOf(listener)}${tls === undefined ? '' : ' tls'}`;
}

function addressOf({ kind, port, bind }: Listener): string {
  return `${kind} ${port} ${bind ?? ''}`;
}

/** Sockets that are open, and not used yet. One of the two is to be called, once. */
export interface PreparedListeners {
  /** The port of each listener, as it will be. */
  readonly ports: ReadonlyMap<string, number>;
  /** Calls `swap`, and closes what is no longer wanted. */
  commit(swap: () => void): void;
  /** Closes what was opened: nothing has changed. */
  abandon(): Promise<void>;
}

/** What the listeners of a gateway have in common. */
interface ListenersOptions {
  /** Declared port -> port to listen on. */
  readonly map: ReadonlyMap<number, number>;
  readonly proxyPort: number | undefined;
  readonly limits: GatewayLimits;
  readonly credentials: Credentials;
  readonly handlerFor: (listener: Listener) => TransportHandler;
  /** The ports that other processes have open (`PreparedListeners.ports`); undefined: none are shared. */
  readonly shared: ReadonlyMap<string, number> | undefined;
}

/** The sockets of a gateway: opens and closes them as tables come and go. */
export class Listeners {
  private readonly options: ListenersOptions;
  private readonly room: ConnectionLimit;
  private open = new Map<string, OpenListener>();
  /** Closed, but answering what they had accepted. */
  private readonly draining = new Set<Transport>();

  constructor(options: ListenersOptions) {
    this.options = options;
    this.room = new ConnectionLimit(options.limits.clientConnections);
  }

  /**
   * Opens what `specs` want and is not open. Rejects, with nothing changed, where a socket cannot be opened; only a port that gets or loses its TLS,
   * and is not shared, is closed by then.
   */
  async prepare(specs: readonly ListenerSpec[]): Promise<PreparedListeners> {
    const wanted = this.wanted(specs);
    if (this.options.shared === undefined) this.makeWay(wanted);
    const opened = new Map<string, OpenListener>();
    try {
      for (const [key, each] of wanted) if (!this.open.has(key)) opened.set(key, await this.openOne(each));
    } catch (error) {
      await cutAll(opened);
      throw error;
    }
    const servers = (await Promise.all([...wanted].map(([key, { tls }]) => prepareServers(this.open.get(key), tls)))).flat();
    const next = new Map<string, OpenListener>();
    for (const key of wanted.keys()) {
      const listener = this.open.get(key) ?? opened.get(key);
      if (listener !== undefined) next.set(key, listener);
    }
    return {
      ports: new Map([...next.values()].map(({ listener, addresses }) => [addressOf(listener), addresses[0]?.actualPort ?? 0])),
      commit: (swap) => {
        swap();
        for (const each of servers) each.commit();
        const removed = [...this.open].filter(([key]) => !next.has(key)).map(([, listener]) => listener);
        this.open = next;
        for (const { transports } of removed) for (const transport of transports) this.drain(transport);
      },
      abandon: () => {
        for (const each of servers) each.abandon();
        return cutAll(opened);
      },
    };
  }

  addresses(): readonly ListeningAddress[] {
    return [...this.open.values()].flatMap(({ addresses }) => addresses);
  }

  sweep(now: number): void {
    for (const { transports } of this.open.values()) for (const transport of transports) transport.sweep(now);
    for (const transport of this.draining) transport.sweep(now);
  }

  /** Accepts no more, waits at most `graceMs` for the answers at work, then cuts. */
  async close(graceMs: number): Promise<void> {
    for (const { transports } of this.open.values()) for (const transport of transports) this.drain(transport);
    this.open = new Map();
    const all = [...this.draining];
    const timer = setTimeout(() => {
      for (const transport of all) transport.cut();
    }, graceMs);
    await Promise.all(all.map((transport) => transport.closed));
    clearTimeout(timer);
  }

  private wanted(specs: readonly ListenerSpec[]): Map<string, Wanted> {
    const { map, proxyPort, shared } = this.options;
    const wanted = new Map<string, Wanted>();
    const add = (listener: Listener, port: number, tls: readonly TlsServer[] | undefined): void => {
      wanted.set(keyOf({ listener, tls }), { listener, port: shared?.get(addressOf(listener)) ?? port, tls });
    };
    for (const { kind, port, bind, tls } of specs) add({ kind, port, bind }, map.get(port) ?? port, tls);
    if (proxyPort !== undefined) add({ kind: 'proxy', port: proxyPort, bind: undefined }, proxyPort, undefined);
    return wanted;
  }

  /** Closes what listens where the same listener is wanted with TLS, or without it: a port that is not shared can be opened once only. */
  private makeWay(wanted: ReadonlyMap<string, Wanted>): void {
    const addresses = new Set([...wanted.values()].map(({ listener }) => addressOf(listener)));
    for (const [key, { listener, transports }] of this.open) {
      if (wanted.has(key) || !addresses.has(addressOf(listener))) continue;
      this.open.delete(key);
      for (const transport of transports) this.drain(transport);
    }
  }

  private openOne({ listener, port, tls }: Wanted): Promise<OpenListener> {
    const { limits, credentials, handlerFor } = this.options;
    const handler = handlerFor(listener);
    const room = new ConnectionLimit(limits.listenerConnections, this.room);
    const transportFor = async (): Promise<Transport> => {
      if (tls === undefined) return new Http1Transport(handler, limits, room);
      const transport = new TlsTransport(handler, limits, room, credentials);
      (await transport.prepare(tls)).commit();
      return transport;
    };
    return openListener(listener, port, { transportFor, tls: tls !== undefined, sharing: this.sharing(addressOf(listener)) });
  }

  private sharing(address: string): Sharing {
    const { shared } = this.options;
    if (shared === undefined) return 'no';
    return shared.has(address) ? 'joins' : 'first';
  }

  private drain(transport: Transport): void {
    this.draining.add(transport);
    transport.drain();
    void transport.closed.then(() => this.draining.delete(transport));
  }
}

/** The TLS servers that a listener is to have that stays open. */
async function prepareServers(listener: OpenListener | undefined, tls: readonly TlsServer[] = []): Promise<readonly PreparedServers[]> {
  const transports = (listener?.transports ?? []).filter((transport) => transport instanceof TlsTransport);
  return Promise.all(transports.map((transport) => transport.prepare(tls)));
}

async function cutAll(opened: ReadonlyMap<string, OpenListener>): Promise<void> {
  await Promise.all([...opened.values()].flatMap(({ transports }) => transports.map(cut)));
}

function cut(transport: Transport): Promise<void> {
  transport.cut();
  return transport.closed;
}
