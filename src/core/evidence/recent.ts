/** A map that forgets: it holds at least the last `atLeast` keys set, at most twice as many. */
export class Recent<Value> {
  private readonly atLeast: number;
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();

  constructor(atLeast: number) {
    this.atLeast = atLeast;
  }

  get(key: string): Value | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  set(key: string, value: Value): void {
    this.young.set(key, value);
    // Two generations instead of evicting one by one: a set costs one insertion, and nothing is ever searched for.
    if (this.young.size >= this.atLeast) {
      this.old = this.young;
      this.young = new Map();
    }
  }

  clear(): void {
    this.young = new Map();
    this.old = new Map();
  }
}
