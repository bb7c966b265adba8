import type { ListenerSpec } from '../core/routing/selection.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { Listener } from './incoming-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { ListeningAddress } from './listening-address.ts';
import type { Transport, TransportHandler } from './node-http-transport.ts';
import { type OpenListener, openListener, type Sharing } from './open-listener.ts';

/** A listener wanted, and the port to open it at (0: any free one). */
interface Wanted {
  readonly listener: Listener;
  readonly port: number;
}

function keyOf({ kind, port, bind }: Listener): string {
  return `${kind} ${port} ${bind ?? ''}`;
}

/** Sockets that are open, and not used yet. One of the two is to be called, once. */
export interface PreparedListeners {
  /** The port of each listener, by its key (`Listeners.ports`), as it will be. */
  readonly ports: ReadonlyMap<string, number>;
  /** Calls `swap`, and closes what is no longer wanted. */
  commit(swap: () => void): void;
  /** Closes what was opened: nothing has changed. */
  abandon(): Promise<void>;
}

/** The sockets of a gateway: opens and closes them as tables come and go. */
export class Listeners {
  private readonly map: ReadonlyMap<number, number>;
  private readonly proxyPort: number | undefined;
  private readonly limits: GatewayLimits;
  private readonly handlerFor: (listener: Listener) => TransportHandler;
  private readonly room: ConnectionLimit;
  private readonly shared: ReadonlyMap<string, number> | undefined;
  private open = new Map<string, OpenListener>();
  /** Closed, but answering what they had accepted. */
  private readonly draining = new Set<Transport>();

  constructor(
    map: ReadonlyMap<number, number>,
    proxyPort: number | undefined,
    limits: GatewayLimits,
    handlerFor: (listener: Listener) => TransportHandler,
    shared?: ReadonlyMap<string, number>,
  ) {
    this.map = map;
    this.proxyPort = proxyPort;
    this.limits = limits;
    this.handlerFor = handlerFor;
    this.room = new ConnectionLimit(limits.clientConnections);
    this.shared = shared;
  }

  /** Opens what `specs` want and is not open. Rejects, with nothing changed, where a socket cannot be opened. */
  async prepare(specs: readonly ListenerSpec[]): Promise<PreparedListeners> {
    const wanted = this.wanted(specs);
    const opened = new Map<string, OpenListener>();
    try {
      for (const [key, { listener, port }] of wanted) {
        if (this.open.has(key)) continue;
        const room = new ConnectionLimit(this.limits.listenerConnections, this.room);
        const options = { handler: this.handlerFor(listener), limits: this.limits, room, sharing: this.sharing(key) };
        opened.set(key, await openListener(listener, port, options));
      }
    } catch (error) {
      await cutAll(opened);
      throw error;
    }
    const next = new Map<string, OpenListener>();
    for (const key of wanted.keys()) {
      const listener = this.open.get(key) ?? opened.get(key);
      if (listener !== undefined) next.set(key, listener);
    }
    return {
      ports: new Map([...next].map(([key, { addresses }]) => [key, addresses[0]?.actualPort ?? 0])),
      commit: (swap) => {
        swap();
        const removed = [...this.open].filter(([key]) => !next.has(key)).map(([, listener]) => listener);
        this.open = next;
        for (const { transports } of removed) for (const transport of transports) this.drain(transport);
      },
      abandon: () => cutAll(opened),
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
    const wanted = new Map<string, Wanted>();
    for (const { kind, port, bind } of specs) {
      const listener = { kind, port, bind };
      const key = keyOf(listener);
      wanted.set(key, { listener, port: this.shared?.get(key) ?? this.map.get(port) ?? port });
    }
    if (this.proxyPort !== undefined) {
      const listener: Listener = { kind: 'proxy', port: this.proxyPort, bind: undefined };
      const key = keyOf(listener);
      wanted.set(key, { listener, port: this.shared?.get(key) ?? this.proxyPort });
    }
    return wanted;
  }

  private sharing(key: string): Sharing {
    if (this.shared === undefined) return 'no';
    return this.shared.has(key) ? 'joins' : 'first';
  }

  private drain(transport: Transport): void {
    this.draining.add(transport);
    transport.drain();
    void transport.closed.then(() => this.draining.delete(transport));
  }
}

async function cutAll(opened: ReadonlyMap<string, OpenListener>): Promise<void> {
  await Promise.all([...opened.values()].flatMap(({ transports }) => transports.map(cut)));
}

function cut(transport: Transport): Promise<void> {
  transport.cut();
  return transport.closed;
}
