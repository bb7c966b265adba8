import type { SimulatedRequest } from './scheme.ts';
import type { Page } from './traffic.ts';

/** A step of the simulated release. */
export interface SimulatedStep {
  /** Percent. */
  readonly weight: number;
  readonly holdMs: number;
}

/** A page with the steps that its requests fall into: counted from 0; -1 is before the release. */
export interface PageLoad {
  readonly step: number;
  readonly document: SimulatedRequest;
  /** What each of its assets is to a scheme. */
  readonly asset: SimulatedRequest;
  readonly assetStep: number;
  readonly assets: number;
  /** Whether the assets go out after the document's answer, and with the cookies that it set. */
  readonly waits: boolean;
}

/** Which step is when. */
export class Timeline {
  /** When the last step ends, in ms since the first began. */
  readonly endMs: number;
  readonly #weights: readonly number[];
  readonly #ends: readonly number[];

  constructor(steps: readonly SimulatedStep[]) {
    let endMs = 0;
    this.#weights = steps.map(({ weight }) => weight);
    this.#ends = steps.map(({ holdMs }) => {
      endMs += holdMs;
      return endMs;
    });
    this.endMs = endMs;
  }

  /** How much of a step has passed at a time, 0 to 1. */
  passed(step: number, atMs: number): number {
    const begin = this.#ends[step - 1] ?? 0;
    return (atMs - begin) / ((this.#ends[step] ?? this.endMs) - begin);
  }

  /** A page whose assets are asked for `waitMs` after its document; 0: together with it. */
  load({ atMs, assets }: Page, waitMs: number): PageLoad {
    const laterMs = atMs + waitMs;
    const step = this.#stepAt(atMs);
    const assetStep = this.#stepAt(laterMs);
    return {
      step,
      document: { atMs, weight: this.#weightOf(step), isDocument: true },
      asset: { atMs: laterMs, weight: this.#weightOf(assetStep), isDocument: false },
      assetStep,
      assets,
      waits: waitMs > 0,
    };
  }

  /** The last step has no end: assets of its last pages belong to it. */
  #stepAt(atMs: number): number {
    if (atMs < 0) return -1;
    const step = this.#ends.findIndex((endMs) => atMs < endMs);
    return step < 0 ? this.#ends.length - 1 : step;
  }

  #weightOf(step: number): number {
    return step < 0 ? 0 : (this.#weights[step] ?? 0);
  }
}
