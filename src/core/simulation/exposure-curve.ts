/** Share of visitors, in percent, at a time within a release. */
export interface CurvePoint {
  readonly step: number;
  /** How much of the step has passed, 0 to 1. */
  readonly passed: number;
  /** Of those who came since the step began: whom the canary has answered in it, once or more; undefined while nobody came. */
  readonly share: number | undefined;
}

/** How the exposure grows within each step, under one scheme: `client`, then its answers in the order of time. Clients come in any order. */
export class ExposureCurve {
  readonly #slots: number;
  /** By step and slot: who came there first in the step, and whom the canary answered first. */
  readonly #came: readonly number[][];
  readonly #exposed: readonly number[][];
  #cameIn = -1;
  #exposedIn = -1;

  /** `slots`: points of each step. */
  constructor(steps: number, slots: number) {
    this.#slots = slots;
    this.#came = Array.from({ length: steps }, () => new Array<number>(slots).fill(0));
    this.#exposed = Array.from({ length: steps }, () => new Array<number>(slots).fill(0));
  }

  /** Another client begins. */
  client(): void {
    this.#cameIn = -1;
    this.#exposedIn = -1;
  }

  /** An answer, when so much of the step has passed, 0 to 1. */
  answer(step: number, passed: number, isCanary: boolean): void {
    const slot = Math.min(this.#slots - 1, Math.floor(passed * this.#slots));
    if (this.#cameIn !== step) count(this.#came[step], slot);
    this.#cameIn = step;
    if (!isCanary || this.#exposedIn === step) return;
    this.#exposedIn = step;
    count(this.#exposed[step], slot);
  }

  points(): readonly CurvePoint[] {
    return this.#came.flatMap((came, step) => {
      let [visitors, exposed] = [0, 0];
      return came.map((count, slot): CurvePoint => {
        visitors += count;
        exposed += this.#exposed[step]?.[slot] ?? 0;
        return { step, passed: (slot + 1) / this.#slots, share: visitors === 0 ? undefined : (100 * exposed) / visitors };
      });
    });
  }
}

function count(slots: number[] | undefined, slot: number): void {
  if (slots !== undefined) slots[slot] = (slots[slot] ?? 0) + 1;
}
