/** Says that a slot is taken; the other 31 bits are the caller's. */
const TAKEN = 0x8000_0000;
const SMALLEST = 1024;
/** Words of a slot: the hash's low and high one, the value. */
const WIDTH = 3;
const HIGH = 1;
const VALUE = 2;

/**
 * What is known of each visitor: a map from 64-bit hashes of ids (as [low, high] words) to 31-bit values. 12 bytes a slot in one typed
 * array, open addressing with linear probing, at most half full: ten times leaner than a Map, and nothing for the garbage
 * collector to walk while requests wait. A slot's words stand together, as each look at another visitor waits for memory.
 */
export class VisitorTable {
  private slots = new Uint32Array(SMALLEST * WIDTH);
  private mask = SMALLEST - 1;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The value; undefined where the visitor is unknown. */
  get(low: number, high: number): number | undefined {
    const value = this.slots[this.placeOf(low, high) + VALUE] ?? 0;
    return value === 0 ? undefined : value & ~TAKEN;
  }

  /** Sets the value, 0..2^31-1. */
  set(low: number, high: number, value: number): void {
    let place = this.placeOf(low, high);
    if (this.slots[place + VALUE] === 0) {
      if (2 * (this.count + 1) > this.mask + 1) {
        this.rebuild(2 * (this.mask + 1), () => true);
        place = this.placeOf(low, high);
      }
      this.slots[place] = low;
      this.slots[place + HIGH] = high;
      this.count += 1;
    }
    this.slots[place + VALUE] = (value | TAKEN) >>> 0;
  }

  /** Forgets every visitor whose low word is not kept. */
  keep(kept: (low: number) => boolean): void {
    this.rebuild(this.mask + 1, kept);
  }

  /** Every value, in no order. */
  forEach(visit: (value: number) => void): void {
    const { slots } = this;
    for (let place = VALUE; place < slots.length; place += WIDTH) {
      const value = slots[place] ?? 0;
      if (value !== 0) visit(value & ~TAKEN);
    }
  }

  /** Where the key's slot begins, or would. */
  private placeOf(low: number, high: number): number {
    const { slots, mask } = this;
    // Sampling looks at the low word, so that the high one stays evenly spread.
    let slot = high & mask;
    let place = slot * WIDTH;
    while (slots[place + VALUE] !== 0 && (slots[place] !== low || slots[place + HIGH] !== high)) {
      slot = (slot + 1) & mask;
      place = slot * WIDTH;
    }
    return place;
  }

  private rebuild(capacity: number, kept: (low: number) => boolean): void {
    const before = this.slots;
    const slots = new Uint32Array(capacity * WIDTH);
    this.slots = slots;
    this.mask = capacity - 1;
    this.count = 0;
    for (let from = 0; from < before.length; from += WIDTH) {
      const value = before[from + VALUE] ?? 0;
      const low = before[from] ?? 0;
      if (value === 0 || !kept(low)) continue;
      const high = before[from + HIGH] ?? 0;
      const place = this.placeOf(low, high);
      slots[place] = low;
      slots[place + HIGH] = high;
      slots[place + VALUE] = value;
      this.count += 1;
    }
  }
}
