import type { ListenerSpec } from '../core/routing/selection.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { Listener } from './incoming-request.ts';
import type { GatewayLimits } from './limits.ts';
import type { ListeningAddress } from './listening-address.ts';
import type { Transport, TransportHandler } from './node-http-transport.ts';
import { type OpenListener, openListener } from './open-listener.ts';

/** A listener wanted, and the port to open it at (0: any free one). */
interface Wanted {
  readonly listener: Listener;
  readonly port: number;
}

function keyOf({ kind, port, bind }: Listener): string {
  return `${kind} ${port} ${bind ?? ''}`;
}

/** The sockets of a gateway: opens and closes them as tables come and go. */
export class Listeners {
  private readonly map: ReadonlyMap<number, number>;
  private readonly proxyPort: number | undefined;
  private readonly limits: GatewayLimits;
  private readonly handlerFor: (listener: Listener) => TransportHandler;
  private readonly room: ConnectionLimit;
  private open = new Map<string, OpenListener>();
  /** Closed, but answering what they had accepted. */
  private readonly draining = new Set<Transport>();

  constructor(
    map: ReadonlyMap<number, number>,
    proxyPort: number | undefined,
    limits: GatewayLimits,
    handlerFor: (listener: Listener) => TransportHandler,
  ) {
    this.map = map;
    this.proxyPort = proxyPort;
    this.limits = limits;
    this.handlerFor = handlerFor;
    this.room = new ConnectionLimit(limits.clientConnections);
  }

  /**
   * Opens what `specs` want and is not open; then calls `swap`, and closes what they no longer want. Rejects, with nothing
   * changed and `swap` not called, where a socket cannot be opened.
   */
  async change(specs: readonly ListenerSpec[], swap: () => void): Promise<void> {
    const wanted = this.wanted(specs);
    const opened = new Map<string, OpenListener>();
    try {
      for (const [key, { listener, port }] of wanted) {
        if (this.open.has(key)) continue;
        const room = new ConnectionLimit(this.limits.listenerConnections, this.room);
        opened.set(key, await openListener(listener, port, this.handlerFor(listener), this.limits, room));
      }
    } catch (error) {
      await Promise.all([...opened.values()].flatMap(({ transports }) => transports.map(cut)));
      throw error;
    }
    swap();
    const next = new Map<string, OpenListener>();
    for (const key of wanted.keys()) {
      const listener = this.open.get(key) ?? opened.get(key);
      if (listener !== undefined) next.set(key, listener);
    }
    const removed = [...this.open].filter(([key]) => !next.has(key)).map(([, listener]) => listener);
    this.open = next;
    for (const { transports } of removed) for (const transport of transports) this.drain(transport);
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
      wanted.set(keyOf(listener), { listener, port: this.map.get(port) ?? port });
    }
    if (this.proxyPort !== undefined) {
      const listener: Listener = { kind: 'proxy', port: this.proxyPort, bind: undefined };
      wanted.set(keyOf(listener), { listener, port: this.proxyPort });
    }
    return wanted;
  }

  private drain(transport: Transport): void {
    this.draining.add(transport);
    transport.drain();
    void transport.closed.then(() => this.draining.delete(transport));
  }
}

function cut(transport: Transport): Promise<void> {
  transport.cut();
  return transport.closed;
}
