/** What happened in one step under one scheme. */
export interface StepFigures {
  /** Visitors who keep cookies and asked for something in the step. */
  readonly visitors: number;
  /** Those of them whom the canary answered in it at least once. */
  readonly exposed: number;
  /** Requests of those visitors in the step, and of those exposed. */
  readonly visitorRequests: number;
  readonly exposedRequests: number;
  /** Requests of all clients. */
  readonly requests: number;
  readonly canaryRequests: number;
  /** Times that a visitor's next answer was of the other version than the one before, in either direction. */
  readonly switches: number;
  /** Those from canary to stable. No step takes anything back, so each is one too many. */
  readonly flipBacks: number;
  /** Pages of visitors. */
  readonly pages: number;
  /** Those whose parts came from both versions. */
  readonly mixedPages: number;
}

/** What happened in a release under one scheme. */
export interface SchemeFigures {
  readonly steps: readonly StepFigures[];
  /** Visitors who keep cookies and came during the release. */
  readonly visitors: number;
  /** Those of them who went back from canary to stable, once or more. */
  readonly flippedBack: number;
}

type Counts = { -readonly [Field in keyof StepFigures]: StepFigures[Field] };

const NONE: StepFigures = {
  visitors: 0,
  exposed: 0,
  visitorRequests: 0,
  exposedRequests: 0,
  requests: 0,
  canaryRequests: 0,
  switches: 0,
  flipBacks: 0,
  pages: 0,
  mixedPages: 0,
};

/** Counts the answers under one scheme, client after client: `client`, then its pages and answers in order. Steps count from 0; -1 is before the release. */
export class Tally {
  readonly #steps: readonly Counts[];
  #visitors = 0;
  #flippedBack = 0;
  // Of the client at hand:
  #keepsCookies = false;
  #last: boolean | undefined;
  #activeIn = -1;
  #exposedIn = -1;
  #requestsInStep = 0;
  #hasFlipped = false;
  // Of its page at hand:
  #pageFirst: boolean | undefined;
  #pageStep: Counts | undefined;
  #isMixed = false;

  constructor(steps: number) {
    this.#steps = Array.from({ length: steps }, () => ({ ...NONE }));
  }

  /** Another client begins. */
  client(keepsCookies: boolean): void {
    this.#keepsCookies = keepsCookies;
    this.#last = undefined;
    this.#activeIn = -1;
    this.#exposedIn = -1;
    this.#hasFlipped = false;
  }

  /** Another page begins, with a request in this step. */
  page(step: number): void {
    this.#pageFirst = undefined;
    this.#isMixed = false;
    this.#pageStep = this.#steps[step];
    if (this.#keepsCookies && this.#pageStep !== undefined) this.#pageStep.pages++;
  }

  /** The client got an answer of the canary, or of the stable version. */
  answer(step: number, isCanary: boolean): void {
    const counts = this.#steps[step];
    if (counts !== undefined) {
      counts.requests++;
      if (isCanary) counts.canaryRequests++;
      if (this.#keepsCookies) this.#visitorsAnswer(counts, step, isCanary);
    }
    this.#last = isCanary;
  }

  figures(): SchemeFigures {
    return { steps: this.#steps.map((counts) => ({ ...counts })), visitors: this.#visitors, flippedBack: this.#flippedBack };
  }

  #visitorsAnswer(counts: Counts, step: number, isCanary: boolean): void {
    if (this.#activeIn < 0) this.#visitors++;
    if (this.#activeIn !== step) {
      this.#activeIn = step;
      this.#requestsInStep = 0;
      counts.visitors++;
    }
    counts.visitorRequests++;
    this.#requestsInStep++;
    if (this.#exposedIn === step) {
      counts.exposedRequests++;
    } else if (isCanary) {
      this.#exposedIn = step;
      counts.exposed++;
      counts.exposedRequests += this.#requestsInStep;
    }
    if (this.#last !== undefined && this.#last !== isCanary) {
      counts.switches++;
      if (!isCanary) this.#flipBack(counts);
    }
    this.#pageFirst ??= isCanary;
    if (this.#pageFirst !== isCanary && !this.#isMixed && this.#pageStep !== undefined) {
      this.#isMixed = true;
      this.#pageStep.mixedPages++;
    }
  }

  #flipBack(counts: Counts): void {
    counts.flipBacks++;
    if (!this.#hasFlipped) this.#flippedBack++;
    this.#hasFlipped = true;
  }
}
