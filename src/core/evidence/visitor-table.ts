/** Says that a slot is taken; the other 31 bits are the caller's. */
const TAKEN = 0x8000_0000;
const SMALLEST = 1024;

/**
 * What is known of each visitor: a map from 64-bit hashes of ids (as [low, high] words) to 31-bit values. 12 bytes a slot in typed
 * arrays, open addressing with linear probing, at most half full: ten times leaner than a Map, and nothing for the garbage
 * collector to walk while requests wait.
 */
export class VisitorTable {
  private low = new Uint32Array(SMALLEST);
  private high = new Uint32Array(SMALLEST);
  private values = new Uint32Array(SMALLEST);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The value; undefined where the visitor is unknown. */
  get(low: number, high: number): number | undefined {
    const value = this.values[this.slotOf(low, high)] ?? 0;
    return value === 0 ? undefined : value & ~TAKEN;
  }

  /** Sets the value, 0..2^31-1. */
  set(low: number, high: number, value: number): void {
    let slot = this.slotOf(low, high);
    if (this.values[slot] === 0) {
      if (2 * (this.count + 1) > this.values.length) {
        this.rebuild(2 * this.values.length, () => true);
        slot = this.slotOf(low, high);
      }
      this.low[slot] = low;
      this.high[slot] = high;
      this.count += 1;
    }
    this.values[slot] = (value | TAKEN) >>> 0;
  }

  /** Forgets every visitor whose low word is not kept. */
  keep(kept: (low: number) => boolean): void {
    this.rebuild(this.values.length, kept);
  }

  /** Every value, in no order. */
  forEach(visit: (value: number) => void): void {
    for (const value of this.values) {
      if (value !== 0) visit(value & ~TAKEN);
    }
  }

  /** Where the key is, or belongs. */
  private slotOf(low: number, high: number): number {
    const mask = this.values.length - 1;
    // Sampling looks at the low word, so that the high one stays evenly spread.
    let slot = high & mask;
    while (this.values[slot] !== 0 && (this.low[slot] !== low || this.high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  private rebuild(capacity: number, kept: (low: number) => boolean): void {
    const { low, high, values } = this;
    this.low = new Uint32Array(capacity);
    this.high = new Uint32Array(capacity);
    this.values = new Uint32Array(capacity);
    this.count = 0;
    for (let slot = 0; slot < values.length; slot += 1) {
      const value = values[slot] ?? 0;
      const lowWord = low[slot] ?? 0;
      if (value === 0 || !kept(lowWord)) continue;
      const target = this.slotOf(lowWord, high[slot] ?? 0);
      this.low[target] = lowWord;
      this.high[target] = high[slot] ?? 0;
      this.values[target] = value;
      this.count += 1;
    }
  }
}
