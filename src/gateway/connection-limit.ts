/** A client's connection as whoever makes room sees it. */
export interface LimitedConnection {
  /** Since when nobody waits for anything on it: no request is at work, and no byte of one has come. Undefined: it is in use. On `performance.now()`'s clock. */
  readonly spareSince: number | undefined;
  /** Closes it. It tells `remove` by itself. */
  evict(): void;
}

/** Connections closed at once where room is needed: looking for the oldest of thousands at each new one would cost more than serving it. */
const EVICTED_AT_ONCE = 32;
/** For how long a search that found nothing is not repeated, ms. */
const SEARCH_AGAIN_MS = 100;

/**
 * Bounds the connections of clients. Where there are as many as may be, those make room that have been spare for the longest time, as at
 * nginx; where none is spare, the new one is not taken. A limit of a listener is `within` that of the gateway.
 */
export class ConnectionLimit {
  private readonly most: number;
  private readonly within: ConnectionLimit | undefined;
  private readonly connections = new Set<LimitedConnection>();
  private searchedInVainAt = Number.NEGATIVE_INFINITY;

  constructor(most: number, within?: ConnectionLimit) {
    this.most = most;
    this.within = within;
  }

  get count(): number {
    return this.connections.size;
  }

  /** Takes a new connection; false: there is no room, and it is to be closed. Each that was taken is given to `remove` once it is gone. */
  add(connection: LimitedConnection): boolean {
    if (!this.hasRoom() || (this.within !== undefined && !this.within.add(connection))) return false;
    this.connections.add(connection);
    return true;
  }

  remove(connection: LimitedConnection): void {
    if (this.connections.delete(connection)) this.within?.remove(connection);
  }

  private hasRoom(): boolean {
    return this.connections.size < this.most || this.makeRoom(performance.now());
  }

  private makeRoom(now: number): boolean {
    if (now - this.searchedInVainAt < SEARCH_AGAIN_MS) return false;
    const spare: { readonly connection: LimitedConnection; readonly since: number }[] = [];
    for (const connection of this.connections) {
      const since = connection.spareSince;
      if (since !== undefined) spare.push({ connection, since });
    }
    if (spare.length === 0) {
      this.searchedInVainAt = now;
      return false;
    }
    spare.sort((one, two) => one.since - two.since);
    // Not more than an eighth of them all, so that a small limit still keeps most of what is spare.
    const count = Math.min(EVICTED_AT_ONCE, Math.ceil(this.most / 8));
    for (const { connection } of spare.slice(0, count)) {
      // Now, not when its socket tells: the room is needed in this turn.
      this.remove(connection);
      connection.evict();
    }
    return true;
  }
}
