/** Rates change when a slot ends and at no other time, so that looking twice gives the same: in ms. */
const SLOT_MS = 10_000;
/** Slots that a rate is the mean of: a minute. */
const SLOTS = 6;

/** The requests of one service, slot by slot; `last` is the slot that is under way. */
interface Counts {
  readonly slots: Float64Array;
  last: number;
}

/**
 * Requests per second by service, over the last whole minute, or as much of it as has been counted. Times are monotonic, in ms. What was not
 * asked for in that time is forgotten.
 */
export class RequestRates {
  readonly #start: number;
  readonly #counts = new Map<string, Counts>();
  #swept = 0;

  /** Counting begins now. */
  constructor(now: number) {
    this.#start = now;
  }

  count(service: string, now: number): void {
    const slot = this.#slotAt(now);
    let counts = this.#counts.get(service);
    if (counts === undefined) {
      this.#sweep(slot);
      counts = { slots: new Float64Array(SLOTS + 1), last: slot };
      this.#counts.set(service, counts);
    }
    // Slots that went by without a request are empty, whatever the ring still holds.
    const skipped = Math.min(slot - counts.last, SLOTS + 1);
    for (let back = 0; back < skipped; back++) counts.slots[(slot - back) % (SLOTS + 1)] = 0;
    if (slot > counts.last) counts.last = slot;
    const at = slot % (SLOTS + 1);
    counts.slots[at] = (counts.slots[at] ?? 0) + 1;
  }

  /** To three digits; undefined until a first slot is over. */
  perSecond(service: string, now: number): number | undefined {
    const slot = this.#slotAt(now);
    const whole = Math.min(slot, SLOTS);
    if (whole === 0) return undefined;
    const counts = this.#counts.get(service);
    if (counts === undefined) return 0;
    let sum = 0;
    for (let each = slot - whole; each < slot; each++) {
      if (each <= counts.last && each >= counts.last - SLOTS) sum += counts.slots[each % (SLOTS + 1)] ?? 0;
    }
    return Number((sum / (whole * (SLOT_MS / 1000))).toPrecision(3));
  }

  /** Services that are no more must not be kept for ever; once in a slot is often enough. */
  #sweep(slot: number): void {
    if (slot === this.#swept) return;
    this.#swept = slot;
    for (const [service, { last }] of this.#counts) if (last < slot - SLOTS) this.#counts.delete(service);
  }

  #slotAt(now: number): number {
    return Math.floor((now - this.#start) / SLOT_MS);
  }
}
